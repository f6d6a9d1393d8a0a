"""What humans decide about people, each verb one entry of the ledger and its effect on the rows, in one transaction.

A decision holds against every machine that comes after it. Every verb returns the number of its entry, by which
:func:`~catalog.identities.undo.undo` takes it back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, select, update

from catalog.errors import PersonError
from catalog.identities.ledger import append, place_row
from catalog.identities.snapshot import Before
from catalog.store.appearances import Appearance, appearances_of, faces_at
from catalog.store.people import PersonRow, add_persons, assign, find_person, redirect, unassign
from catalog.store.tables import assignments, faces, persons, utc_text
from catalog.vocabulary import AssignedBy

_EXEMPLARS = 8
"""Faces by which a name is found again where the rows of its person are lost."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """Who decides, and when."""

    who: str
    now: datetime


def name_person(connection: Connection, person: PersonRow, name: str | None, stamp: Stamp) -> int:
    """Give a person a name, another one, or none."""
    name = _clean(name)
    before = Before().person(connection, person)
    connection.execute(update(persons).where(persons.c.id == person.id).values(name=name))
    shown = appearances_of(connection, person, limit=_EXEMPLARS)
    return append(
        connection,
        "name" if person.name is None else "rename",
        who=stamp.who,
        now=stamp.now,
        person_id=person.person_id,
        name=name,
        details={**before.details, "exemplars": [place_row(face.place) for face in shown]},
    )


def set_hidden(connection: Connection, person: PersonRow, hidden: bool, stamp: Stamp) -> int:
    """Leave a person out of lists and reports, or bring it back."""
    before = Before().person(connection, person)
    connection.execute(update(persons).where(persons.c.id == person.id).values(hidden=hidden))
    return _append(connection, "hide" if hidden else "unhide", stamp, before, person_id=person.person_id)


def set_birth_date(connection: Connection, person: PersonRow, born: date | None, stamp: Stamp) -> int:
    """Say when a person was born, so that nobody is found on photos taken before."""
    before = Before().person(connection, person)
    text = born.isoformat() if born else None
    connection.execute(update(persons).where(persons.c.id == person.id).values(birth_date=text))
    return _append(connection, "born", stamp, before, person_id=person.person_id, name=text)


def merge_persons(
    connection: Connection, kept: PersonRow, gone: PersonRow, stamp: Stamp, *, same_photo: bool = False
) -> int:
    """Say that two persons are one; the id of ``gone`` redirects from now on.

    Raises :class:`~catalog.errors.PersonError` for one and the same person, and where both are on one photo unless
    ``same_photo`` says that this is meant (a mirror, a collage, an ID card).
    """
    if kept.id == gone.id:
        raise PersonError(f"They are one person, {kept} already.")
    ours, theirs = appearances_of(connection, kept), appearances_of(connection, gone)
    shared = {face.sha256 for face in ours} & {face.sha256 for face in theirs}
    if shared and not same_photo:
        raise PersonError(
            f"{kept} and {gone} are together on {len(shared)} photo{'' if len(shared) == 1 else 's'}.",
            remedy="If it shows one person twice (a mirror, a collage), merge with --same-photo.",
        )
    twice = [face.row for face in ours + theirs if face.sha256 in shared]
    before = Before().person(connection, kept).person(connection, gone)
    before.faces(connection, sorted({*(face.row for face in theirs), *twice}))
    for led in _led_to(connection, gone):
        before.person(connection, led)
    connection.execute(update(assignments).where(assignments.c.person_id == gone.id).values(person_id=kept.id))
    _mark_human(connection, twice)
    redirect(connection, gone, kept)
    taken = {"name": kept.name or gone.name, "birth_date": kept.birth_date or gone.birth_date}
    connection.execute(update(persons).where(persons.c.id == kept.id).values(**taken))
    return _append(
        connection,
        "merge",
        stamp,
        before,
        person_id=kept.person_id,
        other_person_id=gone.person_id,
        name=gone.name,
    )


def split_person(
    connection: Connection, person: PersonRow, parted: Sequence[Appearance], stamp: Stamp
) -> tuple[int, PersonRow]:
    """Say that some faces of a person are somebody else; they get a person of their own, kept apart for ever.

    Raises :class:`~catalog.errors.PersonError` when a face is not the person's, or all of them are parted.
    """
    held = appearances_of(connection, person)
    rows = {face.row for face in parted}
    if not rows or not rows <= {face.row for face in held}:
        raise PersonError(f"The faces to part are not all faces of {person}.")
    if len(rows) == len(held):
        raise PersonError(f"All faces of {person} would be parted.", remedy="Leave at least one, or name the person.")
    before = Before().person(connection, person).faces(connection, sorted(rows))
    (other,) = add_persons(connection, 1, stamp.now)
    before.new_person(other)
    assign(connection, [(row, None) for row in sorted(rows)], other.id, AssignedBy.HUMAN, utc_text(stamp.now) or "")
    number = _append(
        connection,
        "split",
        stamp,
        before,
        person_id=person.person_id,
        other_person_id=other.person_id,
        more={"faces": [place_row(face.place) for face in parted]},
    )
    return number, other


def confirm_face(connection: Connection, face: Appearance, person: PersonRow, stamp: Stamp) -> int:
    """Say that a face is this person, whoever it was taken for before."""
    rows = _everywhere(connection, face)
    before = Before().person(connection, person).faces(connection, rows)
    connection.execute(update(faces).where(faces.c.id.in_(rows)).values(not_a_face=False))
    assign(connection, [(row, None) for row in rows], person.id, AssignedBy.HUMAN, utc_text(stamp.now) or "")
    return _append(connection, "confirm", stamp, before, person_id=person.person_id, face=face)


def reject_face(connection: Connection, face: Appearance, person: PersonRow, stamp: Stamp) -> int:
    """Say that a face is not this person. It is nobody's until the next scan, or settling, finds where it belongs."""
    rows = [row for row in _everywhere(connection, face) if _held_by(connection, row) == person.id]
    before = Before().person(connection, person).faces(connection, rows)
    unassign(connection, rows)
    return _append(connection, "reject", stamp, before, person_id=person.person_id, face=face)


def mark_not_a_face(connection: Connection, face: Appearance, stamp: Stamp) -> int:
    """Say that a box holds no face: it belongs to nobody and is left out of everything."""
    rows = _everywhere(connection, face)
    before = Before().faces(connection, rows)
    connection.execute(update(faces).where(faces.c.id.in_(rows)).values(not_a_face=True))
    unassign(connection, rows)
    return _append(connection, "not_a_face", stamp, before, face=face)


def find_or_add_person(connection: Connection, wanted: str, stamp: Stamp) -> PersonRow:
    """The person with this id or name, or a new one of this name. For answers such as "this is Ann"."""
    try:
        return find_person(connection, wanted)
    except PersonError as error:
        if "Several" in str(error):
            raise
    (person,) = add_persons(connection, 1, stamp.now)
    before = Before()
    before.new_person(person)
    connection.execute(update(persons).where(persons.c.id == person.id).values(name=_clean(wanted)))
    _append(connection, "name", stamp, before, person_id=person.person_id, name=_clean(wanted))
    return find_person(connection, person.person_id)


def _append(
    connection: Connection,
    verb: str,
    stamp: Stamp,
    before: Before,
    *,
    person_id: str | None = None,
    other_person_id: str | None = None,
    name: str | None = None,
    face: Appearance | None = None,
    more: dict[str, Any] | None = None,
) -> int:
    return append(
        connection,
        verb,
        who=stamp.who,
        now=stamp.now,
        person_id=person_id,
        other_person_id=other_person_id,
        name=name,
        place=face.place if face else None,
        details={**before.details, **(more or {})},
    )


def _clean(name: str | None) -> str | None:
    cleaned = " ".join((name or "").split())
    return cleaned or None


def _everywhere(connection: Connection, face: Appearance) -> list[int]:
    """Row ids of this face in every gallery: a decision is about the face, not about who saw it."""
    galleries: dict[tuple[str, str], int] = {}
    for each in faces_at(connection, face.place):
        galleries.setdefault((each.engine, each.gallery), each.row)
    galleries = {key: row for key, row in galleries.items() if row != face.row}
    return sorted({face.row, *(row for key, row in galleries.items() if key != (face.engine, face.gallery))})


def _held_by(connection: Connection, row: int) -> int | None:
    found = connection.scalar(select(assignments.c.person_id).where(assignments.c.face_id == row))
    return None if found is None else int(found)


def _mark_human(connection: Connection, rows: Sequence[int]) -> None:
    for row in rows:
        connection.execute(update(assignments).where(assignments.c.face_id == row).values(by=AssignedBy.HUMAN.value))


def _led_to(connection: Connection, person: PersonRow) -> list[PersonRow]:
    ids = connection.scalars(select(persons.c.person_id).where(persons.c.merged_into == person.id)).all()
    query = select(persons).where(persons.c.person_id.in_(ids))
    return [
        PersonRow(row.id, row.person_id, row.name, bool(row.hidden), row.birth_date, row.merged_into, row.created_at)
        for row in connection.execute(query)
    ]

"""What humans decide about people, each verb one entry of the ledger and its effect on the rows, in one transaction.

A decision holds against every machine that comes after it. Every verb returns the number of its entry, by which
``undo`` takes it back.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, select, update

from catalog.domain.errors import AmbiguousPersonError, PersonError
from catalog.domain.people import AssignedBy
from catalog.domain.timestamps import utc_text
from catalog.identities.decisions.log import append, place_row
from catalog.identities.decisions.prior_state import PriorState
from catalog.store.assignment_lock import lock_persons
from catalog.store.catalogued_faces import CataloguedFace, faces_at_key, faces_by_content, faces_of_person
from catalog.store.people import add_persons, assign, find_person, redirect, unassign
from catalog.store.person_index import PersonRow, persons_where
from catalog.store.tables import assignments, faces, persons, photos

_LONGEST_NAME = 500
_EXEMPLARS = 8
"""Faces by which a name is found again where the rows of its person are lost."""


@dataclass(frozen=True, slots=True)
class DecisionStamp:
    """Who decides, and when."""

    who: str
    now: datetime


def name_person(connection: Connection, person: PersonRow, name: str | None, stamp: DecisionStamp) -> int:
    """Give a person a name, another one, or none."""
    name = clean_name(name)
    person = _current(connection, person)
    before = PriorState().person(person)
    connection.execute(update(persons).where(persons.c.id == person.id).values(name=name))
    shown = faces_of_person(connection, person, limit=_EXEMPLARS)
    return append(
        connection,
        "name" if person.name is None else "rename",
        who=stamp.who,
        now=stamp.now,
        person_id=person.person_id,
        name=name,
        details={**before.details, "exemplars": [place_row(face.place) for face in shown]},
    )


def set_hidden(connection: Connection, person: PersonRow, hidden: bool, stamp: DecisionStamp) -> int:
    """Leave a person out of lists and reports, or bring it back."""
    person = _current(connection, person)
    before = PriorState().person(person)
    connection.execute(update(persons).where(persons.c.id == person.id).values(hidden=hidden))
    return _append(connection, "hide" if hidden else "unhide", stamp, before, person_id=person.person_id)


def set_birth_date(connection: Connection, person: PersonRow, born: date | None, stamp: DecisionStamp) -> int:
    """Say when a person was born: no machine takes, or has taken, a face on a photo from before for this person."""
    person = _current(connection, person)
    text = born.isoformat() if born else None
    early = _before_birth(connection, person, text)
    before = PriorState().person(person).faces(connection, early)
    unassign(connection, early)
    connection.execute(update(persons).where(persons.c.id == person.id).values(birth_date=text))
    return _append(connection, "born", stamp, before, person_id=person.person_id, name=text)


def merge_persons(
    connection: Connection, kept: PersonRow, gone: PersonRow, stamp: DecisionStamp, *, same_photo: bool = False
) -> int:
    """Say that two persons are one; the id of ``gone`` redirects from now on.

    Raises ``PersonError`` for one and the same person, and where both are on one photo unless
    ``same_photo`` says that this is meant (a mirror, a collage, an ID card).
    """
    kept, gone = _current(connection, kept), _current(connection, gone)
    if kept.id == gone.id:
        raise PersonError(f"They are one person, {kept} already.")
    ours, theirs = faces_of_person(connection, kept), faces_of_person(connection, gone)
    shared = together(ours, theirs)
    if shared and not same_photo:
        raise PersonError(
            f"{kept} and {gone} are together on {len(shared)} photo{'' if len(shared) == 1 else 's'}.",
            remedy="If it shows one person twice (a mirror, a collage), merge with --same-photo.",
        )
    twice = [face.row for face in ours + theirs if face.sha256 in shared]
    born = kept.birth_date or gone.birth_date
    early = {*_before_birth(connection, kept, born), *_before_birth(connection, gone, born)} - set(twice)
    before = PriorState().person(kept).redirected(connection, gone)
    before.faces(connection, sorted({*(face.row for face in theirs), *twice, *early}))
    for led in persons_where(connection, select(persons).where(persons.c.merged_into == gone.id)):
        before.redirected(connection, led)
    unassign(connection, sorted(early))
    connection.execute(update(assignments).where(assignments.c.person_id == gone.id).values(person_id=kept.id))
    _mark_human(connection, twice)
    redirect(connection, gone, kept)
    taken = {"name": kept.name or gone.name, "birth_date": born}
    connection.execute(update(persons).where(persons.c.id == kept.id).values(**taken))
    return _append(
        connection,
        "merge",
        stamp,
        before,
        person_id=kept.person_id,
        other_person_id=gone.person_id,
        name=gone.name,
        more={"faces": [place_row(face.place) for face in ours + theirs if face.row in twice]} if twice else {},
    )


def split_person(
    connection: Connection, person: PersonRow, parted: Sequence[CataloguedFace], stamp: DecisionStamp
) -> tuple[int, PersonRow]:
    """Say that some faces of a person are somebody else; they get a person of their own, kept apart for ever.

    Raises ``PersonError`` when a face is not the person's, or all of them are parted.
    """
    person = _current(connection, person)
    held = faces_of_person(connection, person)
    rows = {face.row for face in parted}
    if not rows or not rows <= {face.row for face in held}:
        raise PersonError(f"The faces to part are not all faces of {person}.")
    if len(rows) == len(held):
        raise PersonError(f"All faces of {person} would be parted.", remedy="Leave at least one, or name the person.")
    rows = {row for face in parted for row in _everywhere(connection, face)}
    before = PriorState().stays(person).faces(connection, sorted(rows))
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


def separate_persons(connection: Connection, one: PersonRow, other: PersonRow, stamp: DecisionStamp) -> int:
    """Say that two persons are two: no machine makes them one, and nobody is asked again."""
    one, other = _current(connection, one), _current(connection, other)
    if one.id == other.id:
        raise PersonError(
            f"They are one person, {one} already.", remedy="Parts of one person are told apart by a split."
        )
    before = PriorState().stays(one).stays(other)
    return _append(connection, "apart", stamp, before, person_id=one.person_id, other_person_id=other.person_id)


def confirm_face(
    connection: Connection, face: CataloguedFace, person: PersonRow, stamp: DecisionStamp, *, same_photo: bool = False
) -> int:
    """Say that a face is this person, whoever it was taken for before.

    Another face of the photo that a machine took for this person is nobody's then: nobody is on a photo twice. Raises
    ``PersonError`` where a human said so of the other one, unless ``same_photo`` says that this is
    meant (a mirror, a collage, an ID card).
    """
    person = _current(connection, person)
    rows = _everywhere(connection, face)
    rivals = [each for each in _beside(connection, face) if each.person_id == person.person_id and each.row not in rows]
    if any(each.by is AssignedBy.HUMAN for each in rivals) and not same_photo:
        raise PersonError(
            f"{person} is on this photo already: another face of it is confirmed.",
            remedy="If it shows one person twice (a mirror, a collage), confirm with --same-photo.",
        )
    taken = [each.row for each in rivals if each.by is AssignedBy.CLUSTER]
    before = PriorState().stays(person).faces(connection, rows + taken)
    unassign(connection, taken)
    connection.execute(update(faces).where(faces.c.id.in_(rows)).values(not_a_face=False))
    assign(connection, [(row, None) for row in rows], person.id, AssignedBy.HUMAN, utc_text(stamp.now) or "")
    return _append(connection, "confirm", stamp, before, person_id=person.person_id, face=face)


def reject_face(connection: Connection, face: CataloguedFace, person: PersonRow, stamp: DecisionStamp) -> int:
    """Say that a face is not this person. It is nobody's until the next scan, or settling, finds where it belongs."""
    person = _current(connection, person)
    rows = [row for row in _everywhere(connection, face) if _held_by(connection, row) == person.id]
    before = PriorState().stays(person).faces(connection, rows)
    unassign(connection, rows)
    return _append(connection, "reject", stamp, before, person_id=person.person_id, face=face)


def mark_not_a_face(connection: Connection, face: CataloguedFace, stamp: DecisionStamp) -> int:
    """Say that a box holds no face: it belongs to nobody and is left out of everything."""
    lock_persons(connection)
    rows = _everywhere(connection, face)
    before = PriorState().faces(connection, rows)
    connection.execute(update(faces).where(faces.c.id.in_(rows)).values(not_a_face=True))
    unassign(connection, rows)
    return _append(connection, "not_a_face", stamp, before, face=face)


def find_or_add_person(connection: Connection, wanted: str, stamp: DecisionStamp) -> PersonRow:
    """The person with this id or name, or a new one of this name. For answers such as "this is Ann"."""
    lock_persons(connection)
    try:
        return find_person(connection, wanted)
    except AmbiguousPersonError:
        raise
    except PersonError:
        pass
    (person,) = add_persons(connection, 1, stamp.now)
    before = PriorState()
    before.new_person(person)
    connection.execute(update(persons).where(persons.c.id == person.id).values(name=clean_name(wanted)))
    _append(connection, "name", stamp, before, person_id=person.person_id, name=clean_name(wanted))
    return find_person(connection, person.person_id)


def _current(connection: Connection, person: PersonRow) -> PersonRow:
    """The person as it is now, or whom it was merged into, from now on changed by nobody else.

    Raises ``PersonError`` where it was forgotten since it was read.
    """
    lock_persons(connection)
    return find_person(connection, person.person_id)


def _append(
    connection: Connection,
    verb: str,
    stamp: DecisionStamp,
    before: PriorState,
    *,
    person_id: str | None = None,
    other_person_id: str | None = None,
    name: str | None = None,
    face: CataloguedFace | None = None,
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


def clean_name(name: str | None) -> str | None:
    """A name as it is kept: on one line, accents within their letters. None for one of which nothing is seen."""
    cleaned = unicodedata.normalize("NFC", " ".join((name or "").split()))
    if len(cleaned) > _LONGEST_NAME:
        raise PersonError(f"A name of {len(cleaned):,} characters is too long; {_LONGEST_NAME} are enough.")
    return cleaned if any(each.isprintable() for each in cleaned) else None


def together(ours: Sequence[CataloguedFace], theirs: Sequence[CataloguedFace]) -> set[str]:
    """Contents of the photos on which two persons are both; a face that two galleries see is one face."""
    beside: dict[str, list[CataloguedFace]] = defaultdict(list)
    for face in theirs:
        beside[face.sha256].append(face)
    return {face.sha256 for face in ours for other in beside[face.sha256] if not face.place.same(other.place)}


def _everywhere(connection: Connection, face: CataloguedFace) -> list[int]:
    """Row ids of this face in every gallery: a decision is about the face, not about who saw it."""
    galleries = {(face.engine, face.gallery): face.row}
    for each in faces_at_key(connection, face.place):
        galleries.setdefault((each.engine, each.gallery), each.row)
    return sorted(galleries.values())


def _beside(connection: Connection, face: CataloguedFace) -> list[CataloguedFace]:
    """The faces of the same photo, in every gallery."""
    return faces_by_content(connection, [face.sha256]).get(face.sha256, [])


def _before_birth(connection: Connection, person: PersonRow, born: str | None) -> list[int]:
    """Row ids of faces that a machine took for somebody, on photos from before that one's birth."""
    if born is None:
        return []
    query = (
        select(faces.c.id)
        .select_from(assignments.join(faces).join(photos))
        .where(assignments.c.person_id == person.id, assignments.c.by == AssignedBy.CLUSTER.value)
        .where(photos.c.taken_at < born)
    )
    return list(connection.scalars(query.order_by(faces.c.id)))


def _held_by(connection: Connection, row: int) -> int | None:
    found = connection.scalar(select(assignments.c.person_id).where(assignments.c.face_id == row))
    return None if found is None else int(found)


def _mark_human(connection: Connection, rows: Sequence[int]) -> None:
    for row in rows:
        connection.execute(update(assignments).where(assignments.c.face_id == row).values(by=AssignedBy.HUMAN.value))

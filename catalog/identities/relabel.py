"""Putting labels back: a file of names and decisions is added to a catalogue, and what is there already stays."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, or_, select, update

from catalog.identities.relabel_ledger import add_decisions, decision_key, known_decisions
from catalog.store.appearances import Place
from catalog.store.forgotten import FORGET, Graves, erase_decisions, forget_again, forgotten_ids, graves_of, place_at
from catalog.store.labels import BOX, PERSON
from catalog.store.tables import assignments, decisions, faces, persons, photos, utc_text
from catalog.vocabulary import BoundingBox

_SAME_FACE = 0.5
_ANCHORS = 8
"""Faces by which a person is found again on photos that are not scanned yet."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What was new in the file: persons, decisions, faces that were given their person, and tombstones."""

    persons: int
    decisions: int
    faces: int
    tombstones: int


def restore_labels(connection: Connection, content: Mapping[str, Any], now: datetime) -> Restored:
    """Add what is not there yet; restoring the same file twice adds nothing. Decisions keep their order.

    Who was forgotten, here or where the file was made, stays forgotten.
    """
    entries = [{**row, "undone_by": None} for row in content["decisions"] if row["verb"] == FORGET]
    for row in entries:
        del row["id"]
    new_stones = forget_again(connection, content["tombstones"], entries, str(utc_text(now)))
    graves = graves_of(connection)
    gone = _leading_to(forgotten_ids(connection), content["persons"])
    people = [_above_ground(person, graves) for person in content["persons"] if person["person_id"] not in gone]
    said = [row for row in content["decisions"] if row["verb"] != FORGET and not _is_about(row, gone, graves)]
    new_persons = _restore_persons(connection, people)
    new_decisions = add_decisions(connection, said)
    erase_decisions(connection, gone, graves)
    rows = _Redirects.of(connection)
    given = sum(_restore_faces(connection, person, rows.lead(person["person_id"]), now) for person in people)
    return Restored(new_persons, new_decisions, given, new_stones)


def _leading_to(gone: set[str], people: Sequence[Mapping[str, Any]]) -> set[str]:
    """Persons who were forgotten, and those of the file who lead to them, by however many steps."""
    found = set(gone)
    while more := {each["person_id"] for each in people if each["merged_into"] in found} - found:
        found |= more
    return found


def _above_ground(person: Mapping[str, Any], graves: Graves) -> dict[str, Any]:
    """A person without the faces that lie at tombstones."""
    places = [(row, Place(row[0], BoundingBox(*row[1:5]))) for row in person["faces"]]
    return {**person, "faces": [row for row, place in places if not graves.hold(place)]}


def _is_about(row: Mapping[str, Any], gone: set[str], graves: Graves) -> bool:
    """Whether a decision is on somebody, or on a face, that was forgotten."""
    if row["person_id"] in gone or row["other_person_id"] in gone:
        return True
    return row["box_left"] is not None and graves.hold(place_at(row))


@dataclass(frozen=True, slots=True)
class _Redirects:
    """Row ids of persons, and where they lead."""

    rows: dict[str, int]
    merged_into: dict[int, int]

    @classmethod
    def of(cls, connection: Connection) -> _Redirects:
        found = connection.execute(select(persons.c.person_id, persons.c.id, persons.c.merged_into)).all()
        return cls(
            {row.person_id: row.id for row in found},
            {row.id: row.merged_into for row in found if row.merged_into is not None},
        )

    def lead(self, person_id: str) -> int:
        """The row that a public id stands for; in a circle, which older programs may have made, any of it."""
        row = self.rows[person_id]
        seen = {row}
        while (further := self.merged_into.get(row)) is not None and further not in seen:
            seen.add(further)
            row = further
        return row


def _restore_persons(connection: Connection, people: Sequence[Mapping[str, Any]]) -> int:
    known = {row.person_id: row for row in connection.execute(select(persons))}
    fresh = [{key: person[key] for key in PERSON} for person in people if person["person_id"] not in known]
    if fresh:
        connection.execute(insert(persons), fresh)
    for person in people:
        before = known.get(person["person_id"])
        if before is not None and before.name is None and person["name"]:
            values = {"name": person["name"], "hidden": person["hidden"], "birth_date": person["birth_date"]}
            connection.execute(update(persons).where(persons.c.person_id == person["person_id"]).values(values))
    _restore_redirects(connection, people)
    return len(fresh)


def _restore_redirects(connection: Connection, people: Sequence[Mapping[str, Any]]) -> None:
    """Let ids lead where the file says, unless a human said otherwise here.

    They may lead somewhere already, or the merge may have been taken back or turned around since.
    """
    here = _Redirects.of(connection)
    undone = select(decisions.c.other_person_id).where(decisions.c.verb == "merge", decisions.c.undone_by.is_not(None))
    parted = set(connection.scalars(undone))
    for person in people:
        target = person["merged_into"]
        row = here.rows[person["person_id"]]
        if target not in here.rows or row in here.merged_into or person["person_id"] in parted:
            continue
        kept = here.lead(target)
        if kept == row:
            continue  # an id that leads to itself would never end
        connection.execute(update(assignments).where(assignments.c.person_id == row).values(person_id=kept))
        connection.execute(
            update(persons).where(or_(persons.c.id == row, persons.c.merged_into == row)).values(merged_into=kept)
        )
        here.merged_into.update({led: kept for led, to in here.merged_into.items() if to == row})
        here.merged_into[row] = kept


def _restore_faces(connection: Connection, person: Mapping[str, Any], person_row: int, now: datetime) -> int:
    """Give a person its faces, whichever engine sees them; by a confirmation where nobody has seen them yet."""
    wanted: dict[str, list[tuple[BoundingBox, str]]] = defaultdict(list)
    for sha256, left, top, width, height, by in person["faces"]:
        wanted[sha256].append((BoundingBox(left, top, width, height), by))
    found = given = 0
    for sha256, boxes in wanted.items():
        query = (
            select(faces.c.id, assignments.c.by, assignments.c.person_id, *(faces.c[edge] for edge in BOX))
            .join(photos, photos.c.id == faces.c.photo_id)
            .outerjoin(assignments, assignments.c.face_id == faces.c.id)
            .where(photos.c.sha256 == sha256)
        )
        for row_id, held_by, holder, *edges in connection.execute(query).all():
            by = next((by for box, by in boxes if box.iou(BoundingBox(*edges)) >= _SAME_FACE), None)
            if by is None:
                continue
            found += 1
            if held_by == "human" or holder == person_row:
                continue
            connection.execute(delete(assignments).where(assignments.c.face_id == row_id))
            connection.execute(
                insert(assignments),
                {"face_id": row_id, "person_id": person_row, "by": by, "assigned_at": utc_text(now)},
            )
            given += 1
    if not found and person["faces"]:
        _confirm_later(connection, person)
    return given


def _confirm_later(connection: Connection, person: Mapping[str, Any]) -> None:
    rows = [
        {
            "decided_at": person["created_at"],
            "decided_by": "restore",
            "verb": "confirm",
            "person_id": person["person_id"],
            "other_person_id": None,
            "photo_sha256": sha256,
            **dict(zip(BOX, box, strict=True)),
        }
        for sha256, *box, _ in person["faces"][:_ANCHORS]
    ]
    known = known_decisions(connection)
    fresh = [row for row in rows if decision_key(row) not in known]
    if fresh:
        connection.execute(insert(decisions), fresh)

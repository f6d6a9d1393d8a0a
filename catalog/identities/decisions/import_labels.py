"""Putting labels back: a file of names and decisions is added to a catalogue, and what is there already stays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, or_, select, update

from catalog.domain.face_key import FaceKey
from catalog.domain.faces import BoundingBox
from catalog.domain.timestamps import utc_text
from catalog.identities.decisions.import_label_decisions import LocalDecisions, add_decisions
from catalog.identities.decisions.import_label_faces import restore_faces
from catalog.identities.decisions.log import effective_decisions, read_decisions
from catalog.store.assignment_lock import lock_persons
from catalog.store.labels_file import PERSON
from catalog.store.person_index import PersonIndex, all_persons
from catalog.store.tables import assignments, decisions, persons
from catalog.store.tombstones import (
    FORGET,
    Tombstones,
    apply_tombstones,
    erase_decisions,
    forgotten_ids,
    place_at,
    read_tombstones,
)


@dataclass(frozen=True, slots=True)
class LabelImportResult:
    """What was new in the file: persons, decisions, faces that were given their person, and tombstones."""

    persons: int
    decisions: int
    faces: int
    tombstones: int


def restore_labels(connection: Connection, content: Mapping[str, Any], now: datetime) -> LabelImportResult:
    """Add what is not there yet; restoring the same file twice, or where it was made, changes nothing.

    What is there already stays, and decisions keep their order:

    - A face of which a human said something here keeps that: who it is, who it is not, or that it is no face.
    - A face that a machine gave to somebody changes hands where the file has a human's word on the face, and where a
      human said something about its person there (a name, most often) and nobody anything about its person here.
    - A face that belongs to nobody gets the person that it has in the file.

    Who was forgotten, here or where the file was made, stays forgotten.
    """
    lock_persons(connection)
    entries = [{**row, "undone_by": None} for row in content["decisions"] if row["verb"] == FORGET]
    for row in entries:
        del row["id"]
    new_stones = apply_tombstones(connection, content["tombstones"], entries, str(utc_text(now)))
    graves = read_tombstones(connection)
    gone = _leading_to(forgotten_ids(connection), content["persons"])
    people = [_above_ground(person, graves) for person in content["persons"] if person["person_id"] not in gone]
    said = [row for row in content["decisions"] if row["verb"] != FORGET and not _is_about(row, gone, graves)]
    here = effective_decisions(read_decisions(connection))
    told = PersonIndex.of(all_persons(connection)).protected_persons(here.touched)
    new_persons = _restore_persons(connection, people)
    leads = PersonIndex.of(all_persons(connection))
    new_decisions = add_decisions(connection, said, LocalDecisions(here, leads))
    erase_decisions(connection, gone, graves)
    spoken = {leads.canonical_row(row).id for row in told}
    given = restore_faces(connection, people, meant=_meant(people, said), spoken=spoken, now=now)
    return LabelImportResult(new_persons, new_decisions, given, new_stones)


def _meant(people: Sequence[Mapping[str, Any]], said: Sequence[Mapping[str, Any]]) -> set[str]:
    """Public ids of the persons of a file about whom a human said something."""
    named = {each["person_id"] for each in people if each["name"] or each["hidden"]}
    touched = {row[key] for row in said for key in ("person_id", "other_person_id") if row[key]}
    confirmed = {each["person_id"] for each in people if any(face[-1] == "human" for face in each["faces"])}
    return named | touched | confirmed


def _leading_to(gone: set[str], people: Sequence[Mapping[str, Any]]) -> set[str]:
    """Persons who were forgotten, and those of the file who lead to them, by however many steps."""
    found = set(gone)
    while more := {each["person_id"] for each in people if each["merged_into"] in found} - found:
        found |= more
    return found


def _above_ground(person: Mapping[str, Any], graves: Tombstones) -> dict[str, Any]:
    """A person without the faces that lie at tombstones."""
    places = [(row, FaceKey(row[0], BoundingBox(*row[1:5]))) for row in person["faces"]]
    return {**person, "faces": [row for row, place in places if not graves.hold(place)]}


def _is_about(row: Mapping[str, Any], gone: set[str], graves: Tombstones) -> bool:
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

    def canonical(self, person_id: str) -> int:
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
            values = {
                "name": person["name"],
                "hidden": before.hidden or person["hidden"],
                "birth_date": before.birth_date or person["birth_date"],
            }
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
        kept = here.canonical(target)
        if kept == row:
            continue  # an id that leads to itself would never end
        connection.execute(update(assignments).where(assignments.c.person_id == row).values(person_id=kept))
        connection.execute(
            update(persons).where(or_(persons.c.id == row, persons.c.merged_into == row)).values(merged_into=kept)
        )
        here.merged_into.update({led: kept for led, to in here.merged_into.items() if to == row})
        here.merged_into[row] = kept

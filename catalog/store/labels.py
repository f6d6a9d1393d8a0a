"""Names and decisions in a small portable file: what humans put into a catalogue, and nothing that an engine made.

Faces are named by photo content and box, so that the file restores onto any engine, any model and any database, before
or after the photos were scanned there.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, or_, select, update

from catalog.errors import UsageError
from catalog.store.appearances import Place
from catalog.store.forgotten import FORGET, Graves, erase_decisions, forget_again, forgotten_ids, graves_of, place_at
from catalog.store.tables import assignments, decisions, faces, persons, photos, tombstones, utc_text
from catalog.vocabulary import BoundingBox

FORMAT = "catalog labels"
VERSION = 1

_BOX = ("box_left", "box_top", "box_width", "box_height")
_PERSON = ("person_id", "name", "hidden", "birth_date", "created_at")
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


def read_labels(conn: Connection, now: datetime) -> dict[str, Any]:
    """The content of a labels file: everybody about whom a human said something, and all that was said."""
    said = [dict(row) for row in conn.execute(select(decisions).order_by(decisions.c.id)).mappings()]
    ids = {row.id: row.person_id for row in conn.execute(select(persons.c.id, persons.c.person_id))}
    touched = {row[key] for row in said for key in ("person_id", "other_person_id") if row[key]}
    by_human = select(assignments.c.person_id).where(assignments.c.by == "human")
    human = {ids[row_id] for row_id in conn.scalars(by_human.distinct())}
    # Whom others lead to must be there too: a scan merges persons about whom nobody said anything.
    led_to = set(conn.scalars(select(persons.c.merged_into).where(persons.c.merged_into.is_not(None))))
    people = []
    for row in conn.execute(select(persons).order_by(persons.c.id)).mappings():
        said_of = row["name"] or row["hidden"] or row["person_id"] in touched | human
        if said_of or row["merged_into"] or row["id"] in led_to:
            merged = ids.get(row["merged_into"]) if row["merged_into"] else None
            people.append({**{key: row[key] for key in _PERSON}, "merged_into": merged, "faces": []})
    _add_faces(conn, {person["person_id"]: person["faces"] for person in people})
    return {
        "format": FORMAT,
        "version": VERSION,
        "made_at": utc_text(now),
        "persons": people,
        "decisions": said,
        "tombstones": [
            {key: row[key] for key in ("photo_sha256", *_BOX, "forgotten_at")}
            for row in conn.execute(select(tombstones).order_by(tombstones.c.id)).mappings()
        ],
    }


def _add_faces(conn: Connection, lists: Mapping[str, list[Any]]) -> None:
    query = (
        select(persons.c.person_id, photos.c.sha256, assignments.c.by, *(faces.c[edge] for edge in _BOX))
        .select_from(assignments)
        .join(persons, persons.c.id == assignments.c.person_id)
        .join(faces, faces.c.id == assignments.c.face_id)
        .join(photos, photos.c.id == faces.c.photo_id)
        # The best faces first: they are what a person is found by where there are no rows yet.
        .order_by(assignments.c.by.desc(), faces.c.confidence.desc(), faces.c.id)
    )
    for person_id, sha256, by, *box in conn.execute(query):
        if person_id in lists:
            lists[person_id].append([sha256, *(round(edge, 6) for edge in box), by])


def parse_labels(data: str, name: str) -> dict[str, Any]:
    """Raises :class:`~catalog.errors.UsageError` for what is no labels file."""
    try:
        content = json.loads(data)
    except ValueError:
        content = None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise UsageError(f'"{name}" is not a file of labels.', remedy="Make one with `catalog backup --labels-only`.")
    if content["version"] != VERSION:
        raise UsageError(f'"{name}" was made by a newer program.', remedy="Update catalog.")
    if _holds_nul(content):
        raise UsageError(f'"{name}" holds a NUL character, which no name and no database may.', remedy="Take it out.")
    return content


def _holds_nul(value: object) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(_holds_nul(each) for each in value.values())
    return isinstance(value, list) and any(_holds_nul(each) for each in value)


def restore_labels(conn: Connection, content: Mapping[str, Any], now: datetime) -> Restored:
    """Add what is not there yet; restoring the same file twice adds nothing. Decisions keep their order.

    Who was forgotten, here or where the file was made, stays forgotten.
    """
    entries = [{**row, "undone_by": None} for row in content["decisions"] if row["verb"] == FORGET]
    for row in entries:
        del row["id"]
    new_stones = forget_again(conn, content["tombstones"], entries, str(utc_text(now)))
    graves = graves_of(conn)
    gone = _leading_to(forgotten_ids(conn), content["persons"])
    people = [_above_ground(person, graves) for person in content["persons"] if person["person_id"] not in gone]
    said = [row for row in content["decisions"] if row["verb"] != FORGET and not _is_about(row, gone, graves)]
    new_persons = _restore_persons(conn, people)
    new_decisions = _restore_decisions(conn, said)
    erase_decisions(conn, gone, graves)
    rows = _Redirects.of(conn)
    given = sum(_restore_faces(conn, person, rows.lead(person["person_id"]), now) for person in people)
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
    def of(cls, conn: Connection) -> _Redirects:
        found = conn.execute(select(persons.c.person_id, persons.c.id, persons.c.merged_into)).all()
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


def _restore_persons(conn: Connection, people: Sequence[Mapping[str, Any]]) -> int:
    known = {row.person_id: row for row in conn.execute(select(persons))}
    fresh = [{key: person[key] for key in _PERSON} for person in people if person["person_id"] not in known]
    if fresh:
        conn.execute(insert(persons), fresh)
    for person in people:
        before = known.get(person["person_id"])
        if before is not None and before.name is None and person["name"]:
            values = {"name": person["name"], "hidden": person["hidden"], "birth_date": person["birth_date"]}
            conn.execute(update(persons).where(persons.c.person_id == person["person_id"]).values(values))
    _restore_redirects(conn, people)
    return len(fresh)


def _restore_redirects(conn: Connection, people: Sequence[Mapping[str, Any]]) -> None:
    """Let ids lead where the file says, unless a human said otherwise here.

    They may lead somewhere already, or the merge may have been taken back or turned around since.
    """
    here = _Redirects.of(conn)
    undone = select(decisions.c.other_person_id).where(decisions.c.verb == "merge", decisions.c.undone_by.is_not(None))
    parted = set(conn.scalars(undone))
    for person in people:
        target = person["merged_into"]
        row = here.rows[person["person_id"]]
        if target not in here.rows or row in here.merged_into or person["person_id"] in parted:
            continue
        kept = here.lead(target)
        if kept == row:
            continue  # an id that leads to itself would never end
        conn.execute(update(assignments).where(assignments.c.person_id == row).values(person_id=kept))
        conn.execute(
            update(persons).where(or_(persons.c.id == row, persons.c.merged_into == row)).values(merged_into=kept)
        )
        here.merged_into.update({led: kept for led, to in here.merged_into.items() if to == row})
        here.merged_into[row] = kept


def _restore_decisions(conn: Connection, said: Sequence[Mapping[str, Any]]) -> int:
    known = {_key(row): row["id"] for row in conn.execute(select(decisions)).mappings()}
    numbers: dict[int, int] = {}
    added = 0
    for row in said:
        here = known.get(_key(row))
        if here is None:
            values = {name: value for name, value in row.items() if name not in ("id", "undone_by")}
            here = int(conn.execute(insert(decisions).returning(decisions.c.id), values).scalar_one())
            added += 1
        numbers[row["id"]] = here
    for row in said:
        if row["undone_by"] in numbers and row["id"] in numbers:
            conn.execute(
                update(decisions)
                .where(decisions.c.id == numbers[row["id"]], decisions.c.undone_by.is_(None))
                .values(undone_by=numbers[row["undone_by"]])
            )
    return added


def _key(row: Mapping[Any, Any]) -> tuple[Any, ...]:
    """What tells one decision from another, without its number."""
    return tuple(row[name] for name in ("decided_at", "decided_by", "verb", "person_id", "photo_sha256", "box_left"))


def _restore_faces(conn: Connection, person: Mapping[str, Any], person_row: int, now: datetime) -> int:
    """Give a person its faces, whichever engine sees them; by a confirmation where nobody has seen them yet."""
    wanted: dict[str, list[tuple[BoundingBox, str]]] = defaultdict(list)
    for sha256, left, top, width, height, by in person["faces"]:
        wanted[sha256].append((BoundingBox(left, top, width, height), by))
    found = given = 0
    for sha256, boxes in wanted.items():
        query = (
            select(faces.c.id, assignments.c.by, assignments.c.person_id, *(faces.c[edge] for edge in _BOX))
            .join(photos, photos.c.id == faces.c.photo_id)
            .outerjoin(assignments, assignments.c.face_id == faces.c.id)
            .where(photos.c.sha256 == sha256)
        )
        for row_id, held_by, holder, *edges in conn.execute(query).all():
            by = next((by for box, by in boxes if box.iou(BoundingBox(*edges)) >= _SAME_FACE), None)
            if by is None:
                continue
            found += 1
            if held_by == "human" or holder == person_row:
                continue
            conn.execute(delete(assignments).where(assignments.c.face_id == row_id))
            conn.execute(
                insert(assignments),
                {"face_id": row_id, "person_id": person_row, "by": by, "assigned_at": utc_text(now)},
            )
            given += 1
    if not found and person["faces"]:
        _confirm_later(conn, person)
    return given


def _confirm_later(conn: Connection, person: Mapping[str, Any]) -> None:
    rows = [
        {
            "decided_at": person["created_at"],
            "decided_by": "restore",
            "verb": "confirm",
            "person_id": person["person_id"],
            "photo_sha256": sha256,
            **dict(zip(_BOX, box, strict=True)),
        }
        for sha256, *box, _ in person["faces"][:_ANCHORS]
    ]
    known = {_key(row) for row in conn.execute(select(decisions)).mappings()}
    fresh = [row for row in rows if _key(row) not in known]
    if fresh:
        conn.execute(insert(decisions), fresh)

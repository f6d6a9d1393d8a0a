"""What stands for ever once a person was forgotten: whatever was said about them goes, wherever it comes back from.

A tombstone keeps photo content and box, an entry of the ledger the id and the day; neither holds a name or a vector. A
backup or a file of labels from before holds all of it, and is forgotten again on its way in.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, insert, or_, select, update

from catalog.domain.face_key import FaceKey
from catalog.domain.faces import BoundingBox
from catalog.store import pending_removals
from catalog.store.tables import BOX_COLUMNS, assignments, decisions, faces, persons, photos, tombstones
from catalog.store.upsert import batches

FORGET = "forget"
"""The verb in the ledger."""


class Tombstones:
    """Faces that were forgotten."""

    def __init__(self, places: Iterable[FaceKey]) -> None:
        self._by_content: dict[str, list[FaceKey]] = {}
        for place in places:
            self._by_content.setdefault(place.sha256, []).append(place)

    def __len__(self) -> int:
        return len(self._by_content)

    @property
    def contents(self) -> list[str]:
        """SHA-256 of the photos that show one."""
        return sorted(self._by_content)

    def hold(self, place: FaceKey) -> bool:
        return any(place.same(grave) for grave in self._by_content.get(place.sha256, ()))


def read_tombstones(connection: Connection) -> Tombstones:
    """All tombstones."""
    return Tombstones(place_at(row) for row in connection.execute(select(tombstones)).mappings())


def place_at(row: Mapping[Any, Any]) -> FaceKey:
    """The face that a tombstone or a decision on one face is about."""
    return FaceKey(row["photo_sha256"], BoundingBox(*(row[edge] for edge in BOX_COLUMNS)))


def forgotten_ids(connection: Connection) -> set[str]:
    """Public ids of all who were forgotten here."""
    query = select(decisions.c.person_id).where(decisions.c.verb == FORGET, decisions.c.person_id.is_not(None))
    return set(connection.scalars(query))


def read_forgotten(connection: Connection) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The rows that outlive a restore, without their numbers: tombstones, and entries of the ledger."""
    stones = connection.execute(select(tombstones).order_by(tombstones.c.id)).mappings().all()
    entries = select(decisions).where(decisions.c.verb == FORGET).order_by(decisions.c.id)
    return _unnumbered(stones), _unnumbered(connection.execute(entries).mappings().all())


def apply_tombstones(
    connection: Connection, stones: Iterable[Mapping[str, Any]], entries: Iterable[Mapping[str, Any]], at: str
) -> int:
    """Add tombstones and entries that are not there yet, and take out what they stand against.

    Returns how many tombstones were new. Faces at tombstones go from all galleries' rows; the galleries are owed the
    removal.
    """
    known = {_stone_key(row) for row in connection.execute(select(tombstones)).mappings()}
    fresh = [dict(row) for row in stones if _stone_key(row) not in known]
    if fresh:
        connection.execute(insert(tombstones), fresh)
    told = {_entry_key(row) for row in connection.execute(select(decisions)).mappings()}
    late = [dict(row) for row in entries if _entry_key(row) not in told]
    if late:
        connection.execute(insert(decisions), late)
    graves = read_tombstones(connection)
    risen = faces_at_tombstones(connection, graves)
    drop_faces(connection, [row for row, _ in risen], [held for _, held in risen], at)
    gone = forgotten_ids(connection)
    rows = [
        row
        for some in batches(sorted(gone))
        for row in connection.scalars(select(persons.c.id).where(persons.c.person_id.in_(some)))
    ]
    public = erase_persons(connection, rows)
    if gone or graves:
        erase_decisions(connection, gone | public, graves)
    return len(fresh)


def faces_at_tombstones(
    connection: Connection, graves: Tombstones, *only: ColumnElement[bool]
) -> list[tuple[int, tuple[str, str, str]]]:
    """Row id, engine, gallery and face id of each face that lies at a tombstone, of some faces only if asked so."""
    risen: list[tuple[int, tuple[str, str, str]]] = []
    columns = (faces.c.id, faces.c.engine, faces.c.gallery, faces.c.face_id, photos.c.sha256)
    for some in batches(graves.contents):
        query = select(*columns, *(faces.c[edge] for edge in BOX_COLUMNS)).join_from(faces, photos)
        for row, engine, gallery, face_id, sha256, *box in connection.execute(
            query.where(photos.c.sha256.in_(some), *only)
        ):
            if graves.hold(FaceKey(sha256, BoundingBox(*box))):
                risen.append((row, (engine, gallery, face_id)))
    return risen


def drop_faces(connection: Connection, rows: Sequence[int], held: Sequence[tuple[str, str, str]], at: str) -> None:
    """Delete rows of faces, with all that hangs on them, and owe their galleries (engine, gallery, id) the removal."""
    pending_removals.add(connection, held, at)
    for batch in batches(rows):
        connection.execute(delete(faces).where(faces.c.id.in_(batch)))


def erase_persons(connection: Connection, rows: Sequence[int]) -> set[str]:
    """Delete persons and all who lead to them, by however many steps; returns the public ids of both."""
    found: dict[int, str] = {}
    wanted = persons.c.id
    step = list(rows)
    while step:
        there = [
            (row.id, row.person_id)
            for some in batches(step)
            for row in connection.execute(select(persons.c.id, persons.c.person_id).where(wanted.in_(some)))
        ]
        step = [row for row, _ in there if row not in found]
        found |= dict(there)
        wanted = persons.c.merged_into
    for batch in batches(sorted(found)):
        connection.execute(delete(assignments).where(assignments.c.person_id.in_(batch)))
        connection.execute(update(persons).where(persons.c.id.in_(batch)).values(merged_into=None))
    for batch in batches(sorted(found)):
        connection.execute(delete(persons).where(persons.c.id.in_(batch)))
    return set(found.values())


def erase_decisions(connection: Connection, public: set[str], graves: Tombstones) -> int:
    """Delete what was decided on persons or faces, and strike both out of what other decisions remember.

    That somebody was forgotten stays.
    """
    gone: set[int] = set()
    for people in batches(sorted(public)):
        about = or_(decisions.c.person_id.in_(people), decisions.c.other_person_id.in_(people))
        gone |= set(connection.scalars(select(decisions.c.id).where(decisions.c.verb != FORGET, about)))
    for some in batches(graves.contents):
        query = select(decisions).where(decisions.c.photo_sha256.in_(some), decisions.c.box_left.is_not(None))
        for said in connection.execute(query).mappings():
            if graves.hold(place_at(said)):
                gone.add(said["id"])
    for batch in batches(sorted(gone)):
        connection.execute(update(decisions).where(decisions.c.undone_by.in_(batch)).values(undone_by=None))
    for batch in batches(sorted(gone)):
        connection.execute(delete(decisions).where(decisions.c.id.in_(batch)))
    for row in connection.execute(select(decisions.c.id, decisions.c.details).where(decisions.c.details.is_not(None))):
        details = json.loads(row.details)
        if _strike(details, public, graves):
            connection.execute(update(decisions).where(decisions.c.id == row.id).values(details=json.dumps(details)))
    return len(gone)


def _strike(details: dict[str, Any], public: set[str], graves: Tombstones) -> bool:
    """Leave out of a decision's memory every mention of a person or of a face; whether there was any."""

    def buried(row: Sequence[Any]) -> bool:
        return graves.hold(FaceKey(row[0], BoundingBox(*row[1:5])))

    before = details.get("before", {})
    kept = {
        "persons": [row for row in before.get("persons", ()) if row["person_id"] not in public],
        "faces": [
            {**row, "person": None, "by": None} if row["person"] in public else row
            for row in before.get("faces", ())
            if not buried(row["place"])
        ],
    }
    lists: dict[str, Any] = {
        key: [row for row in details[key] if not buried(row)] for key in ("faces", "exemplars") if key in details
    }
    if "redirected" in details:
        ids = details["redirected"].items()
        lists["redirected"] = {gone: kept_id for gone, kept_id in ids if not {gone, kept_id} & public}
    struck = {**details, **lists, **({"before": kept} if before else {})}
    changed = struck != details
    details.update(struck)
    return changed


def _unnumbered(rows: Sequence[Mapping[Any, Any]]) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items() if name not in ("id", "undone_by")} for row in rows]


def _stone_key(row: Mapping[Any, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in ("photo_sha256", *BOX_COLUMNS))


def _entry_key(row: Mapping[Any, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in ("decided_at", "decided_by", "verb", "person_id"))

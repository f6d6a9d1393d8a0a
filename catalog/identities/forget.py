"""Forgetting a person: the one thing that cannot be taken back.

Faces, crops, matches, assignments and decisions go; a tombstone of photo content and box stays, with no name and no
vector, so that no scan, reconcile or new model enrolls the face again. The rows go in one transaction; the gallery lets
go afterwards, and what a kill leaves undone is owed in ``removals`` until the next scan.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, insert, or_, select, update

from catalog.engines.base import Engine
from catalog.identities.decisions import Stamp
from catalog.identities.ledger import append, place_of
from catalog.store.appearances import Appearance, Place, appearances_of
from catalog.store.database import Database
from catalog.store.people import PersonRow
from catalog.store.removal import owed_removals, settle_removals
from catalog.store.tables import assignments, decisions, faces, persons, photos, removals, tombstones, utc_text
from catalog.store.upsert import batches, insert_into
from catalog.vocabulary import BoundingBox


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was forgotten and what could not be reached from here.

    ``verified`` says that the gallery's own list, read afterwards, holds none of the faces. ``owed`` counts faces in
    other galleries, which their next scan removes. ``backups`` are copies of the database made before, which still
    hold the person.
    """

    person_id: str
    faces: int
    photos: int
    decisions: int
    removed: int
    verified: bool
    owed: int
    backups: tuple[Path, ...]


def forget_person(database: Database, engine: Engine, person: PersonRow, stamp: Stamp, *, gallery: str) -> Receipt:
    """Forget a person for ever. Raises what the engine raises; the rows are gone by then and the rest is owed."""
    with database.begin() as connection:
        shown = appearances_of(connection, person)
        erased = _erase(connection, person, shown, stamp)
    ours = [face.face_id for face in shown if (face.engine, face.gallery) == (engine.name, gallery)]
    removed = engine.remove(ours) if ours else set()
    still = {face.face_id for face in engine.enrolled()} & set(ours) if ours else set()
    with database.begin() as connection:
        settle_removals(connection, [each for each in ours if each not in still], engine.name, gallery)
    return Receipt(
        person_id=person.person_id,
        faces=len(shown),
        photos=len({face.sha256 for face in shown}),
        decisions=erased,
        removed=len(removed),
        verified=not still,
        owed=len(shown) - len(ours),
        backups=tuple(backups_of(database)),
    )


def backups_of(database: Database) -> list[Path]:
    """The automatic copies beside an SQLite catalogue."""
    path = database.path
    if path is None:
        return []
    return sorted(found for found in path.parent.iterdir() if found.name.startswith(f"{path.name}.backup-"))


def bury(connection: Connection, *, engine: str, gallery: str, now: str) -> list[str]:
    """Take faces at tombstones out of the rows, and return the ids that the gallery must let go of.

    For faces that a scan, another engine or a new model found again.
    """
    stones = [
        Place(row.photo_sha256, BoundingBox(row.box_left, row.box_top, row.box_width, row.box_height))
        for row in connection.execute(select(tombstones))
    ]
    by_content: dict[str, list[Place]] = {}
    for stone in stones:
        by_content.setdefault(stone.sha256, []).append(stone)
    risen: list[tuple[int, str]] = []
    for some in batches(sorted(by_content)):
        query = (
            select(
                faces.c.id,
                faces.c.face_id,
                photos.c.sha256,
                faces.c.box_left,
                faces.c.box_top,
                faces.c.box_width,
                faces.c.box_height,
            )
            .join_from(faces, photos)
            .where(faces.c.engine == engine, faces.c.gallery == gallery, photos.c.sha256.in_(some))
        )
        for row, face_id, sha256, *box in connection.execute(query):
            place = Place(sha256, BoundingBox(*box))
            if any(place.same(stone) for stone in by_content[sha256]):
                risen.append((row, face_id))
    _drop(connection, [row for row, _ in risen], [(engine, gallery, face_id) for _, face_id in risen], now)
    return owed_removals(connection, engine, gallery)


def _erase(connection: Connection, person: PersonRow, shown: Sequence[Appearance], stamp: Stamp) -> int:
    at = utc_text(stamp.now) or ""
    graves: list[Place] = []
    for face in shown:
        if not any(face.place.same(grave) for grave in graves):
            graves.append(face.place)
    if graves:
        rows = [
            {
                "photo_sha256": grave.sha256,
                "box_left": grave.box.left,
                "box_top": grave.box.top,
                "box_width": grave.box.width,
                "box_height": grave.box.height,
                "forgotten_at": at,
            }
            for grave in graves
        ]
        connection.execute(insert(tombstones), rows)
    _drop(
        connection,
        [face.row for face in shown],
        [(face.engine, face.gallery, face.face_id) for face in shown],
        at,
    )
    led = connection.execute(select(persons.c.id, persons.c.person_id).where(persons.c.merged_into == person.id)).all()
    public = {person.person_id, *(row.person_id for row in led)}
    erased = _erase_decisions(connection, public, graves)
    connection.execute(delete(assignments).where(assignments.c.person_id.in_([person.id, *(row.id for row in led)])))
    for row_id in [*(row.id for row in led), person.id]:
        connection.execute(delete(persons).where(persons.c.id == row_id))
    append(connection, "forget", who=stamp.who, now=stamp.now, person_id=person.person_id)
    return erased


def _drop(connection: Connection, rows: Sequence[int], held: Sequence[tuple[str, str, str]], at: str) -> None:
    """Delete rows of faces, with all that hangs on them, and owe their galleries the removal."""
    owed = [
        {"face_id": face_id, "engine": engine, "gallery": gallery, "wanted_at": at} for engine, gallery, face_id in held
    ]
    for some in batches(owed, 200):
        connection.execute(insert_into(connection, removals).on_conflict_do_nothing(), list(some))
    for batch in batches(rows):
        connection.execute(delete(faces).where(faces.c.id.in_(batch)))


def _erase_decisions(connection: Connection, public: set[str], graves: Sequence[Place]) -> int:
    """Delete what was decided on the person or its faces, and strike both out of what others remember."""
    about = select(decisions.c.id).where(
        or_(decisions.c.person_id.in_(public), decisions.c.other_person_id.in_(public))
    )
    gone = set(connection.scalars(about))
    for some in batches(sorted({grave.sha256 for grave in graves})):
        query = select(decisions).where(decisions.c.photo_sha256.in_(some))
        for row in connection.execute(query):
            place = Place(row.photo_sha256, BoundingBox(row.box_left, row.box_top, row.box_width, row.box_height))
            if any(place.same(grave) for grave in graves):
                gone.add(row.id)
    for batch in batches(sorted(gone)):
        connection.execute(update(decisions).where(decisions.c.undone_by.in_(batch)).values(undone_by=None))
        connection.execute(delete(decisions).where(decisions.c.id.in_(batch)))
    for row in connection.execute(select(decisions.c.id, decisions.c.details).where(decisions.c.details.is_not(None))):
        details = json.loads(row.details)
        if _strike(details, public, graves):
            connection.execute(update(decisions).where(decisions.c.id == row.id).values(details=json.dumps(details)))
    return len(gone)


def _strike(details: dict[str, Any], public: set[str], graves: Sequence[Place]) -> bool:
    """Leave out of a decision's memory every mention of a person or of a face; whether there was any."""

    def buried(row: Sequence[Any]) -> bool:
        place = place_of(row)
        return any(place.same(grave) for grave in graves)

    before = details.get("before", {})
    kept = {
        "persons": [row for row in before.get("persons", ()) if row["person_id"] not in public],
        "faces": [row for row in before.get("faces", ()) if row["person"] not in public and not buried(row["place"])],
    }
    lists: dict[str, Any] = {
        key: [row for row in details[key] if not buried(row)] for key in ("faces", "exemplars") if key in details
    }
    struck = {**details, **lists, **({"before": kept} if before else {})}
    changed = struck != details
    details.update(struck)
    return changed

"""Forgetting a person: the one thing that cannot be taken back.

Faces, crops, matches, assignments and decisions go; a tombstone of photo content and box stays, with no name and no
vector, so that no scan, reconcile or new model enrolls the face again. The rows go in one transaction; the gallery lets
go afterwards, and what a kill leaves undone is owed in ``removals`` until the next scan.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, insert

from catalog.domain.engine import Engine
from catalog.domain.errors import EngineError, PersonError
from catalog.domain.face_key import FaceKey
from catalog.domain.timestamps import utc_text
from catalog.identities.decisions.log import append
from catalog.identities.decisions.verbs import DecisionStamp
from catalog.store import pending_removals
from catalog.store.assignment_lock import assignment_lock, lock_persons
from catalog.store.catalogued_faces import CataloguedFace, faces_of_person
from catalog.store.database import Database
from catalog.store.people import find_person
from catalog.store.person_index import PersonRow
from catalog.store.tables import faces, tombstones
from catalog.store.tombstones import (
    FORGET,
    Tombstones,
    drop_faces,
    erase_decisions,
    erase_persons,
    faces_at_tombstones,
    read_tombstones,
)


@dataclass(frozen=True, slots=True)
class ForgetReceipt:
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


def forget_person(
    database: Database, engine: Engine, person: PersonRow, stamp: DecisionStamp, *, gallery: str
) -> ForgetReceipt:
    """Forget a person for ever, as soon as nobody works out who is who.

    Raises ``PersonError`` for a person who was merged into another, or forgotten, since it was
    read. Raises what the engine raises; the rows are gone by then and the rest is owed.
    """
    with assignment_lock(database), database.begin() as connection:
        lock_persons(connection)
        if find_person(connection, person.person_id).id != person.id:
            raise PersonError(f"{person} was merged into another person meanwhile.", remedy="Nothing was forgotten.")
        shown = faces_of_person(connection, person)
        erased, there = _erase(connection, person, shown, stamp)
    ours = [face.face_id for face in shown if (face.engine, face.gallery) == (engine.name, gallery)]
    try:
        removed = engine.remove(ours) if ours else set()
        still = {face.face_id for face in engine.enrolled()} & set(ours) if ours else set()
    except EngineError as error:
        told = f"{person.person_id} is forgotten here, but the gallery could not be reached. {error}"
        raise EngineError(told, remedy="The next scan with this engine takes the faces out of the gallery.") from error
    with database.begin() as connection:
        pending_removals.clear(connection, [each for each in ours if each not in still], engine.name, gallery)
    database.empty_log()
    return ForgetReceipt(
        person_id=person.person_id,
        faces=len(shown),
        photos=len({face.sha256 for face in shown}),
        decisions=erased,
        removed=len(removed),
        verified=not still,
        owed=there - len(ours),
        backups=tuple(backups_of(database)),
    )


def backups_of(database: Database) -> list[Path]:
    """The automatic copies beside an SQLite catalogue."""
    path = database.path
    if path is None:
        return []
    return sorted(found for found in path.parent.iterdir() if found.name.startswith(f"{path.name}.backup-"))


def purge_tombstoned_faces(connection: Connection, *, engine: str, gallery: str, now: str) -> list[str]:
    """Take faces at tombstones out of the rows, and return the ids that the gallery must let go of.

    For faces that a scan, another engine or a new model found again.
    """
    here = (faces.c.engine == engine, faces.c.gallery == gallery)
    risen = faces_at_tombstones(connection, read_tombstones(connection), *here)
    drop_faces(connection, [row for row, _ in risen], [held for _, held in risen], now)
    return pending_removals.read(connection, engine, gallery)


def _erase(
    connection: Connection, person: PersonRow, shown: Sequence[CataloguedFace], stamp: DecisionStamp
) -> tuple[int, int]:
    """Entries of the ledger erased, and faces dropped."""
    at = utc_text(stamp.now) or ""
    graves: list[FaceKey] = []
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
    # Also faces that another gallery enrolled and nobody has settled yet.
    there = faces_at_tombstones(connection, Tombstones(graves))
    drop_faces(connection, [row for row, _ in there], [held for _, held in there], at)
    public = erase_persons(connection, [person.id])
    erased = erase_decisions(connection, public, Tombstones(graves))
    append(connection, FORGET, who=stamp.who, now=stamp.now, person_id=person.person_id)
    return erased, len(there)

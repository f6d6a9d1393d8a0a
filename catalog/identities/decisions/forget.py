"""Forget a person: the one decision that cannot be undone.

Faces, crops, matches, assignments and decisions are deleted. Tombstones stay, without name or vector, so that no scan,
reconcile or new model enrolls the faces again. The rows are deleted in one transaction. The gallery deletes its faces
afterwards: until then they are pending removals, which survive a kill.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from catalog.domain.decisions import Verb
from catalog.domain.engine import Engine
from catalog.domain.errors import EngineError, PersonError
from catalog.domain.face_key import FaceKey
from catalog.domain.timestamps import utc_text
from catalog.identities.decisions.log import DecisionStamp, append
from catalog.store import pending_removals
from catalog.store.assignment_lock import assignment_lock, lock_persons
from catalog.store.catalogued_faces import CataloguedFace, faces_of_person
from catalog.store.database import Database
from catalog.store.decision_rows import forgotten_ids
from catalog.store.named_appearances import appearances_of
from catalog.store.people import find_person
from catalog.store.person_index import PersonRow
from catalog.store.temporary_files import leftovers, sweep
from catalog.store.tombstones import (
    Tombstone,
    TombstoneIndex,
    add_tombstones,
    drop_faces,
    erase_decisions,
    erase_persons,
    faces_at_tombstones,
    tombstone_index,
)


@dataclass(frozen=True, slots=True)
class ForgetReceipt:
    """Counts of the deleted rows and faces, and the copies that this command cannot reach.

    ``removed`` faces were deleted from the gallery. ``verified`` is True if the gallery's own list, read afterwards,
    has none of the faces. ``owed`` faces are in other galleries; the next scan with their engine deletes them.
    ``backups`` are copies of the database that still hold the person. ``watch_references`` and ``employee_references``
    were deleted because they show the person. ``unchecked_references`` were not compared, because the engine charges
    comparisons. ``files`` are sidecars and photos that still name one of the faces.
    """

    person_id: str
    faces: int
    photos: int
    decisions: int
    removed: int
    verified: bool
    owed: int
    backups: tuple[Path, ...]
    watch_references: int = 0
    employee_references: int = 0
    unchecked_references: int = 0
    files: tuple[str, ...] = ()


def forget_person(
    database: Database, engine: Engine, person: PersonRow, stamp: DecisionStamp, *, gallery: str
) -> ForgetReceipt:
    """Forget a person for good. Waits for the assignment lock.

    Raises ``PersonError`` if the person was merged or forgotten since it was read. Raises ``EngineError`` if the
    gallery fails: the rows are deleted then, and the faces are pending removals.
    """
    with assignment_lock(database), database.begin() as connection:
        lock_persons(connection)
        if find_person(connection, person.person_id).id != person.id:
            raise PersonError(f"{person} was merged into another person meanwhile.", remedy="Nothing was forgotten.")
        faces = faces_of_person(connection, person)
        decision_count, dropped_count = _erase(connection, person, faces, stamp)
    in_gallery = [face.face_id for face in faces if (face.engine, face.gallery) == (engine.name, gallery)]
    try:
        removed = engine.remove(in_gallery) if in_gallery else set()
        still_there = {face.face_id for face in engine.enrolled()} & set(in_gallery) if in_gallery else set()
    except EngineError as error:
        raise EngineError(
            f"{person.person_id} is forgotten in the catalogue, but the gallery failed. {error}",
            remedy="Run the same command again, or scan with this engine: both delete the faces from the gallery.",
        ) from error
    with database.begin() as connection:
        deleted = [face_id for face_id in in_gallery if face_id not in still_there]
        pending_removals.clear(connection, deleted, engine.name, gallery)
    database.empty_log()
    return ForgetReceipt(
        person_id=person.person_id,
        faces=len(faces),
        photos=len({face.sha256 for face in faces}),
        decisions=decision_count,
        removed=len(removed),
        verified=not still_there,
        owed=dropped_count - len(in_gallery),
        backups=tuple(backups_of(database)),
    )


def finish_forgetting(database: Database, engine: Engine, wanted: str, *, gallery: str) -> ForgetReceipt | None:
    """Delete the pending removals of the gallery: what a killed :func:`forget_person` did not do.

    The rows of the person are gone then, its name included, so that ``wanted`` can no longer be compared. Returns None
    if nothing is pending, or if no person was ever forgotten. Raises what the engine raises.
    """
    with assignment_lock(database):
        with database.read() as connection:
            pending = set(pending_removals.read(connection, engine.name, gallery, limit=None))
            if not pending or not forgotten_ids(connection):
                return None
        removed = pending_removals.drain(database, engine.remove, engine.name, gallery)
        still_there = {face.face_id for face in engine.enrolled()} & pending
    database.empty_log()
    with database.read() as connection:
        owed = pending_removals.count(connection)
    return ForgetReceipt(
        person_id=wanted,
        faces=len(pending),
        photos=0,
        decisions=0,
        removed=removed,
        verified=not still_there,
        owed=owed,
        backups=tuple(backups_of(database)),
    )


def backups_of(database: Database) -> list[Path]:
    """Return the automatic copies beside an SQLite catalogue, and temporary files that another process still writes.

    Temporary files of killed processes are deleted first.
    """
    path = database.path
    if path is None:
        return []
    sweep(path.parent)
    copies = [file for file in path.parent.iterdir() if file.name.startswith(f"{path.name}.backup-")]
    return sorted([*copies, *leftovers(path.parent)])


def purge_tombstoned_faces(connection: Connection, *, engine: str, gallery: str, now: str) -> list[str]:
    """Delete faces of a gallery that match a tombstone. Returns face ids that the gallery must still delete.

    A scan, another engine or a new model enrolls such faces again.
    """
    matching = faces_at_tombstones(connection, tombstone_index(connection), engine=engine, gallery=gallery)
    drop_faces(connection, matching, now)
    return pending_removals.read(connection, engine, gallery)


def _erase(
    connection: Connection, person: PersonRow, faces: Sequence[CataloguedFace], stamp: DecisionStamp
) -> tuple[int, int]:
    """Delete the rows and write tombstones. Returns how many decisions and how many faces were deleted."""
    now = utc_text(stamp.now) or ""
    keys: list[FaceKey] = []
    for face in faces:
        if not any(face.place.same(key) for key in keys):
            keys.append(face.place)
    # A place at which a file states the person, and no face was detected: an import does not bring it back.
    stated = [key for key in appearances_of(connection, person.id) if not _shows_a_face(connection, key)]
    keys += [key for key in dict.fromkeys(stated) if key not in keys]
    add_tombstones(connection, [Tombstone(key, now) for key in keys])
    index = TombstoneIndex(keys)
    # Also faces that another gallery enrolled and that are not assigned yet.
    dropped = faces_at_tombstones(connection, index)
    drop_faces(connection, dropped, now)
    public_ids = erase_persons(connection, [person.id])
    # First: SQLite would give it the number of a deleted decision, and a number must mean one decision for ever.
    append(connection, Verb.FORGET, stamp, person_id=person.person_id)
    decision_count = erase_decisions(connection, public_ids, index)
    return decision_count, len(dropped)


def _shows_a_face(connection: Connection, key: FaceKey) -> bool:
    return bool(faces_at_tombstones(connection, TombstoneIndex([key])))

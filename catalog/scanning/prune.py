"""Remove photos that have been missing for longer than the grace period.

Their rows are deleted, and their faces are deleted from the gallery. Decisions and charges stay.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from catalog.domain.engine import Engine
from catalog.store import pending_removals
from catalog.store.database import Database
from catalog.store.photo_removal import (
    count_missing,
    missing_since,
    photos_without_location,
    remove_locations,
    remove_photos,
)
from catalog.store.source_locks import CATALOGUE, lock_sources


@dataclass(frozen=True, slots=True)
class PruneResult:
    """Numbers of removed locations, of photos without any location left, and of faces deleted from the gallery."""

    places: int
    photos: int
    faces: int


def plan_prune(database: Database, before: datetime) -> PruneResult:
    """Count what :func:`prune` would remove. Its faces are not counted."""
    with database.read() as connection:
        location_count, photo_count = count_missing(connection, before)
    return PruneResult(location_count, photo_count, 0)


def prune(
    database: Database,
    engine_of: Callable[[], Engine],
    *,
    name: str,
    gallery: str,
    before: datetime,
    now: datetime,
    wait_seconds: float = 0,
) -> PruneResult:
    """Remove locations that are missing since a time before ``before``, and photos that have no other location.

    ``engine_of`` opens the engine called ``name``. It is called only if faces must be deleted.
    """

    def remove(face_ids: Sequence[str]) -> set[str]:
        return engine_of().remove(face_ids)

    location_count = photo_count = face_count = 0
    with lock_sources(database, [CATALOGUE], wait_seconds=wait_seconds):
        while True:
            with database.begin() as connection:
                location_ids = missing_since(connection, before)
                photo_ids = (
                    remove_locations(connection, location_ids) if location_ids else photos_without_location(connection)
                )
                if not photo_ids and not location_ids:
                    break
                remove_photos(connection, photo_ids, engine=name, gallery=gallery, now=now)
            location_count += len(location_ids)
            photo_count += len(photo_ids)
            face_count += pending_removals.drain(database, remove, name, gallery)
        face_count += pending_removals.drain(database, remove, name, gallery)
    return PruneResult(location_count, photo_count, face_count)

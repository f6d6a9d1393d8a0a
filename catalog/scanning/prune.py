"""Letting go of photos that have been missing for longer than the grace period.

Their rows and their faces in the gallery go; what humans decided and what was paid stays in the books.
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
    """Places, photos without any place left, and faces that the gallery let go of."""

    places: int
    photos: int
    faces: int


def plan_prune(database: Database, before: datetime) -> PruneResult:
    """What :func:`prune` would take out; its faces are not counted."""
    with database.read() as connection:
        places, photos = count_missing(connection, before)
    return PruneResult(places, photos, 0)


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
    """Take out every place that was missed before a moment, and photos with it that have no other place.

    ``engine_of`` opens the engine called ``name``; it is asked only when there are faces to remove.
    """

    def remove(face_ids: Sequence[str]) -> set[str]:
        return engine_of().remove(face_ids)

    places = photos = faces = 0
    with lock_sources(database, [CATALOGUE], wait_seconds=wait_seconds):
        while True:
            with database.begin() as connection:
                gone = missing_since(connection, before)
                orphans = remove_locations(connection, gone) if gone else photos_without_location(connection)
                if not orphans and not gone:
                    break
                remove_photos(connection, orphans, engine=name, gallery=gallery, now=now)
            places += len(gone)
            photos += len(orphans)
            faces += pending_removals.drain(database, remove, name, gallery)
        faces += pending_removals.drain(database, remove, name, gallery)
    return PruneResult(places, photos, faces)

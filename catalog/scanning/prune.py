"""Letting go of photos that have been missing for longer than the grace period.

Their rows and their faces in the gallery go; what humans decided and what was paid stays in the books.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from catalog.domain.engine import Engine
from catalog.store.database import Database
from catalog.store.photo_removal import (
    clear_pending_removals,
    count_missing,
    missing_since,
    pending_removals,
    photos_without_location,
    remove_photos,
    remove_places,
)
from catalog.store.source_locks import CATALOGUE, hold


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
    places = photos = faces = 0
    with hold(database, [CATALOGUE], wait_seconds=wait_seconds):
        while True:
            with database.begin() as connection:
                gone = missing_since(connection, before)
                orphans = remove_places(connection, gone) if gone else photos_without_location(connection)
                if not orphans and not gone:
                    break
                remove_photos(connection, orphans, engine=name, gallery=gallery, now=now)
            places += len(gone)
            photos += len(orphans)
            faces += drain_pending_removals(database, engine_of, name=name, gallery=gallery)
        faces += drain_pending_removals(database, engine_of, name=name, gallery=gallery)
    return PruneResult(places, photos, faces)


def drain_pending_removals(database: Database, engine_of: Callable[[], Engine], *, name: str, gallery: str) -> int:
    """Have the gallery let go of every face whose rows are gone; returns how many it still held."""
    removed = 0
    while True:
        with database.read() as connection:
            owed = pending_removals(connection, name, gallery)
        if not owed:
            return removed
        removed += len(engine_of().remove(owed))
        with database.begin() as connection:
            clear_pending_removals(connection, owed, name, gallery)

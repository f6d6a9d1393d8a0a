"""Letting go of photos that have been missing for longer than the grace period.

Their rows and their faces in the gallery go; what humans decided and what was paid stays in the books.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from catalog.engines.base import Engine
from catalog.store.database import Database
from catalog.store.locks import CATALOGUE, hold
from catalog.store.removal import (
    count_missing,
    missing_since,
    owed_removals,
    placeless,
    remove_photos,
    remove_places,
    settle_removals,
)


@dataclass(frozen=True, slots=True)
class Pruned:
    """Places, photos without any place left, and faces that the gallery let go of."""

    places: int
    photos: int
    faces: int


def plan_prune(database: Database, before: datetime) -> Pruned:
    """What :func:`prune` would take out; its faces are not counted."""
    with database.read() as connection:
        places, photos = count_missing(connection, before)
    return Pruned(places, photos, 0)


def prune(
    database: Database,
    engine_of: Callable[[], Engine],
    *,
    name: str,
    gallery: str,
    before: datetime,
    now: datetime,
    wait_seconds: float = 0,
) -> Pruned:
    """Take out every place that was missed before a moment, and photos with it that have no other place.

    ``engine_of`` opens the engine called ``name``; it is asked only when there are faces to remove.
    """
    places = photos = faces = 0
    with hold(database, [CATALOGUE], wait_seconds=wait_seconds):
        while True:
            with database.begin() as connection:
                gone = missing_since(connection, before)
                orphans = remove_places(connection, gone) if gone else placeless(connection)
                if not orphans and not gone:
                    break
                remove_photos(connection, orphans, engine=name, gallery=gallery, now=now)
            places += len(gone)
            photos += len(orphans)
            faces += pay_removals(database, engine_of, name=name, gallery=gallery)
        faces += pay_removals(database, engine_of, name=name, gallery=gallery)
    return Pruned(places, photos, faces)


def pay_removals(database: Database, engine_of: Callable[[], Engine], *, name: str, gallery: str) -> int:
    """Have the gallery let go of every face whose rows are gone; returns how many it still held."""
    removed = 0
    while True:
        with database.read() as connection:
            owed = owed_removals(connection, name, gallery)
        if not owed:
            return removed
        removed += len(engine_of().remove(owed))
        with database.begin() as connection:
            settle_removals(connection, owed, name, gallery)

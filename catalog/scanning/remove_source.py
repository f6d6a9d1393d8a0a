"""Remove a source that was scanned by mistake: its locations, photos found nowhere else, and their faces.

Names, decisions and charges stay. A photo that is scanned again is enrolled, and charged, again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from catalog.domain.engine import Engine
from catalog.domain.errors import UsageError
from catalog.domain.uri import display
from catalog.scanning.prune import PruneResult
from catalog.store import pending_removals
from catalog.store.database import Database
from catalog.store.photo_removal import remove_locations, remove_photos
from catalog.store.source_locks import CATALOGUE, lock_sources
from catalog.store.source_rows import count_source, delete_source, locations_of_source, scanned_sources


def plan_source_removal(database: Database, uri: str) -> PruneResult:
    """Count what :func:`remove_source` would remove. Its faces are not counted. Raises UsageError."""
    with database.read() as connection:
        inner = _sources_inside(scanned_sources(connection), uri)
        location_count, photo_count = count_source(connection, uri, inner)
    return PruneResult(location_count, photo_count, 0)


def remove_source(
    database: Database, engine_of: Callable[[], Engine], uri: str, *, name: str, gallery: str, now: datetime
) -> PruneResult:
    """Remove a source. Locations that belong to another source inside it stay.

    ``engine_of`` opens the engine called ``name``. It is called only if faces must be deleted. Raises UsageError for a
    source that was never scanned, or that lies inside another one, and LockHeld while a scan is running.
    """

    def remove(face_ids: Sequence[str]) -> set[str]:
        return engine_of().remove(face_ids)

    location_count = photo_count = face_count = 0
    with lock_sources(database, [CATALOGUE]):
        with database.read() as connection:
            inner = _sources_inside(scanned_sources(connection), uri)
        while True:
            with database.begin() as connection:
                location_ids = locations_of_source(connection, uri, inner)
                if not location_ids:
                    delete_source(connection, uri)
                    break
                photo_ids = remove_locations(connection, location_ids)
                remove_photos(connection, photo_ids, engine=name, gallery=gallery, now=now)
            location_count += len(location_ids)
            photo_count += len(photo_ids)
        face_count += pending_removals.drain(database, remove, name, gallery)
    return PruneResult(location_count, photo_count, face_count)


def _sources_inside(scanned: Sequence[str], uri: str) -> list[str]:
    """The scanned sources that lie inside this one."""
    if uri not in scanned:
        raise UsageError(
            f'The source "{display(uri)}" was never scanned.', remedy="`catalog sources` lists the scanned sources."
        )
    for outer in scanned:
        if outer != uri and outer.endswith("/") and uri.startswith(outer):
            raise UsageError(
                f'The source "{display(uri)}" lies inside the source "{display(outer)}", whose scans find it again.',
                remedy="Leave it out with --exclude, or remove the outer source.",
            )
    return [inner for inner in scanned if inner != uri and uri.endswith("/") and inner.startswith(uri)]

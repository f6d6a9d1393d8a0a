"""Sources that were scanned: what the catalogue holds of each, and their removal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, delete, func, not_, or_, select

from catalog.domain.timestamps import utc_time
from catalog.store.photos import below
from catalog.store.tables import locations, photos, scan_sources


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A source with its present photos. ``size`` is the sum of their files in bytes.

    ``last_scan`` is the end of the last scan that listed the source to its end, None if none did.
    """

    uri: str
    photos: int
    locations: int
    size: int
    last_scan: datetime | None


def scanned_sources(conn: Connection) -> list[str]:
    """Addresses of all sources that were scanned, in ascending order."""
    query = select(scan_sources.c.source_uri).distinct().order_by(scan_sources.c.source_uri)
    return list(conn.scalars(query))


def read_sources(conn: Connection) -> list[SourceRow]:
    """All sources that were scanned, by address. A source inside another one is counted in both."""
    rows = []
    for uri in scanned_sources(conn):
        present = and_(below(uri), locations.c.missing_since.is_(None))
        photo_count, location_count, size = conn.execute(
            select(
                func.count(locations.c.photo_id.distinct()),
                func.count(),
                func.coalesce(func.sum(locations.c.size), 0),
            ).where(present)
        ).one()
        completed = select(func.max(scan_sources.c.completed_at)).where(scan_sources.c.source_uri == uri)
        last_scan = utc_time(conn.scalar(completed))
        rows.append(SourceRow(uri, int(photo_count), int(location_count), int(size), last_scan))
    return rows


def locations_of_source(conn: Connection, uri: str, other_uris: Sequence[str], limit: int = 500) -> list[int]:
    """Row ids of at most ``limit`` locations of a source that belong to none of the other sources."""
    condition = below(uri)
    if other_uris:
        condition = and_(condition, not_(or_(*(below(other_uri) for other_uri in other_uris))))
    return list(conn.scalars(select(locations.c.id).where(condition).order_by(locations.c.id).limit(limit)))


def count_source(conn: Connection, uri: str, other_uris: Sequence[str]) -> tuple[int, int]:
    """Number of locations that the removal of a source would delete, and of photos that have no other location."""
    condition = below(uri)
    if other_uris:
        condition = and_(condition, not_(or_(*(below(other_uri) for other_uri in other_uris))))
    chosen = select(locations.c.id).where(condition)
    location_count = conn.scalar(select(func.count()).select_from(locations).where(condition)) or 0
    remaining_photos = select(locations.c.photo_id).where(locations.c.id.not_in(chosen))
    photo_count = conn.scalar(
        select(func.count())
        .select_from(photos)
        .where(photos.c.id.in_(select(locations.c.photo_id).where(condition)), photos.c.id.not_in(remaining_photos))
    )
    return int(location_count), int(photo_count or 0)


def delete_source(conn: Connection, uri: str) -> None:
    """Delete the source from the records of past scans, whose counts stay."""
    conn.execute(delete(scan_sources).where(scan_sources.c.source_uri == uri))

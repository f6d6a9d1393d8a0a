"""Deletion of photos that have no location left, and of locations that were missing for long.

Rows are deleted in the caller's transaction. The faces of the deleted photos become pending removals of their
galleries; see :mod:`catalog.store.pending_removals`. Decisions and charges stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, exists, func, or_, select

from catalog.domain.timestamps import utc_text
from catalog.store import pending_removals
from catalog.store.tables import faces, locations, photos
from catalog.store.upsert import batches


def release_photos(
    conn: Connection, photo_ids: Sequence[int], *, engine: str, gallery: str, now: datetime
) -> list[str]:
    """Delete those of these photos that have no present location.

    Returns the face ids that this gallery must still delete. The removals of all galleries are pending.
    """
    face_ids: list[str] = []
    for batch in batches(sorted(set(photo_ids))):
        # Rows are locked before their locations are read, so that no other scan adds a location in between.
        query = select(photos.c.id).where(photos.c.id.in_(batch)).order_by(photos.c.id).with_for_update()
        candidates = set(conn.scalars(query))
        present = select(locations.c.photo_id).where(
            locations.c.photo_id.in_(candidates), locations.c.missing_since.is_(None)
        )
        candidates -= set(conn.scalars(present))
        face_ids += _delete_photos(conn, sorted(candidates), engine, gallery, now)
    return face_ids


def remove_photos(conn: Connection, photo_ids: Sequence[int], *, engine: str, gallery: str, now: datetime) -> list[str]:
    """Delete photos and their faces. Returns the face ids that this gallery must still delete."""
    return [face_id for batch in batches(photo_ids) for face_id in _delete_photos(conn, batch, engine, gallery, now)]


def missing_since(conn: Connection, before: datetime, limit: int = 500) -> list[int]:
    """Row ids of locations that are missing since a time before ``before``, the oldest first."""
    query = select(locations.c.id).where(locations.c.missing_since < utc_text(before))
    return list(conn.scalars(query.order_by(locations.c.missing_since, locations.c.id).limit(limit)))


def count_missing(conn: Connection, before: datetime) -> tuple[int, int]:
    """Count locations missing since before ``before``, and photos that would have no location without them."""
    is_old = locations.c.missing_since < utc_text(before)
    location_count = conn.scalar(select(func.count()).select_from(locations).where(is_old)) or 0
    other_locations = locations.alias()
    is_kept = exists().where(
        other_locations.c.photo_id == locations.c.photo_id,
        or_(other_locations.c.missing_since.is_(None), other_locations.c.missing_since >= utc_text(before)),
    )
    photo_count = conn.scalar(select(func.count(locations.c.photo_id.distinct())).where(is_old, ~is_kept)) or 0
    return int(location_count), int(photo_count)


def remove_locations(conn: Connection, location_ids: Sequence[int]) -> list[int]:
    """Delete locations. Returns the row ids of the photos that have none left, in ascending order."""
    photo_ids = set(conn.scalars(select(locations.c.photo_id).where(locations.c.id.in_(location_ids))))
    conn.execute(delete(locations).where(locations.c.id.in_(location_ids)))
    remaining = set(conn.scalars(select(locations.c.photo_id).where(locations.c.photo_id.in_(photo_ids))))
    return sorted(photo_ids - remaining)


def photos_without_location(conn: Connection, limit: int = 500) -> list[int]:
    """Row ids of photos without any location, in ascending order.

    They occur when two scans change the last two locations of one photo at the same time.
    """
    has_location = exists().where(locations.c.photo_id == photos.c.id)
    return list(conn.scalars(select(photos.c.id).where(~has_location).order_by(photos.c.id).limit(limit)))


def _delete_photos(conn: Connection, photo_ids: Sequence[int], engine: str, gallery: str, now: datetime) -> list[str]:
    query = select(faces.c.engine, faces.c.gallery, faces.c.face_id).where(faces.c.photo_id.in_(photo_ids))
    deleted = [(row[0], row[1], row[2]) for row in conn.execute(query)]
    pending_removals.add(conn, deleted, now)
    conn.execute(delete(photos).where(photos.c.id.in_(photo_ids)))
    return [face_id for *owner, face_id in deleted if owner == [engine, gallery]]

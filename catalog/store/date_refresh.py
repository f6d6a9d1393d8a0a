"""Photos whose dates may be read from their files again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import Connection, func, or_, select

from catalog.domain.taken_at import DateSource
from catalog.store.photos import Location, below, locations_of_photos
from catalog.store.tables import locations, photos

_DECIDED = (DateSource.USER.value, DateSource.ESTIMATE.value)


def photos_to_refresh(connection: Connection, source_uri: str, after: int, limit: int) -> list[int]:
    """Row ids above ``after``, ascending, of photos with a present location in a source and no date of a user."""
    present = select(locations.c.photo_id).where(below(source_uri), locations.c.missing_since.is_(None))
    is_open = or_(photos.c.taken_at_source.is_(None), photos.c.taken_at_source.not_in(_DECIDED))
    query = select(photos.c.id).where(photos.c.id > after, photos.c.id.in_(present), is_open)
    return list(connection.scalars(query.where(photos.c.left_out_by.is_(None)).order_by(photos.c.id).limit(limit)))


def count_decided(connection: Connection, source_uri: str) -> int:
    """Number of photos with a present location in a source whose dates users decided."""
    present = select(locations.c.photo_id).where(below(source_uri), locations.c.missing_since.is_(None))
    query = select(func.count()).select_from(photos)
    return int(connection.scalar(query.where(photos.c.id.in_(present), photos.c.taken_at_source.in_(_DECIDED))) or 0)


def present_locations(connection: Connection, photo_ids: Collection[int]) -> dict[int, list[Location]]:
    """The present locations of photos, in the order in which they were recorded."""
    by_photo: dict[int, list[Location]] = defaultdict(list)
    for location in locations_of_photos(connection, photo_ids):
        if location.missing_since is None:
            by_photo[location.photo_id].append(location)
    return by_photo

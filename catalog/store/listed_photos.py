"""Recorded locations of a part of a listing, with the gallery that holds their photos.

Optimized: a nightly scan compares every photo. Rows stay the driver's own tuples while they are as listed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, Integer, and_, bindparam

from catalog.domain.photos import PhotoRef
from catalog.store.photos import LOCATIONS, Location, enrolled_photos, locations_by_uri
from catalog.store.tables import enrollments, locations

_LISTED, _FIELDS = len(PhotoRef._fields), len(Location._fields)
_PHOTO_ID, _MISSING_SINCE, _LOCATION_ID = map(Location._fields.index, ("photo_id", "missing_since", "location_id"))

_RANGE = (
    LOCATIONS.add_columns(enrollments.c.model)
    .outerjoin(
        enrollments,
        and_(
            enrollments.c.photo_id == locations.c.photo_id,
            enrollments.c.engine == bindparam("engine"),
            enrollments.c.gallery == bindparam("gallery"),
        ),
    )
    .where(locations.c.uri >= bindparam("first"), locations.c.uri <= bindparam("last"))
    .order_by(locations.c.uri)
    .limit(bindparam("most", type_=Integer))
)


class RecordedLocations(Collection[Location]):
    """The recorded locations of a part of a listing. Missing ones are included.

    ``rows`` have the fields of :class:`Location`, and the model that enrolled the photo or None. Iteration yields the
    locations.
    """

    def __init__(self, rows: Sequence[tuple[Any, ...]]) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Location]:
        for row in self._rows:
            yield Location._make(row[:_FIELDS])

    def __contains__(self, location: object) -> bool:
        return any(location == recorded for recorded in self)

    def unchanged(self, listed: Sequence[object]) -> RecordedLocations | None:
        """The present locations, if they are exactly the listed photos, in their order, and all are in the gallery."""
        present = [row for row in self._rows if row[_MISSING_SINCE] is None]
        if [row[:_LISTED] for row in present] != listed or any(row[_FIELDS] is None for row in present):
            return None
        return RecordedLocations(present)

    @property
    def ids(self) -> list[int]:
        """Row ids of the locations."""
        return [row[_LOCATION_ID] for row in self._rows]

    @property
    def by_uri(self) -> dict[str, Location]:
        return {location.uri: location for location in self}

    @property
    def unenrolled(self) -> set[int]:
        """Row ids of photos that are not in the gallery."""
        return {row[_PHOTO_ID] for row in self._rows if row[_FIELDS] is None}


def look_up_locations(conn: Connection, uris: Sequence[str], engine: str, gallery: str) -> RecordedLocations:
    """Return the recorded locations of a part of a listing. Ascending uris are read as one range of the index.

    A range may hold further locations, which the listing did not show.
    """
    if len(uris) > 1 and all(first < second for first, second in pairwise(uris)):
        changes_limit = 2 * len(uris) + 100
        keys = {"first": uris[0], "last": uris[-1], "engine": engine, "gallery": gallery, "most": changes_limit}
        rows = conn.execute(_RANGE, keys).cursor.fetchall()
        # More rows than that: many files of the folder are missing, and the range would be too large.
        if len(rows) < changes_limit:
            return RecordedLocations(rows)
    recorded = locations_by_uri(conn, uris).values()
    enrolled = enrolled_photos(conn, {location.photo_id for location in recorded}, engine, gallery)
    return RecordedLocations([(*location, "" if location.photo_id in enrolled else None) for location in recorded])

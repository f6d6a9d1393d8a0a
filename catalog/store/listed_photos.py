"""Recorded locations of a part of a listing, with the gallery that holds their photos.

Optimized: a nightly scan compares every photo. Rows stay the driver's own tuples while they are as listed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Sized
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeVar

from sqlalchemy import Connection, Integer, Select, and_, bindparam, select

from catalog.domain.photos import PhotoRef
from catalog.store.photos import LOCATIONS, Location, enrolled_photos, locations_by_uri
from catalog.store.tables import enrollments, locations
from catalog.store.without_index import without_index

_LISTED, _FIELDS = len(PhotoRef._fields), len(Location._fields)
_S = TypeVar("_S", bound=Select[Any])
_ENROLLMENT = and_(
    enrollments.c.photo_id == locations.c.photo_id,
    enrollments.c.engine == bindparam("engine"),
    enrollments.c.gallery == bindparam("gallery"),
)


def _in_range(statement: _S) -> _S:
    return (
        statement.where(locations.c.uri >= bindparam("first"), locations.c.uri <= bindparam("last"))
        .order_by(locations.c.uri)
        .limit(bindparam("most", type_=Integer))
    )


_UNCHANGED = _in_range(
    select(
        *(locations.c[field] for field in PhotoRef._fields),
        locations.c.id,
        locations.c.photo_id,
    )
    .join(enrollments, _ENROLLMENT)
    .where(without_index(locations.c.missing_since).is_(None))
)
_RECORDED = _in_range(LOCATIONS.add_columns(enrollments.c.model).outerjoin(enrollments, _ENROLLMENT))


class UnchangedLocations(Sized):
    """Present locations that are as listed. ``rows``: the fields of ``PhotoRef``, the row id, the photo's row id."""

    def __init__(self, rows: Sequence[tuple[Any, ...]]) -> None:
        self._rows = rows

    @classmethod
    def of(cls, recorded: Iterable[Location]) -> UnchangedLocations:
        return cls([(*location.ref, location.location_id, location.photo_id) for location in recorded])

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def uris(self) -> list[str]:
        return [row[0] for row in self._rows]

    @property
    def ids(self) -> list[int]:
        """Row ids of the locations."""
        return [row[_LISTED] for row in self._rows]

    @property
    def photo_ids(self) -> list[int]:
        """Row ids of the photos, one for each location."""
        return [row[_LISTED + 1] for row in self._rows]


@dataclass(frozen=True, slots=True)
class RecordedLocations:
    """Locations by uri, missing ones included, and row ids of their photos that are not in the gallery."""

    by_uri: dict[str, Location]
    unenrolled: set[int]


def unchanged_locations(
    conn: Connection, listed: Sequence[object], engine: str, gallery: str
) -> UnchangedLocations | None:
    """Return the present locations if they are exactly the listed photos, in their order, and all are in the gallery.

    ``listed`` are entries of a listing. None if one of them is no photo.
    """
    first, last = listed[0], listed[-1]
    if not isinstance(first, PhotoRef) or not isinstance(last, PhotoRef):
        return None
    keys = {"first": first.uri, "last": last.uri, "engine": engine, "gallery": gallery, "most": len(listed) + 1}
    rows = conn.execute(_UNCHANGED, keys).cursor.fetchall()
    if [row[:_LISTED] for row in rows] != listed:
        return None
    return UnchangedLocations(rows)


def look_up_locations(conn: Connection, uris: Sequence[str], engine: str, gallery: str) -> RecordedLocations:
    """Return the recorded locations of a part of a listing. Ascending uris are read as one range of the index.

    A range may hold further locations, which the listing did not show.
    """
    if len(uris) > 1 and all(first < second for first, second in pairwise(uris)):
        changes_limit = 2 * len(uris) + 100
        keys = {"first": uris[0], "last": uris[-1], "engine": engine, "gallery": gallery, "most": changes_limit}
        rows = conn.execute(_RECORDED, keys).cursor.fetchall()
        # More rows than that: many files of the folder are missing, and the range would be too large.
        if len(rows) < changes_limit:
            by_uri = {row[0]: Location._make(row[:_FIELDS]) for row in rows}
            return RecordedLocations(by_uri, {by_uri[row[0]].photo_id for row in rows if row[_FIELDS] is None})
    by_uri = locations_by_uri(conn, uris)
    photo_ids = {location.photo_id for location in by_uri.values()}
    return RecordedLocations(by_uri, photo_ids - enrolled_photos(conn, photo_ids, engine, gallery))

"""Photos by content, locations by uri."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
from sqlalchemy import Connection, text

from catalog.domain.opened_photo import OpenedPhoto
from catalog.domain.photos import GpsPosition, PhotoMetadata, PhotoRef
from catalog.store.database import Database
from catalog.store.photos import (
    count_locations_below,
    find_photo,
    locations_below,
    locations_by_uri,
    locations_of_content,
    mark_missing,
    record_location,
    record_photo,
)

NOW = datetime(2026, 5, 17, 14, 3, 22, tzinfo=UTC)
LATER = datetime(2026, 5, 18, 14, 3, 22, tzinfo=UTC)


def opened(**metadata: object) -> OpenedPhoto:
    return OpenedPhoto(np.zeros((2, 3, 3), np.uint8), 3, 2, "JPEG", metadata=PhotoMetadata(**metadata))  # type: ignore[arg-type]


def add(conn: Connection, uri: str, sha256: str = "aa", now: datetime = NOW) -> int:
    photo_id = record_photo(conn, sha256, 9, opened(), now)
    return record_location(conn, photo_id, PhotoRef(uri, 9, 1, "1"), now)


def test_a_content_is_recorded_once(database: Database) -> None:
    """Its row has the camera's metadata, times in UTC."""
    with database.begin() as conn:
        first = record_photo(conn, "aa", 9, opened(taken_at=NOW, gps=GpsPosition(1.5, -2.5)), NOW)
        assert record_photo(conn, "aa", 9, opened(), LATER) == first == find_photo(conn, "aa")
        assert find_photo(conn, "bb") is None
        row = conn.execute(text("SELECT taken_at, gps_longitude, width, height FROM photos")).one()
    assert tuple(row) == ("2026-05-17T14:03:22.000000Z", -2.5, 3, 2)


def test_a_location_shows_one_photo_at_a_time(database: Database) -> None:
    """New content has a new ``first_seen``. The same content keeps it and is not missing any more."""
    with database.begin() as conn:
        row = add(conn, "file:///a/1")
        mark_missing(conn, [row], LATER)
        assert locations_by_uri(conn, ["file:///a/1"])["file:///a/1"].missing_since == "2026-05-18T14:03:22.000000Z"
        assert add(conn, "file:///a/1", now=LATER) == row
        first_seen = "SELECT first_seen FROM locations"
        assert conn.execute(text(first_seen)).scalar() == "2026-05-17T14:03:22.000000Z"
        assert add(conn, "file:///a/1", "bb", LATER) == row
        assert conn.execute(text(first_seen)).scalar() == "2026-05-18T14:03:22.000000Z"
        assert [location.uri for location in locations_of_content(conn, "bb")] == ["file:///a/1"]
        assert locations_of_content(conn, "aa") == []


def test_a_folder_covers_locations_below_it_only(database: Database) -> None:
    """Locations come in the order of their uris as bytes, as in a listing."""
    uris = [
        "file:///a/b/%E5",
        "file:///a/b/A",
        "file:///a/b/a",
        "file:///a/b/a-b/x",
        "file:///a/b/a/x",
        "file:///a/b/~",
    ]
    with database.begin() as conn:
        for uri in [*reversed(uris), "file:///a/b.jpg", "file:///a/bc/x", "file:///a/b0", "file:///a/"]:
            add(conn, uri)
        assert [location.uri for location in locations_below(conn, "file:///a/b/", batch_size=2)] == uris
        assert [location.uri for location in locations_below(conn, "file:///a/b")] == uris
        assert [location.uri for location in locations_below(conn, "file:///a/b.jpg")] == ["file:///a/b.jpg"]
        assert count_locations_below(conn, "file:///a/b/") == len(uris)
        mark_missing(conn, [locations_by_uri(conn, uris)[uris[2]].location_id], NOW)
        assert [location.uri for location in locations_below(conn, "file:///a/b/")] == uris[:2] + uris[3:]
        assert len(list(locations_below(conn, "file:///a/b/", missing=True))) == len(uris)
        assert count_locations_below(conn, "file:///a/b/") == len(uris) - 1

"""Recorded locations of a part of a listing."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from sqlalchemy import Connection, text

from catalog.domain.opened_photo import OpenedPhoto
from catalog.domain.photos import PhotoMetadata, PhotoRef
from catalog.domain.source import LeftOut
from catalog.store.database import Database
from catalog.store.listed_photos import RecordedLocations, UnchangedLocations, look_up_locations, unchanged_locations
from catalog.store.photos import mark_missing, record_location, record_photo

NOW = datetime(2026, 5, 17, 14, 3, 22, tzinfo=UTC)


def listed(number: int, *, size: int = 9) -> PhotoRef:
    return PhotoRef(f"file:///a/{number:03}", size, 1, str(number))


def record(conn: Connection, ref: PhotoRef, sha256: str, gallery: str | None = "g") -> int:
    """Record a location, and its photo as enrolled in a gallery. Returns the row id of the location."""
    opened = OpenedPhoto(np.zeros((2, 3, 3), np.uint8), 3, 2, "JPEG", metadata=PhotoMetadata())
    photo_id = record_photo(conn, sha256, ref.size, opened, NOW)
    if gallery is not None:
        conn.execute(
            text(
                "INSERT INTO enrollments (photo_id, engine, gallery, model, enrolled_at)"
                " VALUES (:photo, 'local', :gallery, 'm', '') ON CONFLICT DO NOTHING"
            ),
            {"photo": photo_id, "gallery": gallery},
        )
    return record_location(conn, photo_id, ref, NOW)


def look_up(conn: Connection, refs: list[PhotoRef]) -> RecordedLocations:
    return look_up_locations(conn, [ref.uri for ref in refs], "local", "g")


def unchanged(conn: Connection, refs: list[PhotoRef]) -> UnchangedLocations | None:
    return unchanged_locations(conn, refs, "local", "g")


@pytest.mark.parametrize("ascending", [True, False])
def test_a_part_of_a_listing_is_looked_up_in_any_order(database: Database, ascending: bool) -> None:
    """Returns the known locations, and photos that are not in the gallery."""
    with database.begin() as conn:
        for number in range(0, 40, 2):
            record(conn, listed(number), f"{number % 4}", "g" if number % 4 else None)
        requested = [listed(number) for number in range(10, 20)]
        recorded = look_up(conn, requested if ascending else requested[::-1])
    by_uri = recorded.by_uri
    assert sorted(by_uri) == [ref.uri for ref in requested[::2]]
    assert recorded.unenrolled == {by_uri[listed(12).uri].photo_id} == {by_uri[listed(16).uri].photo_id}
    assert [by_uri[ref.uri].ref for ref in requested[::2]] == requested[::2]


def test_a_listing_that_lost_most_of_its_files_reads_few_locations(database: Database) -> None:
    """Two distant names do not read all locations between them."""
    with database.begin() as conn:
        for number in range(150):
            record(conn, listed(number), "a")
        recorded = look_up(conn, [listed(0), listed(149)])
    assert sorted(recorded.by_uri) == ["file:///a/000", "file:///a/149"]


def test_unchanged_photos_are_recognized_together(database: Database) -> None:
    """A location that was marked as missing long ago, and is not listed, does not count."""
    with database.begin() as conn:
        ids = [record(conn, listed(number), f"{number}") for number in range(6)]
        mark_missing(conn, ids[2:3], NOW)
        refs = [listed(number) for number in range(6) if number != 2]
        locations = unchanged(conn, refs)
        by_uri = look_up(conn, refs).by_uri
    assert locations is not None
    assert locations.ids == [*ids[:2], *ids[3:]]
    assert locations.uris == [ref.uri for ref in refs]
    assert locations.photo_ids == [by_uri[ref.uri].photo_id for ref in refs]


def test_an_entry_that_is_no_photo_makes_a_part_changed(database: Database) -> None:
    """The rule may be new, and its photos must be taken out."""
    with database.begin() as conn:
        refs = [listed(number) for number in range(3)]
        for ref in refs:
            record(conn, ref, ref.etag)
        for position in range(3):
            entries: list[object] = list(refs)
            entries[position] = LeftOut(refs[position].uri, "a rule")
            assert unchanged_locations(conn, entries, "local", "g") is None


@pytest.mark.parametrize("difference", ["size", "new", "deleted", "came back", "not in the gallery"])
def test_one_difference_makes_a_part_changed(database: Database, difference: str) -> None:
    """A deleted file counts, too: a range must not hide it."""
    refs = [listed(number) for number in range(6)]
    with database.begin() as conn:
        ids = [
            record(conn, ref, ref.etag, None if ref.etag == "4" and difference == "not in the gallery" else "g")
            for ref in refs[: 5 if difference == "new" else 6]
        ]
        if difference == "came back":
            mark_missing(conn, ids[2:3], NOW)
        shown = {"size": [*refs[:3], listed(3, size=8), *refs[4:]], "deleted": [*refs[:3], *refs[4:]]}
        changed = shown.get(difference, refs)
        assert unchanged(conn, changed) is None

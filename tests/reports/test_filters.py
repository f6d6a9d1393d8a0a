"""Filters of reports become parameters of SQL."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from catalog.domain.errors import UsageError
from catalog.domain.opened_photo import OpenedPhoto
from catalog.domain.photos import PhotoRef
from catalog.reports.filters import ReportFilters, parameters
from catalog.store.database import Database
from catalog.store.photos import record_location, record_photo

NOW = datetime(2026, 5, 17, 14, 3, 22, tzinfo=UTC)
URI = "s3://bucket/my%20photos/a.jpg"


@pytest.mark.parametrize("album", ["s3://bucket/my photos", "s3://bucket/my%20photos/"])
def test_a_prefix_of_a_bucket_may_be_written_as_for_a_scan(database: Database, album: str) -> None:
    """The catalogue percent-encodes keys; `catalog scan` takes them as they are."""
    with database.begin() as connection:
        opened = OpenedPhoto(np.zeros((2, 3, 3), np.uint8), 3, 2, "JPEG")
        photo = record_photo(connection, "aa", 9, opened, NOW)
        record_location(connection, photo, PhotoRef(URI, 9, 1, "e"), NOW)
        assert parameters(ReportFilters(album=album), connection)["album"] == "s3://bucket/my%20photos/"
        with pytest.raises(UsageError, match='no photo in "s3://bucket/my/"'):
            parameters(ReportFilters(album="s3://bucket/my"), connection)


@pytest.mark.parametrize("name", ["since", "until", "person", "album"])
def test_an_empty_filter_is_an_error(database: Database, name: str) -> None:
    """A script with an unset variable would get a report on everything."""
    with database.read() as connection, pytest.raises(UsageError, match=f'--{name} is (empty|"", which is not a date)'):
        parameters(ReportFilters(**{name: ""}), connection)

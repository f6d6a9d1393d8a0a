"""Dates of photos in a library of Apple Photos, the corrected ones above those of the file."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image

import catalog
from catalog.domain.apple_dates import AppleDate
from catalog.domain.taken_at import DateSource
from tests.apple_library import PHOTOS_5, UUIDS, Schema, edit, make_database, original

HOUR = 3600


def seconds(text: str) -> float:
    """A moment in UTC as Photos stores it."""
    return (datetime.fromisoformat(text).replace(tzinfo=UTC) - datetime(2001, 1, 1, tzinfo=UTC)).total_seconds()


def save(path: Path, number: int, date: str | None = "2019:07:04 14:30:25") -> Path:
    exif = Image.Exif()
    if date is not None:
        exif.get_ifd(34665)[36867] = date
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (48, 48), "gray").save(path, exif=exif.tobytes(), comment=str(number))
    return path


@pytest.mark.parametrize("schema", [PHOTOS_5, Schema()], ids=["Photos 5", "Photos 9"])
def test_a_date_corrected_in_photos_wins_over_that_of_the_file(tmp_path: Path, schema: Schema) -> None:
    """An unchanged one gives the zone, one of a photo without EXIF the date, and an edit has that of its original."""
    library = tmp_path / "Pictures" / "Lib.photoslibrary"
    same, corrected, undated, _, zero, edited = UUIDS
    for number, uuid in enumerate((same, corrected, zero, edited)):
        save(original(library, uuid), number)
    save(original(library, undated), 7, None)
    save(edit(library, edited), 8, None)
    make_database(
        library,
        [],
        {},
        schema=schema,
        edited=frozenset([edited]),
        dates={
            same: (seconds("2019-07-04T12:30:25.4"), 2 * HOUR, "2019:07:04 14:30:25"),
            corrected: (seconds("1987-06-21T10:00:00"), 2 * HOUR, "2019:07:04 14:30:25"),
            undated: (seconds("2004-05-06T07:08:09"), -5 * HOUR, None),
            zero: (0, 0, "2019:07:04 14:30:25"),
            edited: (seconds("1999-01-02T03:04:05"), 0, "2019:07:04 14:30:25"),
        },
    )
    with catalog.open(tmp_path / "catalog.sqlite3", create=True) as opened:
        for outcome in opened.scan([tmp_path / "Pictures"]):
            assert outcome.kind in ("new", "left_out")
        dates = {Path(photo.path).stem: (photo.date, photo.source) for photo in opened.photo_dates(library)}
        assert dates == {
            same: ("2019-07-04T14:30:25+02:00", "exif"),
            corrected: ("1987-06-21T12:00:00+02:00", "apple_corrected"),
            undated: ("2004-05-06T02:08:09-05:00", "apple_photos"),
            zero: ("2019-07-04T14:30:25", "exif"),
            edited: ("1999-01-02T03:04:05+00:00", "apple_corrected"),
            f"{edited}_1_201_a": ("1999-01-02T03:04:05+00:00", "apple_corrected"),
        }
        assert opened.refresh_dates().changed == 0


@pytest.mark.parametrize(
    ("created", "offset", "in_file", "source"),
    [
        (600_000_000.25, 7200, "2020:01:06 12:40:00", DateSource.APPLE_PHOTOS),
        (600_000_000, 7200, "2020:01:06 12:41:00", DateSource.APPLE_CORRECTED),
        (600_000_000, 7200, "2020:01", DateSource.APPLE_PHOTOS),
        (600_000_000, 7200, b"\xff", DateSource.APPLE_PHOTOS),
        (600_000_000, None, "2020:01:06 12:41:00", DateSource.APPLE_PHOTOS),
        (600_000_000, "7200", "2020:01:06 12:41:00", DateSource.APPLE_PHOTOS),
        (600_000_000, 1 << 60, "2020:01:06 12:41:00", DateSource.APPLE_PHOTOS),
    ],
)
def test_only_another_wall_clock_is_a_correction(created, offset, in_file, source) -> None:
    """Cells of a wrong type say nothing."""
    date = AppleDate.of_columns(created, offset, in_file)
    assert date is not None
    taken = date.taken_at()
    assert taken is not None
    assert taken.source is source


@pytest.mark.parametrize("created", [None, 0, 0.0, "x", b"1", float("nan"), float("inf"), 1e300, -1e300, 9e9])
def test_a_cell_that_is_no_date_gives_none(created) -> None:
    """The database is untrusted input; 0 is a date that was never set, 9e9 lies in the future."""
    date = AppleDate.of_columns(created, 0, None)
    assert date is None or date.taken_at() is None

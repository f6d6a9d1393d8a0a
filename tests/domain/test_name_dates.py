"""Dates in the names of files and folders."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from catalog.domain.local_day import DatePrecision
from catalog.domain.name_dates import date_of_name, date_of_uri
from catalog.domain.taken_at import DateSource


@pytest.mark.parametrize(
    ("stem", "expected", "offset"),
    [
        ("IMG_20190704_143025", (2019, 7, 4, 14, 30, 25), None),
        ("Screenshot_20190919-053857_Maps", (2019, 9, 19, 5, 38, 57), None),
        ("20231207_101605_001", (2023, 12, 7, 10, 16, 5), None),
        ("PXL_20231026_210642603", (2023, 10, 26, 21, 6, 42), 0),
        ("20190704_143025000_iOS", (2019, 7, 4, 14, 30, 25), 0),
        ("2011-07-19 11.36.39", (2011, 7, 19, 11, 36, 39), None),
        ("signal-2018-08-21-100217", (2018, 8, 21, 10, 2, 17), None),
        ("photo_2020-10-26_16-38-32", (2020, 10, 26, 16, 38, 32), None),
        ("Bildschirmfoto 2019-07-04 um 14.30.25", (2019, 7, 4, 14, 30, 25), None),
        ("WhatsApp Image 2019-07-04 at 14.30.25", (2019, 7, 4, 14, 30, 25), None),
        ("WP_20140503_14_15_30_Pro", (2014, 5, 3, 14, 15, 30), None),
        ("00004XTR_00004_BURST20190216172030", (2019, 2, 16, 17, 20, 30), None),
        ("201801261147521000", (2018, 1, 26, 11, 47, 52), None),
        ("00001IMG_00001_BURST1723801037429_COVER", (2024, 8, 16, 9, 37, 17), 0),
    ],
)
def test_times_in_names(stem: str, expected: tuple[int, ...], offset: int | None) -> None:
    date = date_of_name(stem)
    assert date is not None
    assert (date.moment, date.offset) == (datetime(*expected, tzinfo=UTC), offset)
    assert (date.precision, date.source) == (DatePrecision.SECOND, DateSource.FILE_NAME)


@pytest.mark.parametrize(
    ("stem", "expected"),
    [
        ("IMG-20200101-WA0001", (2020, 1, 1)),
        ("IMG_20190704", (2019, 7, 4)),
        ("1987-06-21 Taufe", (1987, 6, 21)),
        ("FB_IMG_1562253425123", (2019, 7, 4)),
        ("IMG_20190704_250000", (2019, 7, 4)),
    ],
)
def test_days_in_names(stem: str, expected: tuple[int, ...]) -> None:
    date = date_of_name(stem)
    assert date is not None
    assert (date.moment, date.precision) == (datetime(*expected, tzinfo=UTC), DatePrecision.DAY)


@pytest.mark.parametrize(
    "stem",
    [
        "20191332", "IMG_20230230", "wall-1920x1080", "wallpaper-2048-1536", "DSC_2019", "DSCN1998", "P7040012",
        "+4915120190704", "Snapchat-20190704123", "received_10153344556677889", "10203040_20190704_n", "v2.2019",
        "scan0001", "A4-2000dpi", "1976-1979", "98%", "d41d8cd98f00b204e9800998ecf8427e", "20990101", "2019.01.02.3",
        "3f2504e0-4f89-11d3-9a0c-0305e82c3301", "",
    ],
)  # fmt: skip
def test_numbers_that_are_no_dates(stem: str) -> None:
    """Sizes, counters, telephone numbers, ids, and days that do not exist."""
    assert date_of_name(stem) is None


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("1987-06-21 Taufe/scan1.jpg", (1987, 6, 21)),
        ("19870621/scan1.jpg", (1987, 6, 21)),
        ("2004/07/12/a.jpg", (2004, 7, 12)),
        ("2021-03-01 Import/a.jpg", None),
        ("Import 2021-03-01/a.jpg", None),
        ("2004-07 Urlaub/a.jpg", None),
        ("DCIM/100CANON/a.jpg", None),
    ],
)
def test_days_in_folders(path: str, expected: tuple[int, ...] | None) -> None:
    """The nearest folder only, and not one of copies."""
    date = date_of_uri(f"file:///photos/{path.replace(' ', '%20')}")
    if expected is None:
        assert date is None
    else:
        assert date is not None
        assert (date.moment, date.source) == (datetime(*expected, tzinfo=UTC), DateSource.FOLDER_NAME)


def test_the_name_of_the_file_comes_before_that_of_the_folder() -> None:
    date = date_of_uri("s3://bucket/1987-06-21/IMG_20190704_143025.jpg")
    assert date is not None
    assert date.source is DateSource.FILE_NAME

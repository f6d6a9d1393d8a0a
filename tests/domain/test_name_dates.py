"""Dates in the names of files and folders."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from catalog.domain.local_day import DatePrecision
from catalog.domain.name_dates import date_of_name, dates_of_uri
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
    ("stem", "expected"),
    [
        ("1976-08 Ostsee", "1976-08"),
        ("Ostsee 1976-08", "1976-08"),
        ("Oma 1953", "1953"),
        ("1953 Oma", "1953"),
        ("Taufe 21.6.1987", "1987-06-21"),
        ("13-07-2019", "2019-07-13"),
        ("07-13-2019", "2019-07-13"),
        ("04-07-2019", "2019"),
        ("Screen Shot 2019-07-04 at 2.30.25\u202fPM", "2019-07-04T14:30:25"),
    ],
)
def test_a_date_in_a_name_is_as_exact_as_it_is_written(stem: str, expected: str) -> None:
    """If day and month cannot be distinguished, the year is left."""
    dates = dates_of_uri(f"file:///photos/{quote(stem)}.jpg", "file:///photos/")
    assert [date.span.text for date in dates] == [expected]


@pytest.mark.parametrize(
    "stem",
    ["DSC 2019", "IMG 2004", "Scan 1998", "2000 Fotos", "1976 - 1979", "2019", "80er", "1970s", "v 2.2019", "Room2001"],
)
def test_counters_spans_and_counts_are_no_years(stem: str) -> None:
    assert date_of_name(stem) is None


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("1987-06-21 Taufe/scan1.jpg", "1987-06-21"),
        ("19870621/scan1.jpg", "1987-06-21"),
        ("2004/07/12/a.jpg", "2004-07-12"),
        ("2004/07 Juli/a.jpg", "2004-07"),
        ("2004-07 Urlaub/a.jpg", "2004-07"),
        ("2004_07 Urlaub/a.jpg", "2004-07"),
        ("2004/a.jpg", "2004"),
        ("Sommer 1976/a.jpg", "1976"),
        ("Photos from 2004/a.jpg", "2004"),
        ("Fotos del 2004/a.jpg", "2004"),
        ("1987-06-21 Taufe/best of/a.jpg", "1987-06-21"),
        ("2004/2004-07 Urlaub/a.jpg", "2004-07"),
        ("2004/13/a.jpg", "2004"),
        ("2021-03-01 Import/a.jpg", None),
        ("Import 2021-03-01/a.jpg", None),
        ("2019 Scans/a.jpg", None),
        ("Backup 2020/a.jpg", None),
        ("iPhone 2019/a.jpg", None),
        ("2000 Fotos/a.jpg", None),
        ("80er/a.jpg", None),
        ("1970s/a.jpg", None),
        ("DCIM/100CANON/a.jpg", None),
    ],
)
def test_dates_in_folders(path: str, expected: str | None) -> None:
    """The nearest folder that has one, and not one of copies or of a device."""
    dates = dates_of_uri(f"file:///library/{quote(path)}", "file:///library/")
    assert [(date.span.text, date.source) for date in dates] == (
        [] if expected is None else [(expected, DateSource.FOLDER_NAME)]
    )


def test_folders_above_the_source_are_not_asked() -> None:
    """The source's own name is."""
    assert dates_of_uri("file:///2026-11-28/photos/a.jpg", "file:///2026-11-28/photos/") == []
    (date,) = dates_of_uri("s3://bucket/2004-07/best/a.jpg", "s3://bucket/2004-07/")
    assert date.span.text == "2004-07"


def test_the_name_of_the_file_comes_before_that_of_the_folder() -> None:
    dates = dates_of_uri("s3://bucket/1987-06-21/IMG_20190704_143025.jpg", "s3://bucket/")
    assert [date.source for date in dates] == [DateSource.FILE_NAME, DateSource.FOLDER_NAME]

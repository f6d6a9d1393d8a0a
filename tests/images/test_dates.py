"""When a photo was taken: candidates in their order, and values as programs write them."""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from catalog.domain.choose_date import choose_date
from catalog.domain.date_text import parse_time
from catalog.domain.local_day import DatePrecision
from catalog.domain.taken_at import DateSource, TakenAt
from catalog.images.dates import file_dates
from catalog.images.decode import open_image
from tests.images.painting import quarters, written

ORIGINAL, DIGITIZED, CHANGED = 36867, 36868, 306


def taken_at(tags: dict[int, Any], xmp: bytes | None, image: Image.Image | None) -> TakenAt | None:
    return choose_date(file_dates(tags, xmp, image))


def xmp_of(**values: str) -> bytes:
    names = {"original": "exif:DateTimeOriginal", "created": "photoshop:DateCreated", "digitized": "xmp:CreateDate"}
    return " ".join(f'{names[name]}="{value}"' for name, value in values.items()).encode()


def iptc_jpeg(date: bytes, time: bytes = b"") -> bytes:
    """A JPEG with IPTC date and time created in its Photoshop block."""
    records = b"".join(
        b"\x1c\x02" + bytes([number]) + struct.pack(">H", len(value)) + value
        for number, value in ((55, date), (60, time))
        if value
    )
    resource = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(records)) + records + b"\0" * (len(records) % 2)
    block = b"Photoshop 3.0\0" + resource
    data = written(quarters(), "JPEG")
    return data[:2] + b"\xff\xed" + struct.pack(">H", len(block) + 2) + block + data[2:]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2014:05:03 02:15:30 PM", (2014, 5, 3, 14, 15, 30)),
        ("2014:05:03 12:15:30 a.m.", (2014, 5, 3, 0, 15, 30)),
        ("2014:05:03 12:15:30\u202fPM", (2014, 5, 3, 12, 15, 30)),
        ("2014:05:03 14:15:30 PM", (2014, 5, 3, 14, 15, 30)),
        ("2015:06:02 24:15:00", (2015, 6, 2, 0, 15)),
        ("2015:06:02 24:00:00", (2015, 6, 3)),
        ("2016:12:31 23:59:60", (2016, 12, 31, 23, 59, 59)),
        ("2019\\6\\7 8:09:10", (2019, 6, 7, 8, 9, 10)),
        ("2019-06-07", (2019, 6, 7)),
        ("2019:06:07 08:09:10\0garbage", (2019, 6, 7, 8, 9, 10)),
    ],
)
def test_values_of_exif_as_programs_write_them(text: str, expected: tuple[int, ...]) -> None:
    date = taken_at({ORIGINAL: text}, None, None)
    assert date is not None
    assert (date.moment, date.offset, date.source) == (datetime(*expected, tzinfo=UTC), None, DateSource.EXIF)
    assert date.precision is (DatePrecision.SECOND if ":" in text[10:] else DatePrecision.DAY)


def test_hour_24_of_other_texts_is_the_end_of_the_day() -> None:
    assert parse_time("2015-06-02T24:00:00") == (datetime(2015, 6, 3, tzinfo=UTC), None, DatePrecision.SECOND)
    assert parse_time("2015-06-02T24:15:00") is None


def test_the_order_of_the_candidates() -> None:
    """A candidate that cannot be understood makes place for the next."""
    image = Image.open(BytesIO(iptc_jpeg(b"19750604")))
    image.info["Creation Time"] = "1975-06-07 01:02:03"
    tags = {ORIGINAL: "1975:06:01 00:00:00", DIGITIZED: "1975:06:05 00:00:00", CHANGED: "1975:06:08 00:00:00"}
    times = {"original": "1975-06-02", "created": "1975-06-03", "digitized": "1975-06-06"}
    for day in range(1, 9):
        date = taken_at(tags, xmp_of(**times), image)
        assert date is not None
        assert date.moment.day == day
        match day:
            case 1:
                tags[ORIGINAL] = "0000:00:00 00:00:00"
            case 2:
                times["original"] = "          "
            case 3:
                times["created"] = "1975-13-01"
            case 4:
                image.info.pop("photoshop")
            case 5:
                tags[DIGITIZED] = "    :  :     :  :  "
            case 6:
                times["digitized"] = "2999-01-01"
            case 7:
                image.info["Creation Time"] = "long ago"


@pytest.mark.parametrize(
    ("date", "time", "expected"),
    [
        (b"19750601", b"", (datetime(1975, 6, 1, tzinfo=UTC), None)),
        (b"19750601", b"103000+0200", (datetime(1975, 6, 1, 8, 30, tzinfo=UTC), 120)),
        (b"19750601", b"103000", (datetime(1975, 6, 1, 10, 30, tzinfo=UTC), None)),
        (b"19750600", b"", (datetime(1975, 6, 1, tzinfo=UTC), None)),
        (b"19751332", b"", (None, None)),
        (b"summer", b"", (None, None)),
    ],
)
def test_iptc_of_a_file_is_read(date: bytes, time: bytes, expected: tuple[datetime | None, int | None]) -> None:
    metadata = open_image(iptc_jpeg(date, time)).metadata
    assert (metadata.taken_at, metadata.taken_at_offset) == expected


@pytest.mark.parametrize("text", ["Wed, 04 May 2016 03:02:01 +0000", "2016-05-04T03:02:01Z", "2016:05:04 03:02:01"])
def test_the_creation_time_of_a_png_is_read(text: str) -> None:
    """As in a mail, in ISO 8601, or as EXIF writes it."""
    info = PngImagePlugin.PngInfo()
    info.add_text("Creation Time", text)
    metadata = open_image(written(quarters(), "PNG", pnginfo=info)).metadata
    assert metadata.taken_at == datetime(2016, 5, 4, 3, 2, 1, tzinfo=UTC)

"""Cameras' notes are understood where they make sense and ignored where they do not."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from catalog.domain.photos import GpsPosition, PhotoMetadata
from catalog.images.decode import open_image
from catalog.images.metadata import MAX_TEXT, load_exif, read_metadata
from tests.images.painting import quarters, written

MAKE, MODEL, DATE_TIME, OFFSET = 271, 272, 306, 36880
ORIGINAL, ORIGINAL_OFFSET, ORIGINAL_FRACTION, DIGITIZED = 36867, 36881, 37521, 36868


def exif_of(
    base: dict[int, object] | None = None, detail: dict[int, object] | None = None, gps: dict[int, object] | None = None
) -> Image.Exif:
    """EXIF as it comes back from a file."""
    exif = Image.Exif()
    texts: dict[bytes, bytes] = {}
    for tag, value in (base or {}).items():
        exif[tag] = value
        if isinstance(value, str) and not value.isascii():  # which Pillow would not write
            stand_in = b"?" * len(value.encode())
            exif[tag] = stand_in.decode()
            texts[stand_in] = value.encode()
    if detail:
        exif[0x8769] = detail
    if gps:
        exif[0x8825] = gps
    raw = exif.tobytes()
    for stand_in, text in texts.items():
        raw = raw.replace(stand_in, text)
    return load_exif(raw)


def taken_at_of(base: dict[int, object] | None = None, detail: dict[int, object] | None = None) -> datetime | None:
    return read_metadata(exif_of(base, detail)).taken_at


# ------------------------------------------------------------------------------------------------------ when


def test_a_time_with_its_offset_becomes_utc() -> None:
    """To the fraction of a second that the camera wrote."""
    metadata = read_metadata(
        exif_of(None, {ORIGINAL: "2024:02:29 12:30:45", ORIGINAL_OFFSET: "+05:30", ORIGINAL_FRACTION: "25"})
    )
    assert metadata.taken_at == datetime(2024, 2, 29, 7, 0, 45, 250_000, tzinfo=UTC)
    assert metadata.taken_at_offset == 330


def test_a_time_without_an_offset_is_the_cameras_wall_clock() -> None:
    """Labeled UTC; the missing offset marks it."""
    metadata = read_metadata(exif_of(None, {ORIGINAL: "2024:02:29 12:30:45"}))
    assert metadata.taken_at == datetime(2024, 2, 29, 12, 30, 45, tzinfo=UTC)
    assert metadata.taken_at_offset is None


def test_the_time_of_taking_goes_before_digitizing_and_changing() -> None:
    """The last resort is the time of the last change."""
    times: dict[int, object] = {ORIGINAL: "2001:01:01 00:00:00", DIGITIZED: "2002:01:01 00:00:00"}
    assert taken_at_of({DATE_TIME: "2003:01:01 00:00:00"}, times) == datetime(2001, 1, 1, tzinfo=UTC)
    del times[ORIGINAL]
    assert taken_at_of({DATE_TIME: "2003:01:01 00:00:00"}, times) == datetime(2002, 1, 1, tzinfo=UTC)
    assert taken_at_of({DATE_TIME: "2003:01:01 00:00:00"}) == datetime(2003, 1, 1, tzinfo=UTC)


def test_an_offset_belongs_to_its_own_time() -> None:
    """That of the last change says nothing about the time of taking."""
    exif = exif_of({DATE_TIME: "2003:01:01 00:00:00"}, {ORIGINAL: "2001:01:01 00:00:00", OFFSET: "+02:00"})
    assert read_metadata(exif).taken_at_offset is None


@pytest.mark.parametrize(
    "text",
    ["0000:00:00 00:00:00", "    :  :     :  :  ", "2024:13:01 00:00:00", "2023:02:29 10:00:00", "yesterday", "",
     "9999:01:01 00:00:00", "1500:01:01 00:00:00", "2024:01:01 25:00:00", "2024:01:01 10:00:00 nonsense"],
)  # fmt: skip
def test_a_time_that_makes_no_sense_is_ignored(text: str) -> None:
    """And the next place to say it is asked."""
    assert taken_at_of(None, {ORIGINAL: text}) is None
    assert taken_at_of({DATE_TIME: "2003:01:01 00:00:00"}, {ORIGINAL: text}) == datetime(2003, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["2019-06-07 08:09:10", "2019/06/07 08:09:10", "2019:06:07T08:09:10", "2019:6:7 8:09:10"]
)
def test_other_spellings_of_a_time_are_understood(text: str) -> None:
    """Editors and scanners have their own."""
    assert taken_at_of(None, {ORIGINAL: text}) == datetime(2019, 6, 7, 8, 9, 10, tzinfo=UTC)


@pytest.mark.parametrize("offset", ["+99:00", "+01:75", "   :  ", "north"])
def test_an_offset_that_makes_no_sense_is_unknown(offset: str) -> None:
    """The time stays, as a wall clock."""
    metadata = read_metadata(exif_of(None, {ORIGINAL: "2024:02:29 12:30:45", ORIGINAL_OFFSET: offset}))
    assert metadata.taken_at == datetime(2024, 2, 29, 12, 30, 45, tzinfo=UTC)
    assert metadata.taken_at_offset is None


@pytest.mark.parametrize(
    "xmp",
    [
        b'<rdf:Description photoshop:DateCreated="2018-03-04T05:06:07+01:00"/>',
        b"<photoshop:DateCreated>2018-03-04T05:06:07+01:00</photoshop:DateCreated>",
        b'<rdf:Description xmp:CreateDate="2000-01-01" exif:DateTimeOriginal="2018-03-04T05:06:07+01:00"/>',
    ],
)
def test_xmp_tells_the_time_where_exif_does_not(xmp: bytes) -> None:
    """As an attribute or an element; the time of taking goes first."""
    metadata = read_metadata(exif_of(), xmp)
    assert metadata.taken_at == datetime(2018, 3, 4, 4, 6, 7, tzinfo=UTC)
    assert metadata.taken_at_offset == 60
    assert read_metadata(exif_of(None, {ORIGINAL: "2001:05:01 00:00:00"}), xmp).taken_at == datetime(
        2001, 5, 1, tzinfo=UTC
    )


def test_the_xmp_of_a_file_is_read() -> None:
    """Through the decoder."""
    xmp = b'<rdf:Description photoshop:DateCreated="2018-03-04"/>'
    for kind, options in (("JPEG", {"xmp": xmp}), ("WEBP", {"xmp": xmp}), ("TIFF", {"tiffinfo": {700: xmp}})):
        assert open_image(written(quarters(), kind, **options)).metadata.taken_at == datetime(2018, 3, 4, tzinfo=UTC)


# ------------------------------------------------------------------------------------------------------ where


def degrees(whole: float, minutes: float, seconds: float) -> tuple[IFDRational, ...]:
    return tuple(IFDRational(round(value * 1000), 1000) for value in (whole, minutes, seconds))


def gps(**changes: object) -> dict[int, object]:
    """Sydney, with changes by name."""
    tags: dict[str, object] = {
        "latitude_ref": "S",
        "latitude": degrees(33, 51, 24.84),
        "longitude_ref": "E",
        "longitude": degrees(151, 12, 55.08),
        "altitude_ref": b"\0",
        "altitude": IFDRational(58, 1),
    } | changes
    numbers = {"latitude_ref": 1, "latitude": 2, "longitude_ref": 3, "longitude": 4, "altitude_ref": 5, "altitude": 6}
    return {numbers[name]: value for name, value in tags.items() if value is not None}


def place(**changes: object) -> GpsPosition | None:
    return read_metadata(exif_of(gps=gps(**changes))).gps


def test_a_position_has_the_signs_of_its_references() -> None:
    """South and west are negative."""
    position = place()
    assert position is not None
    assert position.latitude == pytest.approx(-33.8569, abs=1e-6)
    assert position.longitude == pytest.approx(151.2153, abs=1e-6)
    assert position.altitude == 58
    assert place(longitude_ref="W") == GpsPosition(position.latitude, -position.longitude, 58)


def test_below_the_sea_is_negative() -> None:
    """Divers and the Dead Sea."""
    position = place(altitude_ref=b"\x01")
    assert position is not None
    assert position.altitude == -58


@pytest.mark.parametrize(
    "changes",
    [
        {"latitude": degrees(91, 0, 0)},
        {"longitude": degrees(181, 0, 0)},
        {"latitude_ref": None},
        {"longitude_ref": "X"},
        {"latitude": None},
        {"latitude": (IFDRational(33, 0), IFDRational(0, 0), IFDRational(0, 0))},
        {"latitude": degrees(0, 0, 0), "longitude": degrees(0, 0, 0)},
    ],
)
def test_a_position_that_makes_no_sense_is_ignored(changes: dict[str, object]) -> None:
    """Off the globe, of unknown half, undefined, or where receivers are before they know."""
    assert place(**changes) is None


def test_a_position_may_lack_its_altitude() -> None:
    """Or have one that is undefined."""
    for altitude in (None, IFDRational(0, 0), IFDRational(4_000_000_000, 1)):
        position = place(altitude=altitude)
        assert position is not None
        assert position.altitude is None


# ------------------------------------------------------------------------------------------------------ with what


def test_the_cameras_name_is_one_clean_line() -> None:
    """Padding, NULs, terminal escapes and reordering marks are taken out; UTF-8 is understood."""
    metadata = read_metadata(exif_of({MAKE: "NIKON CORPORATION   \0\0junk", MODEL: "小米\x1b[31m \n  B\u202e"}))
    assert metadata.camera_make == "NIKON CORPORATION"
    assert metadata.camera_model == "小米[31m B"


def test_the_cameras_name_has_a_limit() -> None:
    """A megabyte of name does not reach the database."""
    metadata = read_metadata(exif_of({MAKE: "x" * 100_000, MODEL: "\0"}))
    assert metadata.camera_make == "x" * MAX_TEXT
    assert metadata.camera_model is None


# ------------------------------------------------------------------------------------------------------ nonsense


@given(st.binary(max_size=300))
def test_no_exif_makes_it_fail(raw: bytes) -> None:
    """Not even one made of noise behind a proper header."""
    read_metadata(load_exif(raw))
    read_metadata(load_exif(b"Exif\0\0II*\0\x08\0\0\0" + raw), raw)


@given(st.data())
def test_no_damage_to_exif_makes_it_fail(data: st.DataObject) -> None:
    """Bytes of a good one changed at random cost at most what they said."""
    raw = bytearray(
        exif_of({MAKE: "Maker", DATE_TIME: "2003:01:01 00:00:00"}, {ORIGINAL: "2001:01:01 00:00:00"}, gps()).tobytes()
    )
    for _ in range(data.draw(st.integers(1, 8))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    metadata = read_metadata(load_exif(bytes(raw)))
    if metadata.gps is not None:
        assert -90 <= metadata.gps.latitude <= 90
        assert -180 <= metadata.gps.longitude <= 180


def test_a_photo_without_any_notes_opens() -> None:
    """Screenshots and messengers' copies have none."""
    assert open_image(written(quarters(), "PNG")).metadata == PhotoMetadata()

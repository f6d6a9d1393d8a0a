"""What the camera wrote beside the pixels: when, where and with what a photo was taken.

Cameras, phones, scanners and editors write nonsense of every kind here. What makes no sense is taken for not written;
nothing in this file raises because of what a photo says.
"""

from __future__ import annotations

import contextlib
import math
import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from PIL import ExifTags, Image

from catalog.domain.photos import GpsPosition, PhotoMetadata

MAX_TEXT = 100
"""A camera's name is cut after so many characters."""

FIRST_PHOTO = 1826
"""No photo is older than Niépce's view from his window; scans of old ones are often dated by hand."""

Tags = Mapping[int, Any]

_Base, _Gps = ExifTags.Base, ExifTags.GPS

_TIMES = (
    (_Base.DateTimeOriginal, _Base.SubsecTimeOriginal, _Base.OffsetTimeOriginal),
    (_Base.DateTimeDigitized, _Base.SubsecTimeDigitized, _Base.OffsetTimeDigitized),
    (_Base.DateTime, _Base.SubsecTime, _Base.OffsetTime),
)
"""Where EXIF may say when, the best first. The GPS time is left out: it is that of the last fix, often hours old."""

_XMP_TIMES = re.compile(
    rb"(exif:DateTimeOriginal|photoshop:DateCreated|xmp:CreateDate)(?:\s*=\s*[\"']|>)([^<\"']{10,40})"
)

_TIME = re.compile(
    r"(?P<year>\d{4})[:/.-](?P<month>\d{1,2})[:/.-](?P<day>\d{1,2})"
    r"(?:[ T]+(?P<hour>\d{1,2}):(?P<minute>\d{1,2})(?::(?P<second>\d{1,2})(?:[.,](?P<fraction>\d+))?)?)?"
    r"\s*(?P<offset>Z|[+-]\d{1,2}:?\d{2})?"
)
_OFFSET = re.compile(r"(?P<sign>[+-])(?P<hours>\d{1,2}):?(?P<minutes>\d{2})")


def load_exif(raw: bytes | None) -> Image.Exif:
    """Parsed EXIF, empty where it is missing or damaged beyond reading."""
    exif = Image.Exif()
    if raw:
        # Pillow raises whatever a broken directory happens to lead to: SyntaxError, struct.error, OverflowError ...
        with contextlib.suppress(Exception):
            exif.load(raw)
    return exif


def read_metadata(exif: Image.Exif, xmp: bytes | str | None = None) -> PhotoMetadata:
    """Taken-at, camera and position. XMP is asked for the time only, and only where EXIF has none."""
    base: Tags = _tags(exif)
    detail = {**base, **_tags(exif, ExifTags.IFD.Exif)}
    taken_at, offset = _taken_at(detail)
    if taken_at is None and xmp:
        taken_at, offset = _taken_at_of_xmp(xmp if isinstance(xmp, bytes) else xmp.encode("utf-8", "replace"))
    return PhotoMetadata(
        taken_at=taken_at,
        taken_at_offset=offset,
        camera_make=_text(base.get(_Base.Make)),
        camera_model=_text(base.get(_Base.Model)),
        gps=_position(_tags(exif, ExifTags.IFD.GPSInfo)),
    )


def orientation_of(exif: Image.Exif) -> int:
    """The EXIF orientation, 1 to 8; 1 where it is missing or nonsense."""
    value = _tags(exif).get(_Base.Orientation)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _tags(exif: Image.Exif, directory: ExifTags.IFD | None = None) -> dict[int, Any]:
    """One directory of EXIF, value by value, so that a broken one costs only itself."""
    tags: dict[int, Any] = {}
    with contextlib.suppress(Exception):  # see load_exif: a broken directory raises anything
        found = exif if directory is None else exif.get_ifd(directory)
        for tag in list(found):
            with contextlib.suppress(Exception):  # a broken value too
                tags[tag] = found[tag]
    return tags


# ------------------------------------------------------------------------------------------------------ when


def _taken_at(tags: Tags) -> tuple[datetime | None, int | None]:
    for time, fraction, offset in _TIMES:
        digits = re.match(r"\d*", _raw_text(tags.get(fraction)))
        taken_at = _parse_time(_raw_text(tags.get(time)), digits[0] if digits else "", _raw_text(tags.get(offset)))
        if taken_at[0] is not None:
            return taken_at
    return None, None


def _taken_at_of_xmp(xmp: bytes) -> tuple[datetime | None, int | None]:
    """A time in an XMP packet, found by its name: to parse a stranger's XML would be too much trust."""
    found = {name: value.decode("utf-8", "replace") for name, value in reversed(_XMP_TIMES.findall(xmp[: 1 << 20]))}
    for name in (b"exif:DateTimeOriginal", b"photoshop:DateCreated", b"xmp:CreateDate"):
        taken_at = _parse_time(found.get(name, ""))
        if taken_at[0] is not None:
            return taken_at
    return None, None


def _parse_time(text: str, fraction: str = "", offset: str = "") -> tuple[datetime | None, int | None]:
    """UTC and minutes east of it, or the camera's wall clock labelled UTC and None."""
    match = _TIME.fullmatch(text)
    if match is None:
        return None, None
    micros = int(((match["fraction"] or fraction) + "000000")[:6])
    try:
        wall = datetime(
            int(match["year"]),
            int(match["month"]),
            int(match["day"]),
            int(match["hour"] or 0),
            int(match["minute"] or 0),
            int(match["second"] or 0),
            micros,
            tzinfo=UTC,
        )
    except ValueError:
        return None, None
    if not FIRST_PHOTO <= wall.year <= datetime.now(UTC).year + 1:
        return None, None
    minutes = _parse_offset(match["offset"] or offset)
    return (wall, None) if minutes is None else (wall - timedelta(minutes=minutes), minutes)


def _parse_offset(text: str) -> int | None:
    if text == "Z":
        return 0
    match = _OFFSET.fullmatch(text)
    if match is None:
        return None
    minutes = int(match["hours"]) * 60 + int(match["minutes"])
    if int(match["minutes"]) > 59 or minutes > 14 * 60:  # no clock on Earth is further from UTC
        return None
    return -minutes if match["sign"] == "-" else minutes


# ------------------------------------------------------------------------------------------------------ where


def _position(tags: Tags) -> GpsPosition | None:
    latitude = _angle(tags.get(_Gps.GPSLatitude), tags.get(_Gps.GPSLatitudeRef), "N", "S", 90)
    longitude = _angle(tags.get(_Gps.GPSLongitude), tags.get(_Gps.GPSLongitudeRef), "E", "W", 180)
    if latitude is None or longitude is None or (latitude == 0 and longitude == 0):
        return None  # 0, 0 is what receivers write before they know
    return GpsPosition(latitude, longitude, _altitude(tags))


def _angle(value: Any, reference: Any, positive: str, negative: str, limit: int) -> float | None:
    """Degrees of (degrees, minutes, seconds); without its reference a number could mean either half of the Earth."""
    letter = _raw_text(reference)[:1].upper()
    if letter not in (positive, negative):
        return None
    parts = [_finite(part) for part in (value if isinstance(value, tuple) else (value,))]
    if not 1 <= len(parts) <= 3 or any(part is None or part < 0 for part in parts):
        return None
    degrees = math.fsum((part or 0.0) / 60.0**power for power, part in enumerate(parts))
    if degrees > limit:
        return None
    return -degrees if letter == negative else degrees


def _altitude(tags: Tags) -> float | None:
    meters = _finite(tags.get(_Gps.GPSAltitude))
    if meters is None or not 0 <= meters <= 100_000:
        return None
    return -meters if tags.get(_Gps.GPSAltitudeRef) in (1, b"\x01") else meters


def _finite(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    return number if math.isfinite(number) else None


# ------------------------------------------------------------------------------------------------------ with what


def _raw_text(value: Any) -> str:
    """A text tag up to its first NUL, without spaces around it; empty where it is not text."""
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    if not isinstance(value, str):
        return ""
    return value.split("\0", 1)[0].strip()


def _text(value: Any) -> str | None:
    """One line without control and formatting characters, or None."""
    text = _raw_text(value)
    with contextlib.suppress(UnicodeError):
        text = text.encode("latin-1").decode("utf-8")  # EXIF text is ASCII by the standard and UTF-8 by custom
    kept = "".join(" " if char.isspace() else char for char in text if char.isspace() or _is_graphic(char))
    return " ".join(kept.split())[:MAX_TEXT].strip() or None


def _is_graphic(char: str) -> bool:
    return not unicodedata.category(char).startswith("C")

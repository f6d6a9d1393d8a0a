"""The time at which a photo was taken, from the metadata inside its file.

Candidates in their order, the most trusted first: EXIF ``DateTimeOriginal``; XMP ``exif:DateTimeOriginal`` and
``photoshop:DateCreated``; IPTC date created; EXIF ``DateTimeDigitized`` and XMP ``xmp:CreateDate``; PNG
``Creation Time``; EXIF ``DateTime``, which is that of the last change. The GPS time is not used: it is that of the last
fix, which may be hours old. A value that cannot be understood counts as absent.
"""

from __future__ import annotations

import contextlib
import re
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from PIL import ExifTags, Image, ImageFile, IptcImagePlugin

from catalog.domain.local_day import DatePrecision
from catalog.domain.taken_at import DateSource, TakenAt

FIRST_PHOTO = 1826
"""Year of the oldest photo. Scans of old photos are often dated by hand."""

Moment = tuple[datetime, int | None, DatePrecision]
"""UTC and minutes east of it, or the camera's wall clock labelled UTC and None; and the precision of the text."""

_Base = ExifTags.Base

_XMP_TIMES = re.compile(
    rb"(exif:DateTimeOriginal|photoshop:DateCreated|xmp:CreateDate)(?:\s*=\s*[\"']|>)([^<\"']{10,40})"
)

_TIME = re.compile(
    r"(?P<year>\d{4})[:/.\\-](?P<month>\d{1,2})[:/.\\-](?P<day>\d{1,2})"
    r"(?:[ T]+(?P<hour>\d{1,2}):(?P<minute>\d{1,2})(?::(?P<second>\d{1,2})(?:[.,](?P<fraction>\d+))?)?"
    r"(?:\s*(?P<half>[ap])\.?m\.?)?)?"
    r"\s*(?P<offset>Z|[+-]\d{1,2}:?\d{2})?",
    re.IGNORECASE,
)
_OFFSET = re.compile(r"(?P<sign>[+-])(?P<hours>\d{1,2}):?(?P<minutes>\d{2})")

_IPTC_DATE, _IPTC_TIME = (2, 55), (2, 60)


def taken_at(tags: Mapping[int, Any], xmp: bytes | None, image: Image.Image | None) -> TakenAt | None:
    """The first candidate that can be understood, or None. ``tags`` are those of EXIF, main and detail directory."""
    for source, moment in _candidates(tags, xmp, image):
        if moment is not None:
            return TakenAt(moment[0], moment[1], moment[2], source)
    return None


def _candidates(
    tags: Mapping[int, Any], xmp: bytes | None, image: Image.Image | None
) -> Iterator[tuple[DateSource, Moment | None]]:
    times = _xmp_times(xmp)
    original = (_Base.DateTimeOriginal, _Base.SubsecTimeOriginal, _Base.OffsetTimeOriginal)
    digitized = (_Base.DateTimeDigitized, _Base.SubsecTimeDigitized, _Base.OffsetTimeDigitized)
    yield DateSource.EXIF, _exif_time(tags, *original)
    yield DateSource.XMP, parse_time(times.get(b"exif:DateTimeOriginal", ""))
    yield DateSource.XMP, parse_time(times.get(b"photoshop:DateCreated", ""))
    yield DateSource.IPTC, _iptc_time(image)
    yield DateSource.EXIF_DIGITIZED, _exif_time(tags, *digitized)
    yield DateSource.XMP_DIGITIZED, parse_time(times.get(b"xmp:CreateDate", ""))
    yield DateSource.PNG, _png_time(image)
    yield DateSource.EXIF_CHANGED, _exif_time(tags, _Base.DateTime, _Base.SubsecTime, _Base.OffsetTime)


def _exif_time(tags: Mapping[int, Any], time: int, fraction: int, offset: int) -> Moment | None:
    digits = re.match(r"\d*", raw_text(tags.get(fraction)))
    text = raw_text(tags.get(time))
    return parse_time(text, digits[0] if digits else "", raw_text(tags.get(offset)), is_exif=True)


def _xmp_times(xmp: bytes | None) -> dict[bytes, str]:
    """Times of an XMP packet by name. The XML of a file is hostile, so it is searched and not parsed."""
    matches = reversed(_XMP_TIMES.findall((xmp or b"")[: 1 << 20]))
    return {name: value.decode("utf-8", "replace") for name, value in matches}


def _iptc_time(image: Image.Image | None) -> Moment | None:
    """``YYYYMMDD`` and, if present, ``HHMMSS+HHMM`` of IPTC-IIM; 00 for month or day means unknown."""
    if not isinstance(image, ImageFile.ImageFile):
        return None
    values: Mapping[Any, Any] = {}
    with contextlib.suppress(Exception):  # a damaged block raises anything
        values = IptcImagePlugin.getiptcinfo(image) or {}
    date, time = raw_text(values.get(_IPTC_DATE)), raw_text(values.get(_IPTC_TIME))
    if not re.fullmatch(r"\d{8}", date):
        return None
    day = f"{date[:4]}-{date[4:6]}-{date[6:]}"
    if match := re.fullmatch(r"(\d\d)(\d\d)(\d\d)([+-]\d{4})?", time):
        return parse_time(f"{day} {match[1]}:{match[2]}:{match[3]}{match[4] or ''}")
    return parse_time(day)


def _png_time(image: Image.Image | None) -> Moment | None:
    """The text ``Creation Time`` of a PNG: as in a mail (RFC 1123), or as in ISO 8601."""
    text = "" if image is None else raw_text(image.info.get("Creation Time"))
    if not text:
        return None
    moment = parse_time(text)
    if moment is None:
        with contextlib.suppress(ValueError, TypeError, IndexError):
            moment = parse_time(parsedate_to_datetime(text).isoformat())
    return moment


def parse_time(text: str, fraction: str = "", offset: str = "", *, is_exif: bool = False) -> Moment | None:
    """Parse a date, with or without a time. None for a day that does not exist, or lies in the future.

    24:00:00 is the end of the day, as in ISO 8601. Any later time of hour 24 is, in EXIF, hour 0 of the same day: its
    writer counts hours from 1 to 24. Second 60, a leap second, is second 59.
    """
    match = _TIME.fullmatch(unicodedata.normalize("NFKC", text).strip())
    if match is None:
        return None
    hour, minute, second = (int(match[name] or 0) for name in ("hour", "minute", "second"))
    if match["half"] and 1 <= hour <= 12:
        hour = hour % 12 + (12 if match["half"].lower() == "p" else 0)
    days = 0
    if hour == 24 and (is_exif or minute == second == 0):
        hour, days = 0, 1 if minute == second == 0 else 0
    micros = int(((match["fraction"] or fraction) + "000000")[:6])
    year, month, day = int(match["year"]), int(match["month"]), int(match["day"])
    try:
        wall = datetime(year, month, day, hour, minute, min(second, 59) if second <= 60 else second, micros, tzinfo=UTC)
        wall += timedelta(days=days)
    except (ValueError, OverflowError):
        return None
    if not FIRST_PHOTO <= wall.year <= datetime.now(UTC).year + 1:
        return None
    minutes = _parse_offset(match["offset"] or offset)
    precision = (
        DatePrecision.SECOND if match["second"] else DatePrecision.MINUTE if match["hour"] else DatePrecision.DAY
    )
    return (wall, None, precision) if minutes is None else (wall - timedelta(minutes=minutes), minutes, precision)


def _parse_offset(text: str) -> int | None:
    if text in ("Z", "z"):
        return 0
    match = _OFFSET.fullmatch(text)
    if match is None:
        return None
    minutes = int(match["hours"]) * 60 + int(match["minutes"])
    if int(match["minutes"]) > 59 or minutes > 14 * 60:  # no zone on Earth is further from UTC
        return None
    return -minutes if match["sign"] == "-" else minutes


def raw_text(value: Any) -> str:
    """A text value up to its first NUL, stripped; empty if it is not text."""
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    if not isinstance(value, str):
        return ""
    return value.split("\0", 1)[0].strip()

"""Dates as programs write them into files: EXIF, XMP, IPTC and texts of users."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta

from catalog.domain.local_day import DatePrecision

FIRST_PHOTO = 1826
"""Year of the oldest photo. Scans of old photos are often dated by hand."""

Moment = tuple[datetime, int | None, DatePrecision]
"""UTC and minutes east of it, or the camera's wall clock labelled UTC and None; and the precision of the text."""

_CLOCK = (
    r"(?P<hour>\d{1,2}):(?P<minute>\d{1,2})(?::(?P<second>\d{1,2})(?:[.,](?P<fraction>\d+))?)?"
    r"(?:\s*(?P<half>[ap])\.?m\.?|\s*(?P<noon>vorm\.?|nachm\.?))?"
)
_TIME = re.compile(
    rf"(?P<year>\d{{4}})(?:[:/.\\-](?P<month>\d{{1,2}})(?:[:/.\\-](?P<day>\d{{1,2}}))?)?(?:[ T]+{_CLOCK})?"
    r"\s*(?P<offset>Z|[+-]\d{1,2}:?\d{2})?",
    re.IGNORECASE,
)
_PARTIAL = re.compile(
    r"(?P<year>\d{4})(?:[:/.\\-](?P<month>\d\d|[ -]{0,2})(?:[:/.\\-](?:00|[ -]{0,2}))?)?(?:[ T]+[0: -]*)?"
)
"""A date whose day, or month and day, are missing, zero or blank."""
_OFFSET = re.compile(r"(?P<sign>[+-])(?P<hours>\d{1,2}):?(?P<minutes>\d{2})")


def parse_time(text: str, fraction: str = "", offset: str = "", *, is_exif: bool = False) -> Moment | None:
    """Parse a date, with or without a time. None for a day that does not exist, or lies in the future.

    ``1948`` and ``1948-06`` are a year and a month, and so are dates whose day, or month and day, are 00 or blank.

    24:00:00 is the end of the day, as in ISO 8601. Any later time of hour 24 is, in EXIF, hour 0 of the same day: its
    writer counts hours from 1 to 24. Second 60, a leap second, is second 59.
    """
    text = unicodedata.normalize("NFKC", text).strip()
    partial = _partial(text)
    if partial is not None:
        return partial
    match = _TIME.fullmatch(text)
    if match is None or (match["hour"] and not match["day"]):
        return None
    hour, minute, second = (int(match[name] or 0) for name in ("hour", "minute", "second"))
    half = (match["half"] or "").lower() or {"v": "a", "n": "p"}.get((match["noon"] or "")[:1].lower(), "")
    if half and 1 <= hour <= 12:
        hour = hour % 12 + (12 if half == "p" else 0)
    days = 0
    if hour == 24 and (is_exif or minute == second == 0):
        hour, days = 0, 1 if minute == second == 0 else 0
    micros = int(((match["fraction"] or fraction) + "000000")[:6])
    year, month, day = int(match["year"]), int(match["month"] or 1), int(match["day"] or 1)
    try:
        wall = datetime(year, month, day, hour, minute, min(second, 59) if second <= 60 else second, micros, tzinfo=UTC)
        wall += timedelta(days=days)
    except (ValueError, OverflowError):
        return None
    precision = _precision(match)
    if not is_plausible(wall):
        return None
    minutes = parse_offset(match["offset"] or offset)
    if minutes is None or precision not in (DatePrecision.SECOND, DatePrecision.MINUTE):
        return wall, None, precision
    return wall - timedelta(minutes=minutes), minutes, precision


def is_plausible(wall: datetime) -> bool:
    """False for a date before the first photo, or more than a day ahead."""
    return wall.year >= FIRST_PHOTO and wall <= datetime.now(UTC) + timedelta(days=1)


def _precision(match: re.Match[str]) -> DatePrecision:
    for name, precision in (
        ("second", DatePrecision.SECOND),
        ("hour", DatePrecision.MINUTE),
        ("day", DatePrecision.DAY),
        ("month", DatePrecision.MONTH),
    ):
        if match[name]:
            return precision
    return DatePrecision.YEAR


def _partial(text: str) -> Moment | None:
    """Parse a date with zeros or blanks for the day, or for month and day: ``1987:06:00 00:00:00``, ``1987:06:  ``."""
    match = _PARTIAL.fullmatch(text)
    if match is None:
        return None
    month = (match["month"] or "").strip(" -")
    year, number = int(match["year"]), int(month or 0)
    if not year >= FIRST_PHOTO or number > 12:
        return None
    wall = datetime(year, number or 1, 1, tzinfo=UTC)
    return (wall, None, DatePrecision.MONTH if number else DatePrecision.YEAR) if is_plausible(wall) else None


def parse_offset(text: str) -> int | None:
    """Parse an offset in minutes east of UTC: ``Z``, ``+02:00``, ``-0330``. None for any other text."""
    if text in ("Z", "z"):
        return 0
    match = _OFFSET.fullmatch(text)
    if match is None:
        return None
    minutes = int(match["hours"]) * 60 + int(match["minutes"])
    if int(match["minutes"]) > 59 or minutes > 14 * 60:  # no zone on Earth is further from UTC
        return None
    return -minutes if match["sign"] == "-" else minutes

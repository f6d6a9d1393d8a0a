"""Dates that a user decides: a date for photos, a shift of a wrong clock, and a stack between two dates."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from catalog.domain.date_text import parse_time
from catalog.domain.errors import UsageError
from catalog.domain.local_day import DatePrecision, LocalSpan
from catalog.domain.photo_date import PhotoDate
from catalog.domain.taken_at import DateSource, date_text, parse_date_text

UNKNOWN = "unknown"
"""Text of a user for photos without a date."""

_SHIFT = re.compile(r"(?P<sign>[+-]?)(?:(?P<w>\d+)w)?(?:(?P<d>\d+)d)?(?:(?P<h>\d+)h)?(?:(?P<m>\d+)m)?(?:(?P<s>\d+)s)?")
_UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_EXACT = (DatePrecision.MINUTE, DatePrecision.SECOND)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ShiftedDates:
    """The shifted dates, and the number of photos whose date cannot be shifted: none, or not exact enough."""

    dates: tuple[PhotoDate, ...]
    left: int


def user_date(text: str) -> str | None:
    """Parse the date of a user; None for ``unknown``. Raises ``UsageError`` for another text and for the future."""
    if text.strip().lower() == UNKNOWN:
        return None
    moment = parse_time(text)
    if moment is None:
        raise UsageError(
            f'"{text}" is not a date of a photo.',
            remedy="Use a year, a month, a day or a time: 1948, 1948-06, 1948-06-12, 1948-06-12T15:30; or `unknown`.",
        )
    return date_text(*moment)


def parse_shift(text: str) -> timedelta:
    """Parse a shift: ``+1d2h``, ``-30m``, ``1w``. Raises ``UsageError`` for another text and for no shift."""
    match = _SHIFT.fullmatch(text.strip())
    shift = timedelta()
    if match is not None:
        try:
            shift = timedelta(**{_UNITS[unit]: int(match[unit] or 0) for unit in _UNITS})
        except OverflowError:
            match = None
    if match is None or not shift:
        raise UsageError(
            f'"{text}" is not a shift of a clock.',
            remedy="Use weeks, days, hours, minutes, seconds: +1d2h, -30m, +12s.",
        )
    return -shift if match["sign"] == "-" else shift


def shifted(dates: Sequence[PhotoDate], shift: timedelta) -> ShiftedDates:
    """Shift dates. A day can be shifted by whole days only; a month, a year and no date cannot be shifted.

    Raises ``UsageError`` for a shift out of the calendar.
    """
    changed: list[PhotoDate] = []
    for date in dates:
        if date.date is None:
            continue
        moment, offset, precision = parse_date_text(date.date)
        if precision in _EXACT or (precision is DatePrecision.DAY and not shift % _DAY):
            try:
                changed.append(PhotoDate(date.sha256, date_text(moment + shift, offset, precision), DateSource.USER))
            except OverflowError as error:
                raise UsageError("The shift leads out of the calendar.", remedy="Nothing was changed.") from error
    return ShiftedDates(tuple(changed), len(dates) - len(changed))


def spread(contents: Sequence[str], first: str, last: str) -> tuple[PhotoDate, ...]:
    """Dates of a stack of photos in their order, from the start of ``first`` to the end of ``last``.

    Each date is as exact as the less exact of the two, at most a day. Raises ``UsageError`` if ``last`` is earlier.
    """
    (start, begin), (end, finish) = _limit(first), _limit(last)
    if finish.last < begin.first:
        raise UsageError(f"The stack ends with {last}, before it begins with {first}.", remedy="Exchange the dates.")
    order = list(DatePrecision)
    precision = min(start, end, DatePrecision.DAY, key=order.index)
    earliest, latest = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (begin.first, finish.last))
    step = (latest - earliest) / max(1, len(contents) - 1)
    return tuple(
        PhotoDate(sha256, LocalSpan.of(earliest + number * step, precision).text, DateSource.ESTIMATE)
        for number, sha256 in enumerate(contents)
    )


def _limit(text: str) -> tuple[DatePrecision, LocalSpan]:
    date = user_date(text)
    if date is None:
        raise UsageError("A stack needs two dates.", remedy="Use years, months or days: 1948-06 1952.")
    moment, offset, precision = parse_date_text(date)
    return precision, LocalSpan.of(moment + timedelta(minutes=offset or 0), precision)

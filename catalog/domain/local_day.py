"""Days as they were where a photo was taken: the only module that compares dates of photos with periods.

The date of a photo is a span of local time: a year, a month, a day, a minute or a second. A photo of ``1948-06`` may be
of any day of June 1948, so that it lies in every period that overlaps the month. Local times are text in the form
``YYYY-MM-DDTHH:MM:SS``, which compares as the times do.
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum

from catalog.domain.errors import UsageError
from catalog.domain.timestamps import utc_text

_LENGTH = len("YYYY-MM-DDTHH:MM:SS")
_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?")
_FIRST = "0001-01-01T00:00:00"
_LAST = "9999-12-31T23:59:59"


class DatePrecision(StrEnum):
    """The smallest unit that the source names. The parts below it are the lowest possible and mean nothing."""

    YEAR = "year"
    MONTH = "month"
    DAY = "day"
    MINUTE = "minute"
    SECOND = "second"


TEXT_LENGTHS = {
    DatePrecision.YEAR: 4,
    DatePrecision.MONTH: 7,
    DatePrecision.DAY: 10,
    DatePrecision.MINUTE: 16,
    DatePrecision.SECOND: _LENGTH,
}
"""Characters of a local time that a precision keeps."""


@dataclass(frozen=True, slots=True)
class LocalSpan:
    """The first and the last second, local time, at which a photo may have been taken."""

    first: str
    last: str
    precision: DatePrecision = DatePrecision.SECOND

    @classmethod
    def of(cls, wall: datetime, precision: DatePrecision) -> LocalSpan:
        """The span of a wall clock. The parts of ``wall`` below the precision are ignored."""
        first = _text(wall)[: TEXT_LENGTHS[precision]] + _FIRST[TEXT_LENGTHS[precision] :]
        match precision:
            case DatePrecision.YEAR:
                last = first[:4] + _LAST[4:]
            case DatePrecision.MONTH:
                last = f"{first[:8]}{monthrange(wall.year, wall.month)[1]}{_LAST[10:]}"
            case _:
                last = first[: TEXT_LENGTHS[precision]] + _LAST[TEXT_LENGTHS[precision] :]
        return cls(first, last, precision)

    @property
    def text(self) -> str:
        """The date cut to its precision: ``1948``, ``1948-06``, ``2004-06-12``, ``2004-06-12T10:30:00``."""
        return self.first[: TEXT_LENGTHS[self.precision]]

    @property
    def day(self) -> str:
        """As :attr:`text`, without the time of day."""
        return self.text[:10]

    def contains(self, other: LocalSpan) -> bool:
        return self.first <= other.first and other.last <= self.last

    def is_before(self, day: str) -> bool:
        """True if the photo was taken before this day (``YYYY-MM-DD``), whichever part of the span is right."""
        return self.last[:10] < day


@dataclass(frozen=True, slots=True)
class Period:
    """The limits of a search. Empty texts are no limit.

    ``since`` and ``until`` are the first and the last local second. ``since_utc`` and ``until_utc`` are times with a
    zone, compared with the moment in UTC.
    """

    since: str = ""
    until: str = ""
    since_utc: str = ""
    until_utc: str = ""

    @classmethod
    def parse(cls, since: str | date | None, until: str | date | None, *, names: tuple[str, str] = ("", "")) -> Period:
        """Parse the limits of an option. Both are inclusive: until 2020 means until the end of 2020.

        A limit is a year, a month, a day, a local time, or a time with a zone. ``names`` are the names of the options
        in messages. Raises ``UsageError`` for another text, and for a period that is empty.
        """
        first, first_utc = _limit(names[0], since, is_end=False)
        last, last_utc = _limit(names[1], until, is_end=True)
        if (first and last and first > last) or (first_utc and last_utc and first_utc > last_utc):
            raise UsageError(f"The search period from {since} to {until} is empty.")
        return cls(first, last, first_utc, last_utc)

    @property
    def is_open(self) -> bool:
        """True without any limit."""
        return not (self.since or self.until or self.since_utc or self.until_utc)

    def contains(self, span: LocalSpan | None, moment: datetime | None) -> bool:
        """True if the photo may be of the period. A photo without a date is in no period that has a limit."""
        if span is None or moment is None:
            return self.is_open
        if (self.since and span.last < self.since) or (self.until and span.first > self.until):
            return False
        stored = utc_text(moment) or ""
        return not ((self.since_utc and stored < self.since_utc) or (self.until_utc and stored > self.until_utc))

    def parameters(self) -> dict[str, str]:
        """The limits as SQL parameters. With a limit, the lowest times exclude photos without a date.

        ``since_event`` and ``until_event`` are the limits for times of scans and charges, which have no place: UTC.
        """
        return {
            "since": self.since or ("" if self.is_open else _FIRST),
            "until": self.until or _LAST,
            "since_utc": self.since_utc,
            "until_utc": self.until_utc or f"{_LAST}.999999Z",
            "since_event": self.since_utc or f"{self.since or _FIRST}.000000Z",
            "until_event": self.until_utc or f"{self.until or _LAST}.999999Z",
        }


ANY_TIME = Period()


def _limit(name: str, value: str | date | None, *, is_end: bool) -> tuple[str, str]:
    """Return a limit as local time and as UTC; at most one of them is not empty."""
    if value is None:
        return "", ""
    if isinstance(value, date) and not isinstance(value, datetime):
        value = value.isoformat()
    try:
        if isinstance(value, str) and (match := _DATE.fullmatch(value)):
            year, month, day = (int(part) if part else 0 for part in match.groups())
            precision = DatePrecision.DAY if day else DatePrecision.MONTH if month else DatePrecision.YEAR
            if year == 0:
                raise ValueError
            span = LocalSpan.of(datetime(year, month or 1, day or 1, tzinfo=UTC), precision)
            return (span.last if is_end else span.first), ""
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        if moment.tzinfo is not None:
            return "", utc_text(moment) or ""
        return _text(moment), ""
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f'{name} is "{value}", which is not a date.' if name else f'"{value}" is not a date.',
            remedy="Use a year, a month, a day or a time: 2020, 2020-05, 2020-05-17, 2020-05-17T12:00:00.",
        ) from error


def _text(wall: datetime) -> str:
    # Not strftime: it does not pad years before 1000 on Linux.
    return wall.replace(tzinfo=None, microsecond=0).isoformat()

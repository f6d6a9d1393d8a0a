"""Choose the date of a photo among what its file, the files beside it and its names say.

The most trusted source wins, in the order of ``DateSource``, with these exceptions:

- The dates of a scanner are those of the scan. Only a date that a user wrote, or a name that is at least a year older,
  says when the photo was taken.
- A camera whose clock was perhaps never set ranks last, unless another source names the same day.
- A source that names the same span more exactly gives the exact date.
- A wall clock gets the offset that another source implies: the same time with an offset, or the same moment in UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo

from catalog.domain.local_day import DatePrecision
from catalog.domain.taken_at import DateSource, TakenAt

_ORDER = {source: rank for rank, source in enumerate(DateSource)}
_CAMERA = frozenset(
    {DateSource.EXIF, DateSource.XMP, DateSource.EXIF_DIGITIZED, DateSource.XMP_DIGITIZED, DateSource.EXIF_CHANGED}
)
_SCAN_TIMES = frozenset({DateSource.EXIF_DIGITIZED, DateSource.XMP_DIGITIZED, DateSource.EXIF_CHANGED})
_NAMES = frozenset({DateSource.FILE_NAME, DateSource.FOLDER_NAME})
_WITNESSES = _NAMES | {
    DateSource.GPS,
    DateSource.TAKEOUT,
    DateSource.SIDECAR,
    DateSource.IPTC,
    DateSource.APPLE_CORRECTED,
}
"""Sources that do not follow the camera's clock."""
_EXACT = (DatePrecision.MINUTE, DatePrecision.SECOND)

_FIRST_DAYS = frozenset(
    ["1904-01-01", "1970-01-01", "1980-01-01", "1999-12-31"]
    + [f"{year}-01-01" for year in (2000, 2001, 2002, 2005, 2008)]
)
"""Days on which clocks begin that were never set."""
_FIRST_HOURS = 4
"""A clock that begins shows the first hours of its day on the first photos."""
_ZERO_DAYS = frozenset(["1904-01-01", "1969-12-31", "1970-01-01"])
"""Days of a timestamp 0, in any zone. No digital camera took a photo then."""
_FIRST_GPS_YEAR = 1994
"""GPS was complete in 1993. An earlier date comes from a receiver whose count of weeks began again."""
_YEAR = timedelta(days=365)
_GPS_REMAINDER = timedelta(minutes=3)
_REMAINDER = timedelta(seconds=2)
"""Difference of two sources of one moment, beyond whole quarters of an hour. GPS has the time of its last fix."""
_QUARTER = timedelta(minutes=15)
_FURTHEST = timedelta(hours=14)


def choose_date(candidates: Sequence[TakenAt], *, is_scan: bool = False, zone: tzinfo | None = None) -> TakenAt | None:
    """Return the date of the photo, or None.

    ``candidates`` of one source are in their order. ``is_scan``: a scanner or a scanning program wrote the file.
    ``zone`` is the zone of the library, for sources that know no zone but UTC.
    """
    usable = [date for date in candidates if not _is_zero(date) and not _is_old_gps(date)]
    if is_scan:
        usable = _without_scan_times(usable)
    usable = [_distrusted(date, usable) for date in usable]
    usable.sort(key=lambda date: _ORDER[date.source])
    if not usable:
        return None
    chosen = _refined(usable[0], usable)
    if chosen.source is DateSource.GPS:
        return _day_of_gps(chosen, zone)
    if chosen.precision not in _EXACT:
        return chosen
    if chosen.is_instant:
        return _localized(chosen, usable, zone)
    return chosen if chosen.offset is not None else chosen.at_offset(_implied_offset(chosen, usable))


def _is_zero(date: TakenAt) -> bool:
    is_camera = date.source in _CAMERA or date.source is DateSource.QUICKTIME
    return is_camera and date.precision in _EXACT and date.span.day in _ZERO_DAYS


def _is_old_gps(date: TakenAt) -> bool:
    return date.source is DateSource.GPS and date.moment.year < _FIRST_GPS_YEAR


def _without_scan_times(dates: Sequence[TakenAt]) -> list[TakenAt]:
    """Leave out the time of the scan, and names that are not clearly older than the scan."""
    written = [date for date in dates if date.source is DateSource.EXIF]
    times = [date for date in dates if date.source in _SCAN_TIMES]
    # A user who dates a scan changes DateTimeOriginal alone. Without a second time, the only one is the scanner's.
    scan_days = {date.span.day for date in times or written}
    scanned = min((date.wall for date in times or written), default=None)
    return [date for date in dates if not _is_of_scan(date, scan_days, scanned)]


def _is_of_scan(date: TakenAt, scan_days: set[str], scanned: datetime | None) -> bool:
    if date.source in _NAMES:
        return scanned is not None and date.wall > scanned - _YEAR
    return date.source in _SCAN_TIMES or date.span.day in scan_days


def _distrusted(date: TakenAt, dates: Sequence[TakenAt]) -> TakenAt:
    """The date of a clock that was perhaps never set gets that source, unless another source names the day."""
    if date.source not in _CAMERA or date.precision not in _EXACT:
        return date
    if date.span.day not in _FIRST_DAYS or date.wall.hour >= _FIRST_HOURS:
        return date
    if any(candidate.source in _WITNESSES and _names_day(candidate, date) for candidate in dates):
        return date
    return replace(date, source=DateSource.CLOCK_NOT_SET)


def _names_day(candidate: TakenAt, date: TakenAt) -> bool:
    return candidate.span.day == date.span.day or candidate.span.contains(date.span)


def _refined(chosen: TakenAt, dates: Sequence[TakenAt]) -> TakenAt:
    """The first date that lies in the span of the chosen one and is more exact, else the chosen one."""
    if chosen.precision in _EXACT:
        return chosen
    untrusted = (DateSource.CLOCK_NOT_SET, DateSource.EXIF_CHANGED, DateSource.GPS)
    exact = [
        date
        for date in dates
        if date.source not in untrusted and date.span != chosen.span and chosen.span.contains(date.span)
    ]
    return _refined(exact[0], dates) if exact else chosen


def _day_of_gps(date: TakenAt, zone: tzinfo | None) -> TakenAt:
    """The day of a GPS time in the library's zone: the last fix may be hours old."""
    wall = date.moment if zone is None else date.moment.astimezone(zone).replace(tzinfo=date.moment.tzinfo)
    day = wall.replace(hour=0, minute=0, second=0, microsecond=0)
    return TakenAt(day, None, DatePrecision.DAY, DateSource.GPS)


def _localized(date: TakenAt, dates: Sequence[TakenAt], zone: tzinfo | None) -> TakenAt:
    """A moment in UTC with the offset that a wall clock implies, else that of the library's zone."""
    for candidate in dates:
        if (
            candidate.offset is None
            and candidate.precision is DatePrecision.SECOND
            and candidate.source not in _SCAN_TIMES
        ):
            offset = _quarters(candidate.wall - date.moment, _REMAINDER)
            if offset is not None:
                return TakenAt(date.moment, offset, date.precision, date.source)
    difference = None if zone is None else date.moment.astimezone(zone).utcoffset()
    offset = 0 if difference is None else round(difference.total_seconds() / 60)
    return TakenAt(date.moment, offset, date.precision, date.source)


def _implied_offset(chosen: TakenAt, dates: Sequence[TakenAt]) -> int | None:
    """The offset of a wall clock that other sources imply, in minutes east of UTC."""
    for candidate in dates:
        if candidate.offset is not None and not candidate.is_instant and _same_clock(candidate, chosen):
            return candidate.offset
    for candidate in dates:
        if candidate.is_instant:
            remainder = _GPS_REMAINDER if candidate.source is DateSource.GPS else _REMAINDER
            offset = _quarters(chosen.wall - candidate.moment, remainder)
            if offset is not None:
                return offset
    return None


def _same_clock(candidate: TakenAt, chosen: TakenAt) -> bool:
    return candidate.precision in _EXACT and abs(candidate.wall - chosen.wall) < timedelta(seconds=1)


def _quarters(difference: timedelta, remainder: timedelta) -> int | None:
    """A difference in minutes if it is that of a zone: whole quarters of an hour, at most 14 hours."""
    quarters = round(difference / _QUARTER)
    if abs(difference) > _FURTHEST + remainder or abs(difference - quarters * _QUARTER) >= remainder:
        return None
    return quarters * 15

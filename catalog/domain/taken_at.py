"""When a photo was taken: the moment, how exact it is, and what says so."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from catalog.domain.local_day import DatePrecision, LocalSpan

_DATE_TEXT = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d)(?:T(?P<hour>\d\d):(?P<minute>\d\d)"
    r"(?::(?P<second>\d\d)(?:\.(?P<fraction>\d{6}))?)?(?P<offset>[+-]\d\d:[0-5]\d)?)?)?)?"
)


class DateSource(StrEnum):
    """Sources of the date at which a photo was taken, the most trusted first."""

    USER = "user"
    """A decision of a user."""
    ESTIMATE = "estimate"
    """A decision of a user about a stack of photos: a date between the first and the last one of the stack."""
    SIDECAR = "sidecar"
    APPLE_CORRECTED = "apple_corrected"
    """A date in a library of Apple Photos that is another one than that of the file: a user corrected it."""
    EXIF = "exif"
    XMP = "xmp"
    IPTC = "iptc"
    TAKEOUT = "takeout"
    APPLE_PHOTOS = "apple_photos"
    EXIF_DIGITIZED = "exif_digitized"
    XMP_DIGITIZED = "xmp_digitized"
    PNG = "png"
    QUICKTIME = "quicktime"
    GPS = "gps"
    FILE_NAME = "file_name"
    FOLDER_NAME = "folder_name"
    CLOCK_NOT_SET = "clock_not_set"
    """EXIF of a camera whose clock was perhaps never set, used only if no other source says anything."""
    EXIF_CHANGED = "exif_changed"
    """The time of the last change, used only if nothing else says anything."""


@dataclass(frozen=True, slots=True)
class TakenAt:
    """``moment`` is UTC if ``offset`` (minutes east of UTC) is known, else the camera's wall clock labelled UTC.

    ``moment`` is the start of the span that ``precision`` names. ``is_instant`` is True for a source that states UTC
    and does not know the zone of the place; ``offset`` is 0 then.
    """

    moment: datetime
    offset: int | None
    precision: DatePrecision
    source: DateSource
    is_instant: bool = False

    @property
    def wall(self) -> datetime:
        """The wall clock at the place, labelled UTC."""
        return self.moment + timedelta(minutes=self.offset or 0)

    @property
    def span(self) -> LocalSpan:
        return LocalSpan.of(self.wall, self.precision)

    def at_offset(self, offset: int | None) -> TakenAt:
        """The same wall clock with another offset."""
        moment = self.wall - timedelta(minutes=offset or 0)
        return TakenAt(moment, offset, self.precision, self.source)


def date_text(moment: datetime, offset: int | None, precision: DatePrecision) -> str:
    """The local date, cut to its precision: ``1948``, ``1948-06``, ``2004-06-12T10:30:00+02:00``.

    The offset is written only for a precision of a minute or finer.
    """
    wall = moment + timedelta(minutes=offset or 0)
    text = LocalSpan.of(wall, precision).text
    if precision not in (DatePrecision.MINUTE, DatePrecision.SECOND):
        return text
    if precision is DatePrecision.SECOND and wall.microsecond:
        text += f".{wall.microsecond:06}"
    if offset is None:
        return text
    hours, minutes = divmod(abs(offset), 60)
    return f"{text}{'-' if offset < 0 else '+'}{hours:02}:{minutes:02}"


def parse_date_text(text: str) -> tuple[datetime, int | None, DatePrecision]:
    """Parse a text of :func:`date_text`: moment, offset, precision. Raises ``ValueError`` for any other text."""
    match = _DATE_TEXT.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not the date of a photo")
    names = ("month", "day", "minute", "second")
    precisions = (DatePrecision.MONTH, DatePrecision.DAY, DatePrecision.MINUTE, DatePrecision.SECOND)
    matched_precisions = [precision for name, precision in zip(names, precisions, strict=True) if match[name]]
    micros = int((match["fraction"] or "").ljust(6, "0"))
    hour, minute, second = (int(match[name] or 0) for name in ("hour", "minute", "second"))
    day = datetime(int(match["year"]), int(match["month"] or 1), int(match["day"] or 1), tzinfo=UTC)
    wall = day.replace(hour=hour, minute=minute, second=second, microsecond=micros)
    if match["offset"] is None:
        return wall, None, matched_precisions[-1] if matched_precisions else DatePrecision.YEAR
    offset = int(match["offset"][:3]) * 60 + int(match["offset"][0] + match["offset"][4:])
    return wall - timedelta(minutes=offset), offset, matched_precisions[-1]

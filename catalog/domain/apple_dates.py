"""The date that Apple Photos has of a photo, and whether a user corrected it there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import isfinite

from catalog.domain.date_text import is_plausible, parse_time
from catalog.domain.local_day import DatePrecision
from catalog.domain.taken_at import DateSource, TakenAt

_EPOCH = datetime(2001, 1, 1, tzinfo=UTC)
_MAX_SECONDS = 10_000_000_000
_MAX_OFFSET = 18 * 60
_TOLERANCE = timedelta(seconds=2)
"""Photos keeps fractions of a second, and the text of the file may lack them."""


@dataclass(frozen=True, slots=True)
class AppleDate:
    """``created`` is in seconds since 2001-01-01 UTC, ``offset`` in minutes east of UTC, None if it is not known.

    ``in_file`` is the date of the original file as Photos read it from EXIF; None if the file has none.
    """

    created: float
    offset: int | None = None
    in_file: str | None = None

    @classmethod
    def of_columns(cls, created: object, offset: object, in_file: object) -> AppleDate | None:
        """The date in cells of any type; ``offset`` is in seconds there. None without a usable date."""
        if not isinstance(created, int | float) or not isfinite(created) or not 0 < abs(created) < _MAX_SECONDS:
            return None
        minutes = round(offset / 60) if isinstance(offset, int) and abs(offset) <= _MAX_OFFSET * 60 else None
        return cls(float(created), minutes, in_file[:64] if isinstance(in_file, str) else None)

    def taken_at(self) -> TakenAt | None:
        """The date of the photo; ``APPLE_CORRECTED`` if it is another one than the file has, which a user decided."""
        moment = _EPOCH + timedelta(milliseconds=round(self.created * 1000))
        if not is_plausible(moment + timedelta(minutes=self.offset or 0)):
            return None
        if self.offset is None:
            return TakenAt(moment, 0, DatePrecision.SECOND, DateSource.APPLE_PHOTOS, is_instant=True)
        source = DateSource.APPLE_CORRECTED if self._is_corrected(moment) else DateSource.APPLE_PHOTOS
        return TakenAt(moment, self.offset, DatePrecision.SECOND, source)

    def _is_corrected(self, moment: datetime) -> bool:
        """Compare wall clocks: for a file without a zone, Photos chooses the zone so that they are the same."""
        parsed = None if self.in_file is None else parse_time(self.in_file, is_exif=True)
        if parsed is None or self.offset is None:
            return False
        in_file = TakenAt(*parsed, DateSource.EXIF)
        if in_file.precision is not DatePrecision.SECOND:
            return False
        return abs(moment + timedelta(minutes=self.offset) - in_file.wall) > _TOLERANCE

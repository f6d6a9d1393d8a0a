"""When a photo was taken: the moment, how exact it is, and what says so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class DatePrecision(StrEnum):
    """The smallest unit that the source names. The parts below it are 0 and mean nothing."""

    DAY = "day"
    MINUTE = "minute"
    SECOND = "second"


class DateSource(StrEnum):
    """Sources of the date at which a photo was taken, the most trusted first."""

    EXIF = "exif"
    XMP = "xmp"
    IPTC = "iptc"
    EXIF_DIGITIZED = "exif_digitized"
    XMP_DIGITIZED = "xmp_digitized"
    PNG = "png"
    FILE_NAME = "file_name"
    FOLDER_NAME = "folder_name"
    EXIF_CHANGED = "exif_changed"
    """The time of the last change, used only if nothing else says anything."""


@dataclass(frozen=True, slots=True)
class TakenAt:
    """``moment`` is UTC if ``offset`` (minutes east of UTC) is known, else the camera's wall clock labelled UTC."""

    moment: datetime
    offset: int | None
    precision: DatePrecision
    source: DateSource

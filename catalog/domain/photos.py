"""Photos: listed, described and counted. Times are aware ``datetime`` in UTC."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from catalog.domain.charges import Charge
from catalog.domain.local_day import DatePrecision
from catalog.domain.taken_at import DateSource, TakenAt


class PhotoRef(NamedTuple):
    """One file or object of a listing, which was not read. A named tuple, because a scan creates one for every file.

    ``uri`` is ``file://`` percent-encoded from the raw bytes of the name, or ``s3://bucket/key``. ``size`` is in bytes,
    ``modified_ns`` in nanoseconds since the epoch. ``etag`` is the ETag of an object or the inode of a file, compared
    for equality only.
    """

    uri: str
    size: int
    modified_ns: int
    etag: str = ""
    version: str | None = None


@dataclass(frozen=True, slots=True)
class S3Address:
    """Address from which an engine in the same region reads a photo directly, instead of receiving its bytes."""

    bucket: str
    key: str
    version: str | None
    etag: str
    region: str | None = None


@dataclass(frozen=True, slots=True)
class GpsPosition:
    """WGS 84, in degrees: latitude -90..90 (north positive), longitude -180..180 (east positive); altitude in m."""

    latitude: float
    longitude: float
    altitude: float | None = None


@dataclass(frozen=True, slots=True)
class PhotoMetadata:
    """Metadata written by the camera.

    ``taken_at`` is UTC if ``taken_at_offset`` (minutes east of UTC) is known. Otherwise ``taken_at`` is the camera's
    wall clock, labelled UTC. ``taken_at_source`` and ``taken_at_precision`` are None exactly if ``taken_at`` is.
    ``dates`` are all dates that were found, among which ``taken_at`` was chosen. ``is_scan``: a scanner wrote the file.
    """

    taken_at: datetime | None = None
    taken_at_offset: int | None = None
    camera_make: str | None = None
    camera_model: str | None = None
    gps: GpsPosition | None = None
    taken_at_source: DateSource | None = None
    taken_at_precision: DatePrecision | None = None
    dates: tuple[TakenAt, ...] = ()
    is_scan: bool = False

    def dated(self, date: TakenAt | None) -> PhotoMetadata:
        """The same metadata with another date."""
        return replace(
            self,
            taken_at=date.moment if date else None,
            taken_at_offset=date.offset if date else None,
            taken_at_source=date.source if date else None,
            taken_at_precision=date.precision if date else None,
        )


class OutcomeKind(StrEnum):
    """The outcome of one entry of a listing.

    The counts of the first seven kinds add up to the photos discovered. The last two are of entries that are no
    discovered photos: left out by a rule, and not a photo by name or content.
    """

    NEW = "new"
    UNCHANGED = "unchanged"
    CHANGED = "changed"
    MOVED = "moved"
    DUPLICATE = "duplicate"
    SKIPPED = "skipped"
    FAILED = "failed"
    LEFT_OUT = "left_out"
    NOT_A_PHOTO = "not_a_photo"


PHOTO_OUTCOMES = (
    OutcomeKind.NEW,
    OutcomeKind.UNCHANGED,
    OutcomeKind.CHANGED,
    OutcomeKind.MOVED,
    OutcomeKind.DUPLICATE,
    OutcomeKind.SKIPPED,
    OutcomeKind.FAILED,
)
"""The kinds of discovered photos."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one entry in this scan. ``reason`` is a sentence if skipped or failed, and a rule if left out.

    For a new or changed photo ``reason`` is a note about a fault of its file, mostly None.
    """

    uri: str
    kind: OutcomeKind
    sha256: str | None = None
    faces: int = 0
    rejected: int = 0
    reason: str | None = None
    charges: tuple[Charge, ...] = ()
    """Charges of the photo's enrollment."""

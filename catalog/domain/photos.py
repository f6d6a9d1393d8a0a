"""Photos: listed, described and counted. Times are aware ``datetime`` in UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from catalog.domain.charges import Charge


@dataclass(frozen=True, slots=True)
class PhotoRef:
    """One place where a photo was seen, as a source lists it without reading it.

    ``uri`` is ``file://`` percent-encoded from the raw bytes of the name, or ``s3://bucket/key``. ``modified_ns`` is
    in nanoseconds since the epoch. ``etag`` is the source's own change mark: an S3 ETag, or the inode of a
    local file; it is compared for equality only.
    """

    uri: str
    size: int
    modified_ns: int
    etag: str = ""
    version: str | None = None


@dataclass(frozen=True, slots=True)
class S3Address:
    """Where an engine in the same region may read a photo by itself instead of being sent its bytes."""

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
    """What the camera wrote beside the pixels.

    ``taken_at`` is UTC when ``taken_at_offset`` (minutes east of UTC) is known; when it is ``None`` the camera gave
    no zone and ``taken_at`` is its wall clock labelled UTC.
    """

    taken_at: datetime | None = None
    taken_at_offset: int | None = None
    camera_make: str | None = None
    camera_model: str | None = None
    gps: GpsPosition | None = None


class OutcomeKind(StrEnum):
    """What a scan did with one discovered photo; the seven kinds add up to the photos discovered."""

    NEW = "new"
    UNCHANGED = "unchanged"
    CHANGED = "changed"
    MOVED = "moved"
    DUPLICATE = "duplicate"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What just happened to one photo in this scan. ``reason`` is a sentence for skipped and failed, else None."""

    uri: str
    kind: OutcomeKind
    sha256: str | None = None
    faces: int = 0
    rejected: int = 0
    reason: str | None = None
    charges: tuple[Charge, ...] = ()
    """What the photo cost."""

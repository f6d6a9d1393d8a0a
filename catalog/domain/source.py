"""The contract between the catalogue and a source of photos.

Terms
    *listing*  the files of a source, not read: address, size, time, change mark.
    *skipped*  a file or folder that cannot be used, with a reason.
    *left out*  a file or folder to which an exclusion rule applies.

Rules
    - A listing has a stable order and streams: memory does not grow with the number of photos.
    - Every uri that a source lists begins with the source's own ``uri``, so that a prefix decides which locations
      belong to a source.
    - A listing that ends without an error is complete. A source that fails or is replaced during the listing (a disk
      unmounted) raises ``SourceError``.
    - After ``PhotoError`` the next photo may be tried, after ``SourceError`` it may not.
    - ``open`` may be called from several threads at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from catalog.domain.exif_orientation import with_orientation
from catalog.domain.photos import PhotoRef, S3Address
from catalog.domain.taken_at import TakenAt


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file or folder that the listing skipped, with the reason as a full sentence.

    A ``uri`` that ends in a slash is a folder that could not be read: known locations below it are not missing.
    """

    uri: str
    reason: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file or folder that an exclusion rule leaves out. ``uri`` of a folder ends in a slash; it was not entered."""

    uri: str
    rule: str


@dataclass(frozen=True, slots=True)
class OtherFile:
    """A file that is not looked at, because its name has the ending of another kind of file."""

    uri: str


Listed = PhotoRef | Skipped | LeftOut | OtherFile
"""One entry of a listing. A ``PhotoRef`` may turn out not to be a photo if its name has an unknown ending."""


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of one photo, and the address from which an engine in the same region reads them directly.

    ``orientation`` is the EXIF orientation that a sidecar gives to a photo, 1 if there is none. ``dates`` are those of
    the files beside the photo.
    """

    data: bytes
    address: S3Address | None = None
    orientation: int = 1
    dates: tuple[TakenAt, ...] = ()

    @property
    def oriented_data(self) -> bytes:
        """The bytes to be decoded: with the sidecar's orientation if the photo has none of its own."""
        return self.data if self.orientation == 1 else with_orientation(self.data, self.orientation)


class Source(Protocol):
    """A folder, a file or an S3 prefix."""

    uri: str
    """Canonical address. A folder or prefix ends in a slash, a single photo does not."""

    def list(self) -> Iterator[Listed]:
        """List every file that may be a photo, and every other file with the reason why it is not read.

        Raises ``SourceError``, also during the listing.
        """

    def open(self, ref: PhotoRef) -> Content:
        """Read the present bytes of a listed photo.

        Raises ``PhotoError`` or ``SourceError``.
        """

    def head(self, ref: PhotoRef, size: int) -> bytes:
        """Read at most the first ``size`` bytes. Raises ``PhotoError`` or ``SourceError``."""

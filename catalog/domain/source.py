"""The contract between the catalogue and a place that holds photos.

Terms
    *listing*  what a place says about its photos without reading them: a name, a size, a time, a change mark.
    *skipped*  a file or folder that is left on purpose. It is told with a reason, never dropped in silence.

Rules
    - A listing has a stable order and streams: memory does not grow with the number of photos.
    - Every uri that a source lists begins with the source's own ``uri``, so that what is gone can be told from what
      belongs elsewhere by a prefix.
    - A listing that ends without an error was whole. A source that breaks or changes hands midway (a disk unmounted)
      raises ``SourceError`` instead of ending early.
    - ``PhotoError`` blames one photo, ``SourceError`` the source: after the
      first the next photo may be tried, after the second it may not.
    - ``open`` may be called from several threads at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from catalog.domain.photos import PhotoRef, S3Address


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something that was left on purpose, with a full sentence why.

    A ``uri`` that ends in a slash is a whole folder which could not be looked into: what was known below it is not
    gone.
    """

    uri: str
    reason: str


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of one photo, and where an engine in the same region may read them by itself."""

    data: bytes
    address: S3Address | None = None


class Source(Protocol):
    """A place that holds photos."""

    uri: str
    """Canonical: the same place has the same address. A folder or prefix ends in a slash, a single photo does not."""

    def list(self) -> Iterator[PhotoRef | Skipped]:
        """Every photo of the place, and everything that looks like one and is left on purpose.

        Raises ``SourceError``, also midway.
        """

    def open(self, ref: PhotoRef) -> Content:
        """The bytes of a listed photo, as they are now.

        Raises ``PhotoError`` or ``SourceError``.
        """

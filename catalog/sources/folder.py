"""A folder of photos on a local disk, or a single file."""

# File names are bytes here, which pathlib does not take.
# ruff: noqa: PTH116
from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress

from catalog.domain.errors import PhotoError, SourceError
from catalog.domain.exif_orientation import sidecar_orientation
from catalog.domain.photos import PhotoRef
from catalog.domain.source import Content, Listed
from catalog.domain.taken_at import TakenAt
from catalog.domain.uri import absolute_path, display_name, file_path, file_uri
from catalog.sources.companion_dates import CompanionDates
from catalog.sources.exclusions import Exclusions
from catalog.sources.folder_errors import reason_of, replaced, unreachable
from catalog.sources.folder_listing import FolderListing, identity_of, opened, single_file
from catalog.sources.library_databases import LibraryDatabases

DEFAULT_MAX_BYTES = 1 << 30

_SIDECAR_BYTES = 1 << 20
"""Bytes of a sidecar that are searched for an orientation."""


class FolderSource:
    """The photos below a folder, at any depth, or one file of any name.

    Symbolic links to files are photos under the name of the link. Links to folders are followed, except back to a
    folder on the current path, and to each folder only once. Hidden files and folders are like any other. The rules of
    ``exclusions`` hold for everything below the folder, not for a single file.
    """

    def __init__(
        self,
        path: str | bytes | os.PathLike[str] | os.PathLike[bytes],
        *,
        max_bytes: int = DEFAULT_MAX_BYTES,
        exclusions: Exclusions | None = None,
    ) -> None:
        """Raises ``SourceError`` if there is no such folder or file."""
        try:
            self.path = absolute_path(path)
            status = os.stat(self.path)
        except OSError as error:
            raise unreachable(os.fsencode(path), error) from error
        self._is_folder = stat.S_ISDIR(status.st_mode)
        if not self._is_folder and not stat.S_ISREG(status.st_mode):
            raise SourceError(f'The source "{display_name(self.path)}" is neither a folder nor a regular file.')
        self._identity = status.st_dev, status.st_ino
        self._max_bytes = max_bytes
        self._exclusions = exclusions or Exclusions()
        if self._is_folder and not self.path.endswith(b"/"):
            self.path += b"/"
        self.uri = file_uri(self.path)
        self._companions = CompanionDates(self.path)
        self._databases = LibraryDatabases()

    # -------------------------------------------------------------------------------------------------- listing

    def list(self) -> Iterator[Listed]:
        if self._is_folder:
            yield from FolderListing(self.path, self.uri, self._identity, self._exclusions, self._databases)
            return
        photo = single_file(self.path, self.uri)
        if photo is not None:
            yield photo

    # -------------------------------------------------------------------------------------------------- reading

    def open(self, ref: PhotoRef) -> Content:
        path = file_path(ref.uri)
        try:
            with opened(path) as (descriptor, status):
                self._refuse_large(path, status.st_size)
                data = self._read(descriptor, path, status.st_size)
            return Content(data, orientation=_sidecar_orientation(path), dates=self._dates(path))
        except OSError as error:
            self._check_root()
            if isinstance(error, FileNotFoundError):
                raise PhotoError(f'The file "{display_name(path)}" disappeared after it was listed.') from error
            raise PhotoError(
                f'The file "{display_name(path)}" cannot be read: {reason_of(error)}.',
                remedy="Check its permissions and its disk.",
            ) from error

    def _dates(self, path: bytes) -> tuple[TakenAt, ...]:
        return (*self._companions.read(path), *self._databases.dates(path))

    def head(self, ref: PhotoRef, size: int) -> bytes:
        path = file_path(ref.uri)
        try:
            with opened(path) as (descriptor, _):
                return os.read(descriptor, size)
        except OSError as error:
            self._check_root()
            raise PhotoError(f'The file "{display_name(path)}" cannot be read: {reason_of(error)}.') from error

    def _read(self, descriptor: int, path: bytes, size: int) -> bytes:
        """Read the whole file, which may have grown or shrunk since its size was read."""
        parts = []
        total = 0
        while part := os.read(descriptor, max(size - total, 0) + 1):
            total += len(part)
            self._refuse_large(path, total)
            parts.append(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _refuse_large(self, path: bytes, size: int) -> None:
        if size > self._max_bytes:
            raise PhotoError(
                f'The file "{display_name(path)}" is larger than the limit: {size:,} bytes of {self._max_bytes:,}.'
            )

    def _check_root(self) -> None:
        """Raise if the whole source is gone, so that one photo is not blamed."""
        try:
            same = not self._is_folder or identity_of(self.path) == self._identity
        except OSError as error:
            raise unreachable(self.path, error) from error
        if not same:
            raise replaced(self.path)


def _sidecar_orientation(path: bytes) -> int:
    """Return the orientation that the sidecar ``photo.jpg.xmp`` gives, as digiKam writes it; 1 without a sidecar."""
    for ending in (b".xmp", b".XMP"):
        with suppress(OSError, PhotoError), opened(path + ending) as (descriptor, _):
            return sidecar_orientation(os.read(descriptor, _SIDECAR_BYTES))
    return 1

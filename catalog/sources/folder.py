"""A folder of photos on a local disk, or a single file.

A listing descends in ascending order of uris. It keeps the names of the folders on the current path only, so that
memory grows with the largest folder and not with the number of photos.
"""

# File names are bytes here, which pathlib does not take.
# ruff: noqa: PTH114, PTH116, PTH123
from __future__ import annotations

import errno
import logging
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from operator import itemgetter

from catalog.domain.errors import PhotoError, SourceError
from catalog.domain.exif_orientation import sidecar_orientation
from catalog.domain.file_names import is_named_like_another_file
from catalog.domain.photos import PhotoRef
from catalog.domain.source import Content, LeftOut, Listed, OtherFile, Skipped
from catalog.domain.taken_at import TakenAt
from catalog.domain.uri import absolute_path, display_name, file_path, file_uri, quote_names
from catalog.sources.companion_dates import CompanionDates
from catalog.sources.exclusions import RULE_FILES, Exclusions, FolderRules
from catalog.sources.library_databases import LibraryDatabases

log = logging.getLogger(__name__)

DEFAULT_MAX_BYTES = 1 << 30

_Identity = tuple[int, int]
"""Device and inode of a folder, independent of its name."""

_Names = list[tuple[str, bytes]]
"""Names quoted for the uri, and as bytes; those of folders end in a slash."""

_END_OF_TIME = 1 << 63

_SIDECAR_BYTES = 1 << 20
"""Bytes of a sidecar that are searched for an orientation."""


@dataclass(slots=True)
class _Level:
    """One folder on the current path. ``path`` and ``uri`` end in a slash; ``names`` are pending, in reverse order."""

    path: bytes
    uri: str
    identity: _Identity
    names: _Names
    rules: FolderRules


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
            raise self._unreachable(os.fsencode(path), error) from error
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
        if not self._is_folder:
            photo = self._look(self.path, self.uri)
            if photo is not None:
                yield photo
            return
        above = self._identities_above()
        linked: set[_Identity] = set()
        names = self._names(self.path)
        rules = self._exclusions.enter_root(_entries(names), _reader(self.path), _folder_name(self.path))
        self._databases.leave_out_assets(rules, self.path)
        levels = [_Level(self.path, self.uri, self._identity, names, rules)]
        while levels:
            level = levels[-1]
            if not level.names:
                levels.pop()
                self._check_same(level)
                continue
            name, raw = level.names.pop()
            path, uri = level.path + raw, level.uri + name
            if name[-1] != "/":
                item = self._look_by_rules(level.rules, path, raw, uri)
                if item is not None:
                    yield item
                continue
            rule = level.rules.rule_for_folder(raw[:-1])
            if rule is not None:
                yield LeftOut(uri, rule)
                continue
            try:
                identity = _identity(path)
                if self._leads_back(path, identity, above | {step.identity for step in levels}, linked):
                    log.info('The link "%s" leads to a folder that is listed elsewhere; not followed.', uri)
                    continue
                names = self._names(path)
            except (FileNotFoundError, NotADirectoryError):
                continue  # deleted since its parent was listed
            except OSError as error:
                yield Skipped(uri, f'The folder "{display_name(path)}" cannot be read: {_reason(error)}.')
                continue
            entered = level.rules.enter(raw[:-1], _entries(names), _reader(path))
            if isinstance(entered, str):
                yield LeftOut(uri, entered)
            else:
                self._databases.leave_out_assets(entered, path)
                levels.append(_Level(path, uri, identity, names, entered))

    def _names(self, path: bytes) -> _Names:
        """Names of the entries of one folder, quoted, folders with a slash, in descending order."""
        try:
            with os.scandir(path) as entries:
                raw_names = [entry.name + b"/" if _is_folder(entry) else entry.name for entry in entries]
        except OSError as error:
            if path == self.path:
                raise self._unreachable(path, error) from error
            raise
        return sorted(zip(quote_names(raw_names), raw_names, strict=True), key=itemgetter(0), reverse=True)

    def _look_by_rules(self, rules: FolderRules, path: bytes, name: bytes, uri: str) -> Listed | None:
        """One file of the listing; None for a file that was deleted, and for files that hold rules."""
        if name in RULE_FILES:
            return None
        rule = rules.rule_for_file(name)
        if rule is not None:
            return LeftOut(uri, rule)
        return OtherFile(uri) if is_named_like_another_file(name) else self._look(path, uri)

    def _look(self, path: bytes, uri: str) -> PhotoRef | Skipped | None:
        try:
            status = os.stat(path)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ELOOP):
                return PhotoRef(uri, 0, 0)  # it exists; opening it gives the reason
            if os.path.islink(path):
                return Skipped(uri, f'"{display_name(path)}" is a symbolic link that leads nowhere.')
            return None
        if stat.S_ISREG(status.st_mode):
            return PhotoRef(uri, status.st_size, _storable(status.st_mtime_ns), str(status.st_ino))
        if stat.S_ISDIR(status.st_mode):
            return None
        return Skipped(uri, f'"{display_name(path)}" is not a regular file.')

    def _leads_back(self, path: bytes, identity: _Identity, current: set[_Identity], linked: set[_Identity]) -> bool:
        """Return whether a folder must not be entered. The target of a link that is entered is added to ``linked``.

        Otherwise a chain of folders with two links each would be listed exponentially often.
        """
        if identity in current:
            return True
        if os.path.islink(path.rstrip(b"/")):
            if identity in linked:
                return True
            linked.add(identity)
        return False

    def _identities_above(self) -> set[_Identity]:
        """Folders above the source. A link to one of them would lead back to the source."""
        parts = os.path.realpath(self.path).split(b"/")
        return {_identity(b"/".join(parts[:depth]) or b"/") for depth in range(1, len(parts))}

    def _check_same(self, level: _Level) -> None:
        """Raise if a folder was unmounted or replaced during its listing."""
        try:
            same = _identity(level.path) == level.identity
        except FileNotFoundError as error:
            if level.path != self.path:
                return
            raise self._unreachable(level.path, error) from error
        except OSError as error:
            raise self._unreachable(level.path, error) from error
        if not same:
            raise self._replaced(level.path)

    # -------------------------------------------------------------------------------------------------- reading

    def open(self, ref: PhotoRef) -> Content:
        path = file_path(ref.uri)
        try:
            with _opened(path) as (descriptor, status):
                self._refuse_large(path, status.st_size)
                data = self._read(descriptor, path, status.st_size)
            return Content(data, orientation=_sidecar_orientation(path), dates=self._dates(path))
        except OSError as error:
            self._check_root()
            if isinstance(error, FileNotFoundError):
                raise PhotoError(f'The file "{display_name(path)}" disappeared after it was listed.') from error
            raise PhotoError(
                f'The file "{display_name(path)}" cannot be read: {_reason(error)}.',
                remedy="Check its permissions and its disk.",
            ) from error

    def _dates(self, path: bytes) -> tuple[TakenAt, ...]:
        return (*self._companions.read(path), *self._databases.dates(path))

    def head(self, ref: PhotoRef, size: int) -> bytes:
        path = file_path(ref.uri)
        try:
            with _opened(path) as (descriptor, _):
                return os.read(descriptor, size)
        except OSError as error:
            self._check_root()
            raise PhotoError(f'The file "{display_name(path)}" cannot be read: {_reason(error)}.') from error

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
            same = not self._is_folder or _identity(self.path) == self._identity
        except OSError as error:
            raise self._unreachable(self.path, error) from error
        if not same:
            raise self._replaced(self.path)

    # -------------------------------------------------------------------------------------------------- errors

    def _unreachable(self, path: bytes, error: OSError) -> SourceError:
        if isinstance(error, FileNotFoundError):
            sentence = f'The source "{display_name(path)}" does not exist.'
        else:
            sentence = f'The source "{display_name(path)}" cannot be read: {_reason(error)}.'
        return SourceError(sentence, remedy="Check the path and its permissions, and whether its disk is mounted.")

    def _replaced(self, path: bytes) -> SourceError:
        return SourceError(
            f'The folder "{display_name(path)}" was unmounted or replaced during the scan.',
            remedy="Check that its disk is mounted, and run the same command again.",
        )


@contextmanager
def _opened(path: bytes) -> Iterator[tuple[int, os.stat_result]]:
    """Open a regular file. Does not block, so that a pipe in the place of a photo cannot stop the scan."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    with open(descriptor, "rb", buffering=0) as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise PhotoError(f'"{display_name(path)}" is no longer a regular file.')
        yield file.fileno(), status


def _folder_name(path: bytes) -> bytes:
    return path.rstrip(b"/").rpartition(b"/")[2]


def _entries(names: _Names) -> set[bytes]:
    return {raw.rstrip(b"/") for _, raw in names}


def _reader(folder: bytes) -> Callable[[bytes, int], bytes]:
    """Reads the beginning of a file of this folder; empty if it cannot be read."""

    def read(name: bytes, size: int) -> bytes:
        try:
            with _opened(folder + name) as (descriptor, _):
                return os.read(descriptor, size)
        except (OSError, PhotoError):
            return b""

    return read


def _sidecar_orientation(path: bytes) -> int:
    """Return the orientation that the sidecar ``photo.jpg.xmp`` gives, as digiKam writes it; 1 without a sidecar."""
    for ending in (b".xmp", b".XMP"):
        with suppress(OSError, PhotoError), _opened(path + ending) as (descriptor, _):
            return sidecar_orientation(os.read(descriptor, _SIDECAR_BYTES))
    return 1


def _identity(path: bytes) -> _Identity:
    status = os.stat(path)
    return status.st_dev, status.st_ino


def _storable(nanoseconds: int) -> int:
    """Limit a time to 64 bits, which hold the years 1677 to 2262."""
    if -_END_OF_TIME <= nanoseconds < _END_OF_TIME:
        return nanoseconds
    return -_END_OF_TIME if nanoseconds < 0 else _END_OF_TIME - 1


def _is_folder(entry: os.DirEntry[bytes]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link in circles, or to a folder without permission: listed as a file
        return False


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()

"""The listing of a folder: its photos at any depth, in ascending order of uris.

The listing keeps the names of the folders on the current path only, so that memory grows with the largest folder and
not with the number of photos.
"""

# File names are bytes here, which pathlib does not take.
# ruff: noqa: PTH114, PTH116, PTH123
from __future__ import annotations

import errno
import logging
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from operator import itemgetter

from catalog.domain.errors import PhotoError
from catalog.domain.file_names import have_common_endings, is_named_like_another_file
from catalog.domain.photos import PhotoRef
from catalog.domain.source import LeftOut, Listed, OtherFile, Skipped
from catalog.domain.uri import display_name, quote_names
from catalog.sources.exclusions import RULE_FILES, Exclusions, FolderRules
from catalog.sources.folder_errors import reason_of, replaced, unreachable
from catalog.sources.library_databases import LibraryDatabases

log = logging.getLogger(__name__)

Identity = tuple[int, int]
"""Device and inode of a folder, independent of its name."""

_Names = list[tuple[str, bytes]]
"""Names quoted for the uri, and as bytes; those of folders end in a slash."""

_END_OF_TIME = 1 << 63

_RUN = 250
"""Files whose properties are read with one open folder."""


@dataclass(slots=True)
class _Level:
    """One folder on the current path. ``path`` and ``uri`` end in a slash; ``names`` are pending, in reverse order."""

    path: bytes
    uri: str
    identity: Identity
    names: _Names
    rules: FolderRules

    def take_files(self) -> _Names:
        """Remove the next files, up to the next folder, and return them. Empty if a folder is next."""
        names = self.names
        files: _Names = []
        while names and len(files) < _RUN and names[-1][0][-1] != "/":
            files.append(names.pop())
        return files


class FolderListing:
    """One listing of a folder, whose ``path`` and ``uri`` end in a slash.

    Links to folders are followed, except back to a folder on the current path, and to each folder only once.
    """

    def __init__(
        self, path: bytes, uri: str, identity: Identity, exclusions: Exclusions, databases: LibraryDatabases
    ) -> None:
        self._path = path
        self._uri = uri
        self._identity = identity
        self._exclusions = exclusions
        self._databases = databases
        self._linked: set[Identity] = set()

    def __iter__(self) -> Iterator[Listed]:
        above = self._identities_above()
        names = self._names(self._path)
        rules = self._exclusions.enter_root(_entries(names), _reader(self._path), _folder_name(self._path))
        self._databases.leave_out_assets(rules, self._path)
        levels = [_Level(self._path, self._uri, self._identity, names, rules)]
        while levels:
            level = levels[-1]
            files = level.take_files()
            if files:
                yield from _files(level, files)
                continue
            if not level.names:
                levels.pop()
                self._check_same(level)
                continue
            name, raw = level.names.pop()
            path, uri = level.path + raw, level.uri + name
            rule = level.rules.rule_for_folder(raw[:-1])
            if rule is not None:
                yield LeftOut(uri, rule)
                continue
            try:
                identity = identity_of(path)
                if self._leads_back(path, identity, above | {step.identity for step in levels}):
                    log.info('The link "%s" leads to a folder that is listed elsewhere; not followed.', uri)
                    continue
                names = self._names(path)
            except (FileNotFoundError, NotADirectoryError):
                continue  # deleted since its parent was listed
            except OSError as error:
                yield Skipped(uri, f'The folder "{display_name(path)}" cannot be read: {reason_of(error)}.')
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
            if path == self._path:
                raise unreachable(path, error) from error
            raise
        return sorted(zip(quote_names(raw_names), raw_names, strict=True), key=itemgetter(0), reverse=True)

    def _leads_back(self, path: bytes, identity: Identity, current: set[Identity]) -> bool:
        """Return whether a folder must not be entered. The target of a link that is entered is remembered.

        Otherwise a chain of folders with two links each would be listed exponentially often.
        """
        if identity in current:
            return True
        if os.path.islink(path.rstrip(b"/")):
            if identity in self._linked:
                return True
            self._linked.add(identity)
        return False

    def _identities_above(self) -> set[Identity]:
        """Folders above the source. A link to one of them would lead back to the source."""
        parts = os.path.realpath(self._path).split(b"/")
        return {identity_of(b"/".join(parts[:depth]) or b"/") for depth in range(1, len(parts))}

    def _check_same(self, level: _Level) -> None:
        """Raise if a folder was unmounted or replaced during its listing."""
        try:
            same = identity_of(level.path) == level.identity
        except FileNotFoundError as error:
            if level.path != self._path:
                return
            raise unreachable(level.path, error) from error
        except OSError as error:
            raise unreachable(level.path, error) from error
        if not same:
            raise replaced(level.path)


def _files(level: _Level, files: _Names) -> Iterator[Listed]:
    """Files of one folder, except those that were deleted and those that hold rules.

    Optimized: a nightly scan spends most of its time here.
    """
    decided: Sequence[Listed | None] = [None] * len(files)
    names = [raw for _, raw in files]
    if level.rules.may_leave_out(names) or not have_common_endings(names):
        files = [file for file in files if file[1] not in RULE_FILES]
        decided = [_decided_by_name(level.rules, raw, level.uri + name) for name, raw in files]
        names = [raw for (_, raw), item in zip(files, decided, strict=True) if item is None]
    try:
        statuses = iter(_statuses(level.path, names))
    except (FileNotFoundError, NotADirectoryError):
        return  # the folder was deleted since its names were read
    except OSError as error:
        yield Skipped(level.uri, f'The folder "{display_name(level.path)}" cannot be read: {reason_of(error)}.')
        return
    folder_uri = level.uri
    for (name, raw), item in zip(files, decided, strict=True):
        if item is not None:
            yield item
            continue
        status = next(statuses)
        if type(status) is os.stat_result and stat.S_ISREG(status.st_mode):
            yield PhotoRef(folder_uri + name, status.st_size, _storable(status.st_mtime_ns), str(status.st_ino))
        elif (other := irregular_file(level.path + raw, folder_uri + name, status)) is not None:
            yield other


def _decided_by_name(rules: FolderRules, raw: bytes, uri: str) -> Listed | None:
    """The entry of a file whose name alone decides that it is not read; None for a possible photo."""
    rule = rules.rule_for_file(raw)
    if rule is not None:
        return LeftOut(uri, rule)
    return OtherFile(uri) if is_named_like_another_file(raw) else None


def _statuses(folder: bytes, names: Sequence[bytes]) -> list[os.stat_result | OSError]:
    """Size, time and inode of each file of a folder, or the reason why they cannot be read. Links are followed."""
    statuses: list[os.stat_result | OSError] = []
    # Names relative to an open folder spare the system the way through the folders above it.
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY)
    try:
        for name in names:
            try:
                statuses.append(os.stat(name, dir_fd=descriptor))
            except OSError as error:
                statuses.append(error)
    finally:
        os.close(descriptor)
    return statuses


def single_file(path: bytes, uri: str) -> PhotoRef | Skipped | None:
    """The entry of a source that is one file; None if it was deleted."""
    try:
        status = os.stat(path)
    except OSError as error:
        return irregular_file(path, uri, error)
    if stat.S_ISREG(status.st_mode):
        return PhotoRef(uri, status.st_size, _storable(status.st_mtime_ns), str(status.st_ino))
    return irregular_file(path, uri, status)


def irregular_file(path: bytes, uri: str, status: os.stat_result | OSError) -> PhotoRef | Skipped | None:
    """The entry of something that is no regular file, or cannot be looked at; None if it was deleted."""
    if isinstance(status, OSError):
        if status.errno not in (errno.ENOENT, errno.ELOOP):
            return PhotoRef(uri, 0, 0)  # it exists; opening it gives the reason
        if os.path.islink(path):
            return Skipped(uri, f'"{display_name(path)}" is a symbolic link that leads nowhere.')
        return None
    if stat.S_ISDIR(status.st_mode):
        return None
    return Skipped(uri, f'"{display_name(path)}" is not a regular file.')


@contextmanager
def opened(path: bytes) -> Iterator[tuple[int, os.stat_result]]:
    """Open a regular file. Does not block, so that a pipe in the place of a photo cannot stop the scan."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    with open(descriptor, "rb", buffering=0) as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise PhotoError(f'"{display_name(path)}" is no longer a regular file.')
        yield file.fileno(), status


def identity_of(path: bytes) -> Identity:
    """Device and inode of a folder. Raises OSError."""
    status = os.stat(path)
    return status.st_dev, status.st_ino


def _folder_name(path: bytes) -> bytes:
    return path.rstrip(b"/").rpartition(b"/")[2]


def _entries(names: _Names) -> set[bytes]:
    return {raw.rstrip(b"/") for _, raw in names}


def _reader(folder: bytes) -> Callable[[bytes, int], bytes]:
    """Reads the beginning of a file of this folder; empty if it cannot be read."""

    def read(name: bytes, size: int) -> bytes:
        try:
            with opened(folder + name) as (descriptor, _):
                return os.read(descriptor, size)
        except (OSError, PhotoError):
            return b""

    return read


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

"""A folder of photos on a local disk, or a single file.

A listing goes down the tree in ascending order of uris and holds the names of only the folders on the way, so that a
million photos take no more memory than the largest folder among them.
"""

# File names are bytes here, which pathlib does not take.
# ruff: noqa: PTH114, PTH116, PTH119, PTH123
from __future__ import annotations

import errno
import logging
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from operator import itemgetter

from catalog.domain.errors import PhotoError, SourceError
from catalog.domain.photos import PhotoRef
from catalog.domain.source import Content, Skipped
from catalog.domain.uri import absolute_path, display_name, file_path, file_uri, quote_name
from catalog.sources.photo_extensions import is_named_like_a_photo, is_side_file

log = logging.getLogger(__name__)

DEFAULT_MAX_BYTES = 1 << 30

_Identity = tuple[int, int]
"""Device and inode: the same folder under whatever name."""

_Names = list[tuple[str, bytes]]
"""What to add to a folder's uri, and to its path; a folder's end in a slash."""


@dataclass(slots=True)
class _Level:
    """One folder on the way down. ``path`` and ``uri`` end in a slash; ``left`` is still to be told, last one first."""

    path: bytes
    uri: str
    identity: _Identity
    left: _Names


class FolderSource:
    """The photos below a folder, at any depth, or one file of any name.

    Symbolic links to files are photos under the link's own name. Links to folders are followed, except back to a
    folder on the way down to them, and to any one folder only once. Hidden files and folders are like any other.
    """

    def __init__(
        self, path: str | bytes | os.PathLike[str] | os.PathLike[bytes], *, max_bytes: int = DEFAULT_MAX_BYTES
    ) -> None:
        """Raises ``SourceError`` where there is no such folder or file."""
        try:
            self.path = absolute_path(path)
            found = os.stat(self.path)
        except OSError as error:
            raise self._unreachable(os.fsencode(path), error) from error
        self._is_folder = stat.S_ISDIR(found.st_mode)
        if not self._is_folder and not stat.S_ISREG(found.st_mode):
            raise SourceError(f'The source "{display_name(self.path)}" is neither a folder nor a regular file.')
        self._identity = found.st_dev, found.st_ino
        self._max_bytes = max_bytes
        if self._is_folder and not self.path.endswith(b"/"):
            self.path += b"/"
        self.uri = file_uri(self.path)

    # -------------------------------------------------------------------------------------------------- listing

    def list(self) -> Iterator[PhotoRef | Skipped]:
        if not self._is_folder:
            if (told := self._look(self.path, os.path.basename(self.path), self.uri)) is not None:
                yield told
            return
        above = self._identities_above()
        linked: set[_Identity] = set()
        way = [_Level(self.path, self.uri, self._identity, self._names(self.path))]
        while way:
            level = way[-1]
            if not level.left:
                way.pop()
                self._refuse_another(level)
                continue
            name, raw = level.left.pop()
            path, uri = level.path + raw, level.uri + name
            if name[-1] != "/":
                if (told := self._look(path, raw, uri)) is not None:
                    yield told
                continue
            try:
                identity = _identity(path)
                if self._leads_back(path, identity, above | {step.identity for step in way}, linked):
                    log.info('The link "%s" leads to a folder that is listed elsewhere; not followed.', uri)
                    continue
                way.append(_Level(path, uri, identity, self._names(path)))
            except (FileNotFoundError, NotADirectoryError):
                continue  # taken away since its parent was read
            except OSError as error:
                yield Skipped(uri, f'The folder "{display_name(path)}" cannot be read: {_reason(error)}.')

    def _names(self, path: bytes) -> _Names:
        """Names of the photos and folders in one folder, quoted, folders with a slash, last one first."""
        names = []
        try:
            with os.scandir(path) as entries:
                for entry in entries:
                    if _is_folder(entry):
                        names.append((quote_name(entry.name) + "/", entry.name + b"/"))
                    elif is_named_like_a_photo(entry.name):
                        names.append((quote_name(entry.name), entry.name))
        except OSError as error:
            if path == self.path:
                raise self._unreachable(path, error) from error
            raise
        names.sort(key=itemgetter(0), reverse=True)
        return names

    def _look(self, path: bytes, name: bytes, uri: str) -> PhotoRef | Skipped | None:
        """One file of the listing; None for what went away, and for a folder with a photo's name."""
        if is_side_file(name):
            return Skipped(uri, f'"{display_name(path)}" is a side file of macOS, not a photo.')
        try:
            found = os.stat(path)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ELOOP):
                return PhotoRef(uri, 0, 0)  # it is there, and opening it will tell what is wrong
            if os.path.islink(path):
                return Skipped(uri, f'"{display_name(path)}" is a symbolic link that leads nowhere.')
            return None
        if stat.S_ISREG(found.st_mode):
            return PhotoRef(uri, found.st_size, _storable(found.st_mtime_ns), str(found.st_ino))
        if stat.S_ISDIR(found.st_mode):
            return None
        return Skipped(uri, f'"{display_name(path)}" is not a regular file.')

    def _leads_back(self, path: bytes, identity: _Identity, way: set[_Identity], linked: set[_Identity]) -> bool:
        """Whether a folder must not be entered; a link that may be is remembered in ``linked``.

        Without the memory, a chain of folders with two links each would be walked in exponentially many ways.
        """
        if identity in way:
            return True
        if os.path.islink(path.rstrip(b"/")):
            if identity in linked:
                return True
            linked.add(identity)
        return False

    def _identities_above(self) -> set[_Identity]:
        """The folders that the source itself lies in: a link to one of them would bring the walk back."""
        parts = os.path.realpath(self.path).split(b"/")
        return {_identity(b"/".join(parts[:depth]) or b"/") for depth in range(1, len(parts))}

    def _refuse_another(self, level: _Level) -> None:
        """A folder that is another one after its listing than before was unmounted or replaced meanwhile."""
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
            # Not blocking, so that a pipe put in a photo's place cannot hold up the scan.
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
            with open(descriptor, "rb", buffering=0) as file:
                found = os.fstat(descriptor)
                if not stat.S_ISREG(found.st_mode):
                    raise PhotoError(f'"{display_name(path)}" is no longer a regular file.')
                self._refuse_large(path, found.st_size)
                return Content(self._read(file.fileno(), path, found.st_size))
        except OSError as error:
            self._check_root()
            if isinstance(error, FileNotFoundError):
                raise PhotoError(f'The file "{display_name(path)}" vanished after it was listed.') from error
            raise PhotoError(
                f'The file "{display_name(path)}" cannot be read: {_reason(error)}.',
                remedy="Check its permissions and its disk.",
            ) from error

    def _read(self, descriptor: int, path: bytes, size: int) -> bytes:
        """The whole file, which may have grown or shrunk since its size was asked."""
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
        """One photo that cannot be read is its own fault, unless the whole source went away."""
        try:
            same = not self._is_folder or _identity(self.path) == self._identity
        except OSError as error:
            raise self._unreachable(self.path, error) from error
        if not same:
            raise self._replaced(self.path)

    # -------------------------------------------------------------------------------------------------- telling

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


def _identity(path: bytes) -> _Identity:
    found = os.stat(path)
    return found.st_dev, found.st_ino


def _storable(nanoseconds: int) -> int:
    """A time that fits into 64 bits: dates before 1677 and after 2262 are told as the first or last that does."""
    return max(-(1 << 63), min(nanoseconds, (1 << 63) - 1))


def _is_folder(entry: os.DirEntry[bytes]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link in circles, or into a place without rights: told as a file, if it is named like a photo
        return False


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()

"""Albums: photos copied or linked into one folder, for use without a catalogue."""

from __future__ import annotations

import filecmp
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from catalog.domain.errors import PhotoError, SourceError, UsageError
from catalog.domain.uri import FILE_SCHEME, display, display_name, file_path

_PARTIAL = ".catalog-partial-"


@dataclass(frozen=True, slots=True)
class AlbumResult:
    """Counts of photos copied or linked now, and of photos that the folder had already; a sentence per failed photo."""

    placed: int
    already: int
    problems: tuple[str, ...]


def place_photos(
    uris: Iterable[str], directory: Path, *, link: bool, read: Callable[[str], bytes] | None = None
) -> AlbumResult:
    """Copy photos into a folder, or link to them. A photo whose file name is taken gets a number.

    A photo that is in the folder already is not placed again, so the same command may be repeated. ``read`` returns
    the bytes of photos that are not files; these cannot be linked. Raises ``UsageError`` if the folder cannot be
    created.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        name = display_name(os.fsencode(directory))
        raise UsageError(f'The folder "{name}" cannot be created: {error.strerror}.') from error
    _delete_partial_files(directory)
    placed = already = 0
    problems = []
    for uri in dict.fromkeys(uris):
        try:
            if _place(uri, directory, link=link, read=read):
                placed += 1
            else:
                already += 1
        except OSError as error:
            problems.append(f'"{display(uri)}" could not be placed: {error.strerror}.')
        except (PhotoError, SourceError) as error:
            problems.append(str(error))
    return AlbumResult(placed, already, tuple(problems))


def _place(uri: str, directory: Path, *, link: bool, read: Callable[[str], bytes] | None) -> bool:
    source = Path(os.fsdecode(file_path(uri))) if uri.startswith(FILE_SCHEME) else None
    if source is None and (link or read is None):
        raise PhotoError(f'"{display(uri)}" is not a file and cannot be linked.')
    if source is not None:
        source.stat()  # symlink_to succeeds for a missing file; the stat reports it
    data = read(uri) if source is None and read is not None else None
    name = Path(source.name if source is not None else display(uri).rpartition("/")[2])
    number = 1
    while True:
        target = directory / (name if number == 1 else f"{name.stem}-{number}{name.suffix}")
        if not os.path.lexists(target):
            break
        if _is_same_photo(source, data, target, link=link):
            return False
        number += 1
    if link and source is not None:
        target.symlink_to(source.resolve())
        return True
    with _partial_file(directory) as partial:
        if source is None:
            partial.write_bytes(data or b"")
        else:
            shutil.copy2(source, partial)
        partial.replace(target)
    return True


@contextmanager
def _partial_file(directory: Path) -> Iterator[Path]:
    """A new file that is readable by its owner only. It is deleted unless the block renames it.

    A copy that is cut by a full disk or a kill never gets the photo's name.
    """
    descriptor, name = tempfile.mkstemp(prefix=f"{_PARTIAL}{os.getpid()}-", dir=directory)
    os.close(descriptor)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _delete_partial_files(directory: Path) -> None:
    """Delete partial files of killed processes."""
    for path in directory.glob(f"{_PARTIAL}*"):
        process = path.name.removeprefix(_PARTIAL).partition("-")[0]
        if process.isdigit() and not _is_running(int(process)):
            path.unlink(missing_ok=True)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _is_same_photo(source: Path | None, data: bytes | None, target: Path, *, link: bool) -> bool:
    if link:
        return target.is_symlink() and source is not None and target.resolve() == source.resolve()
    if target.is_symlink() or not target.is_file():
        return False
    if source is None:
        return target.read_bytes() == data
    return filecmp.cmp(source, target, shallow=False)

"""Temporary files beside a target: private, deleted at the end, and swept after a kill.

A process holds a file lock on each of its temporary files. A file without a lock is left over from a killed process.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from catalog.domain.errors import DatabaseError

_SUFFIX = ".part"
_NAME = re.compile(r"\..+\.[a-z0-9_]{8}\.part")
_SQLITE = b"SQLite format 3\0"
_LABELS = re.compile(rb'\{\s*"format":\s*"catalog labels"')
_START_BYTES = 64


@contextmanager
def temporary_file(target: Path) -> Iterator[Path]:
    """Create a private file in the folder of the target, and sweep files that killed processes left there.

    The file is deleted at the end of the block, with SQLite's journals beside it. Raises ``DatabaseError`` if the
    folder takes no file or the disk is full.
    """
    sweep(target.parent)
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=_SUFFIX, dir=target.parent)
    except OSError as error:
        raise DatabaseError(
            f'No file can be created in "{target.parent}": {error.strerror}.',
            remedy="Name another folder, or free some disk space.",
        ) from error
    path = Path(name)
    try:
        with contextlib.suppress(OSError):  # some network file systems have no locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield path
    except OSError as error:
        raise DatabaseError(
            f'The file "{target}" cannot be written: {error.strerror or error}.',
            remedy="Free some disk space, or name another folder.",
        ) from error
    finally:
        _delete(path)
        # Last, because closing releases the locks of this process's SQLite connections to the file.
        os.close(descriptor)


def leftovers(folder: Path) -> list[Path]:
    """Return files in the folder that a backup or a restore left there, or still writes."""
    try:
        return sorted(file for file in folder.iterdir() if _NAME.fullmatch(file.name) and file.is_file())
    except OSError:
        return []


def sweep(folder: Path) -> list[Path]:
    """Delete leftovers of killed processes of this user. Returns the deleted files.

    Only SQLite files, labels files and empty files are deleted: another program may use names of the same form.
    """
    return [file for file in leftovers(folder) if _is_abandoned(file) and _delete(file)]


def _is_abandoned(file: Path) -> bool:
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        start = os.read(descriptor, _START_BYTES)
        is_ours = not start or start.startswith(_SQLITE) or _LABELS.match(start) is not None
        return is_ours and os.fstat(descriptor).st_uid == os.getuid()
    except OSError:
        return False
    finally:
        os.close(descriptor)


def _delete(path: Path) -> bool:
    """Delete a file with the journals, the lock and the copies before an upgrade that SQLite and catalog put beside."""
    for file in path.parent.iterdir():
        if file.name.startswith(path.name):
            file.unlink(missing_ok=True)
    return True

"""Source locks: at most one scan of a source at a time, across processes and machines.

A scan holds an exclusive lock on its source, and shared locks on all folders above it and on the whole catalogue. Scans
of two separate folders run at the same time. A scan of a folder excludes a scan of a folder inside it. Commands on the
whole catalogue (prune, reconcile, restore) exclude all scans.

PostgreSQL uses advisory locks of one session (``advisory_locks``). SQLite uses byte-range locks of the file
``<name>.lock``. Both are released when the process ends, however it ends, so that there are no stale locks.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from catalog.domain.errors import DatabaseError, LockHeld
from catalog.domain.uri import display
from catalog.store.advisory_locks import advisory_locks
from catalog.store.database import Database

CATALOGUE = ""
"""The uri of the lock on the whole catalogue, which is above all sources."""

PLANNING = "planning:"
"""Prefix of a source's uri: the lock of the worker that plans for all workers."""

_PAUSE_SECONDS = 0.5


class Locks(Protocol):
    """Locks of one process. A lock is a 64-bit number, held exclusively or shared."""

    def acquire(self, key: int, *, shared: bool) -> bool:
        """Try to acquire the lock without waiting. Returns True on success."""

    def release(self, key: int) -> None:
        """Release a lock that was acquired once."""

    def release_all(self) -> None:
        """Release all locks."""

    def check(self) -> None:
        """Take lost locks again. Raises ``LockHeld`` if another process has one, ``DatabaseError`` without a server."""


@contextmanager
def lock_sources(
    database: Database, uris: Sequence[str], *, shared: bool = False, wait_seconds: float = 0
) -> Iterator[Locks]:
    """Hold the locks of these sources for the block. With ``shared`` other processes may hold them shared, too.

    Raises ``LockHeld`` if a lock is not free within ``wait_seconds``.
    """
    needed = _needed_locks(uris, shared=shared)
    with _locks(database) as locks:
        deadline = time.monotonic() + wait_seconds
        while (blocked := _first_blocked(locks, needed)) is not None:
            locks.release_all()
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise LockHeld(
                    f'Another catalog process is using {_name(blocked)} of the database "{database.url}".',
                    remedy="Wait until it ends, or use --wait SECONDS.",
                )
            time.sleep(min(_PAUSE_SECONDS, remaining))
        try:
            yield locks
        finally:
            locks.release_all()


def try_lock(locks: Locks, uri: str) -> bool:
    """Try to acquire one more exclusive lock without waiting. It is released with the other locks."""
    return locks.acquire(_key(uri), shared=False)


def content_lock_key(sha256: str) -> int:
    """Return the key of the lock that the process holds while it enrolls this content."""
    return int.from_bytes(hashlib.blake2b(bytes.fromhex(sha256), digest_size=8).digest(), "big", signed=True)


def _needed_locks(uris: Sequence[str], *, shared: bool) -> dict[str, bool]:
    """Return by uri whether its lock is shared. Outer folders come first, so that two processes cannot deadlock."""
    needed: dict[str, bool] = {}
    for uri in uris:
        for above in _above(uri):
            needed.setdefault(above, True)
        needed[uri] = shared
    return dict(sorted(needed.items(), key=lambda item: (item[0].count("/"), item[0])))


def _above(uri: str) -> list[str]:
    """Return the catalogue and all folders that contain a uri: file:///, file:///a/ ... or s3://bucket/ ..."""
    if uri == CATALOGUE:
        return []
    scheme, _, rest = uri.partition("://")
    parts = rest.rstrip("/").split("/")
    return [CATALOGUE, *(f"{scheme}://{'/'.join(parts[:depth])}/" for depth in range(1, len(parts)))]


def _first_blocked(locks: Locks, needed: dict[str, bool]) -> str | None:
    for uri, shared in needed.items():
        if not locks.acquire(_key(uri), shared=shared):
            return uri
    return None


def _key(uri: str) -> int:
    digest = hashlib.blake2b(f"catalog scan {uri}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def _name(uri: str) -> str:
    return f'"{display(uri)}"' if uri else "all sources"


@contextmanager
def _locks(database: Database) -> Iterator[Locks]:
    if database.dialect == "postgresql":
        with advisory_locks(database) as locks:
            yield locks
    elif database.path is None:
        yield NoLocks()
    else:
        yield from _file_locks(database.path)


def _file_locks(path: Path) -> Iterator[Locks]:
    path = path.resolve()  # one lock file, even if the database is opened through a link
    descriptor = open_lock_file(path.with_name(path.name + ".lock"))
    try:
        yield FileLocks(descriptor)
    finally:
        os.close(descriptor)


def open_lock_file(path: Path) -> int:
    """Open a lock file for its owner only, creating it if needed. Returns the descriptor. Raises ``DatabaseError``."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise DatabaseError(
            f'The lock file "{path}" cannot be opened: {error.strerror}.',
            remedy="Check that you may write to the folder of the database.",
        ) from error


class NoLocks:
    """For a database in memory, which has one user."""

    def acquire(self, key: int, *, shared: bool) -> bool:  # noqa: ARG002
        return True

    def release(self, key: int) -> None:
        pass

    def release_all(self) -> None:
        pass

    def check(self) -> None:
        pass


class FileLocks:
    """POSIX locks of one byte each. The file stays empty, because a byte need not exist to be locked."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def acquire(self, key: int, *, shared: bool) -> bool:
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.lockf(self._descriptor, kind | fcntl.LOCK_NB, 1, _offset(key))
        except (BlockingIOError, PermissionError):  # POSIX allows EAGAIN and EACCES
            return False
        return True

    def release(self, key: int) -> None:
        fcntl.lockf(self._descriptor, fcntl.LOCK_UN, 1, _offset(key))

    def release_all(self) -> None:
        fcntl.lockf(self._descriptor, fcntl.LOCK_UN, 0, 0)

    def check(self) -> None:
        pass


def _offset(key: int) -> int:
    return key & (2**62 - 1)

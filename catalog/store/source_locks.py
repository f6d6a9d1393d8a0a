"""Who works on which source: one scan of a source at a time, told across processes and machines.

A scan takes its source's lock for itself and, shared with others, the locks of all folders above and of the whole
catalogue. So scans of two folders go side by side; a scan of a folder and one of a folder inside it do not; and work on
the whole catalogue (prune, reconcile, restore) has it to itself.

On PostgreSQL these are advisory locks of one session, beside SQLite byte-range locks of the file ``<name>.lock``. Both
belong to a process and end with it, however it ends: there is no stale lock to heal.
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

from sqlalchemy import Connection, text

from catalog.domain.errors import DatabaseError, LockHeld
from catalog.domain.uri import display
from catalog.store.database import Database
from catalog.store.driver_errors import translate_driver_errors

CATALOGUE = ""
"""The lock of the whole catalogue, above those of all sources."""

PLANNING = "planning:"
"""Before a source's uri: the lock of the one worker that plans for the others."""

_PAUSE_SECONDS = 0.5


class Locks(Protocol):
    """Locks of one process. A lock is a number, held alone or shared."""

    def acquire(self, key: int, *, shared: bool) -> bool:
        """Whether the lock could be had at once."""

    def release(self, key: int) -> None:
        """Let go of one that was taken once."""

    def release_all(self) -> None:
        """Let go of all."""

    def check(self) -> None:
        """Raises ``DatabaseError`` when the locks were lost, with the server for example."""


@contextmanager
def lock_sources(
    database: Database, uris: Sequence[str], *, shared: bool = False, wait_seconds: float = 0
) -> Iterator[Locks]:
    """Hold the locks of these sources; ``shared`` lets others hold them shared too.

    Raises ``LockHeld`` when one is not free within ``wait_seconds``.
    """
    claims = _claims(uris, shared=shared)
    with _locks(database) as locks:
        deadline = time.monotonic() + wait_seconds
        while (taken := _first_taken(locks, claims)) is not None:
            locks.release_all()
            left = deadline - time.monotonic()
            if left <= 0:
                raise LockHeld(
                    f'Another run of catalog is at work on {_name(taken)} of the database "{database.url}".',
                    remedy="Let it end first, or use --wait SECONDS.",
                )
            time.sleep(min(_PAUSE_SECONDS, left))
        try:
            yield locks
        finally:
            locks.release_all()


def try_lock(locks: Locks, uri: str) -> bool:
    """Take one further lock alone, if it is free; it is given back with the others."""
    return locks.acquire(_key(uri), shared=False)


def content_lock_key(sha256: str) -> int:
    """The lock of a photo's content, held by whoever enrolls it."""
    return int.from_bytes(hashlib.blake2b(bytes.fromhex(sha256), digest_size=8).digest(), "big", signed=True)


def _claims(uris: Sequence[str], *, shared: bool) -> dict[str, bool]:
    """Every lock that is needed, whether it may be shared; outer ones first."""
    claims: dict[str, bool] = {}
    for uri in uris:
        for above in _above(uri):
            claims.setdefault(above, True)
        claims[uri] = shared
    return dict(sorted(claims.items(), key=lambda claim: (claim[0].count("/"), claim[0])))


def _above(uri: str) -> list[str]:
    """The catalogue and the folders that a uri lies in: file:///, file:///a/ ... or s3://bucket/ ..."""
    if uri == CATALOGUE:
        return []
    scheme, _, rest = uri.partition("://")
    parts = rest.rstrip("/").split("/")
    return [CATALOGUE, *(f"{scheme}://{'/'.join(parts[:depth])}/" for depth in range(1, len(parts)))]


def _first_taken(locks: Locks, claims: dict[str, bool]) -> str | None:
    for uri, shared in claims.items():
        if not locks.acquire(_key(uri), shared=shared):
            return uri
    return None


def _key(uri: str) -> int:
    digest = hashlib.blake2b(f"catalog scan {uri}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def _name(uri: str) -> str:
    return f'"{display(uri)}"' if uri else "the whole"


@contextmanager
def _locks(database: Database) -> Iterator[Locks]:
    if database.dialect == "postgresql":
        with (
            translate_driver_errors(database.url),
            # A transaction that stays open for hours would keep the server from cleaning up.
            database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection,
        ):
            yield AdvisoryLocks(connection)
    elif database.path is None:
        yield NoLocks()
    else:
        yield from _file_locks(database.path)


def _file_locks(path: Path) -> Iterator[Locks]:
    path = path.resolve()  # a catalogue has one lock, by whatever link it was reached
    name = path.with_name(path.name + ".lock")
    try:
        descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise DatabaseError(
            f'The lock "{name}" cannot be opened: {error.strerror}.',
            remedy="Look whether you may write in the database's folder.",
        ) from error
    try:
        yield FileLocks(descriptor)
    finally:
        os.close(descriptor)


class NoLocks:
    """A database in memory has one user."""

    def acquire(self, key: int, *, shared: bool) -> bool:  # noqa: ARG002
        return True

    def release(self, key: int) -> None:
        pass

    def release_all(self) -> None:
        pass

    def check(self) -> None:
        pass


class FileLocks:
    """POSIX locks, one byte each. The file stays empty: a byte need not exist to be locked."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def acquire(self, key: int, *, shared: bool) -> bool:
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.lockf(self._descriptor, kind | fcntl.LOCK_NB, 1, _offset(key))
        except (BlockingIOError, PermissionError):  # POSIX allows either
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


class AdvisoryLocks:
    """Advisory locks of one PostgreSQL session."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def acquire(self, key: int, *, shared: bool) -> bool:
        function = "pg_try_advisory_lock_shared" if shared else "pg_try_advisory_lock"
        return bool(self._connection.scalar(text(f"SELECT {function}(:key)"), {"key": key}))

    def release(self, key: int) -> None:
        self._connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": key})

    def release_all(self) -> None:
        if not self._connection.closed and not self._connection.invalidated:
            self._connection.execute(text("SELECT pg_advisory_unlock_all()"))

    def check(self) -> None:
        self._connection.execute(text("SELECT 1"))

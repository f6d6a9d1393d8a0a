"""The assignment lock: at most one process changes the persons of a catalogue.

Scans of different sources run at the same time. Each assigns people at its end, and a user may forget a person
meanwhile. Without the lock, two assignments would be charged for the same searches and add the same persons twice. All
engines and galleries share the persons, so that one lock covers the whole catalogue.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection

from catalog.store.advisory_locks import advisory_locks
from catalog.store.database import Database
from catalog.store.source_locks import open_lock_file

_KEY = 0x6361746170656F70
"""Key of the advisory lock on PostgreSQL. Source locks use digests of their uris as keys."""

_PAUSE_SECONDS = 0.1


@contextmanager
def assignment_lock(database: Database) -> Iterator[Callable[[], None]]:
    """Hold the assignment lock for the block. Waits for other threads and processes. Not reentrant.

    The lock is released when the process ends, however it ends. The block gets a function that takes the lock again if
    the database server closed the connection that held it; the function waits for other processes.
    """
    if database.dialect == "postgresql":
        with _advisory_lock(database) as check:
            yield check
    elif database.path is None:
        yield _nothing_to_check  # a database in memory has one user
    else:
        path = database.path.resolve()  # one lock file, even if the database is opened through a link
        with _locked_file(path.with_name(path.name + ".people.lock")):
            yield _nothing_to_check


def lock_persons(connection: Connection) -> None:
    """Lock the persons for writing until this transaction ends. Call it before reading persons. Readers go on.

    SQLite has one writer at a time. On PostgreSQL two concurrent decisions, or a decision during an assignment, would
    each be based on rows that the other one changes.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("LOCK TABLE persons IN SHARE ROW EXCLUSIVE MODE")


@contextmanager
def _advisory_lock(database: Database) -> Iterator[Callable[[], None]]:
    with advisory_locks(database, patient=True) as locks:
        while not locks.acquire(_KEY, shared=False):
            time.sleep(_PAUSE_SECONDS)
        yield locks.check


def _nothing_to_check() -> None:
    """A lock that no server can end."""


@contextmanager
def _locked_file(path: Path) -> Iterator[None]:
    """Hold a flock on a file of its own, not on the file of the source locks.

    Source locks are POSIX locks. These do not exclude threads of one process, and closing the file anywhere in the
    process would release them.
    """
    descriptor = open_lock_file(path)
    try:
        while not _acquired(descriptor):
            time.sleep(_PAUSE_SECONDS)
        yield
    finally:
        os.close(descriptor)


def _acquired(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

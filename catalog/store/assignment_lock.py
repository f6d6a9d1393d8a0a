"""The assignment lock: at most one process changes the persons of a catalogue.

Scans of different sources run at the same time. Each assigns people at its end, and a user may forget a person
meanwhile. Without the lock, two assignments would be charged for the same searches and add the same persons twice. All
engines and galleries share the persons, so that one lock covers the whole catalogue.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection

from catalog.store.database import Database
from catalog.store.driver_errors import translate_driver_errors
from catalog.store.source_locks import AdvisoryLocks, open_lock_file

_KEY = 0x6361746170656F70
"""Key of the advisory lock on PostgreSQL. Source locks use digests of their uris as keys."""

_PAUSE_SECONDS = 0.1


@contextmanager
def assignment_lock(database: Database) -> Iterator[None]:
    """Hold the assignment lock for the block. Waits for other threads and processes. Not reentrant.

    The lock is released when the process ends, however it ends.
    """
    if database.dialect == "postgresql":
        with _advisory_lock(database):
            yield
    elif database.path is None:
        yield  # a database in memory has one user
    else:
        path = database.path.resolve()  # one lock file, even if the database is opened through a link
        with _locked_file(path.with_name(path.name + ".people.lock")):
            yield


def lock_persons(connection: Connection) -> None:
    """Lock the persons for writing until this transaction ends. Call it before reading persons. Readers go on.

    SQLite has one writer at a time. On PostgreSQL two concurrent decisions, or a decision during an assignment, would
    each be based on rows that the other one changes.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("LOCK TABLE persons IN SHARE ROW EXCLUSIVE MODE")


@contextmanager
def _advisory_lock(database: Database) -> Iterator[None]:
    with (
        translate_driver_errors(database.url),
        # A transaction that is open for hours would block the server's vacuum.
        database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection,
    ):
        locks = AdvisoryLocks(connection)
        while not locks.acquire(_KEY, shared=False):
            time.sleep(_PAUSE_SECONDS)
        try:
            yield
        finally:
            locks.release_all()


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

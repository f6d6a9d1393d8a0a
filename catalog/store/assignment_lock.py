"""Taking turns at who is who: one at a time works on all persons of a catalogue.

Scans of two folders go side by side, and each of them settles who is who at its end; a human may forget somebody
meanwhile. Two that settle at once would buy the same searches and make the same persons twice. Persons are the same for
every engine and gallery, so there is one turn for the whole catalogue.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection

from catalog.domain.errors import DatabaseError
from catalog.store.database import Database
from catalog.store.driver_errors import translate_driver_errors
from catalog.store.source_locks import AdvisoryLocks

_KEY = 0x6361746170656F70
"""Of the advisory lock; the locks of sources are digests of their uris."""

_PAUSE_SECONDS = 0.1


@contextmanager
def assignment_lock(database: Database) -> Iterator[None]:
    """Wait for nobody else, in this process or another, to be at work on persons; then be the one until the end.

    A thread that has its turn must not ask for another. It ends with the process, however that ends.
    """
    if database.dialect == "postgresql":
        with _advisory_lock(database):
            yield
    elif database.path is None:
        yield  # in memory, with one user
    else:
        path = database.path.resolve()  # by whatever link it was reached
        with _locked_file(path.with_name(path.name + ".people.lock")):
            yield


def lock_persons(connection: Connection) -> None:
    """Let nobody else change persons until this transaction, which writes, ends; to be called before they are read.

    SQLite has one writer at a time anyway. On PostgreSQL two decisions at once, or one beside a scan that settles,
    would each build on what the other is changing.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("LOCK TABLE persons IN SHARE ROW EXCLUSIVE MODE")


@contextmanager
def _advisory_lock(database: Database) -> Iterator[None]:
    with (
        translate_driver_errors(database.url),
        # A transaction that stays open for hours would keep the server from cleaning up.
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
def _locked_file(name: Path) -> Iterator[None]:
    """Another file and another kind of lock than those of sources.

    POSIX locks do not keep the threads of a process apart, and a process that closes a file anywhere loses all POSIX
    locks that it holds on it.
    """
    try:
        descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise DatabaseError(
            f'The lock "{name}" cannot be opened: {error.strerror}.',
            remedy="Look whether you may write in the database's folder.",
        ) from error
    try:
        while not _taken(descriptor):
            time.sleep(_PAUSE_SECONDS)
        yield
    finally:
        os.close(descriptor)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

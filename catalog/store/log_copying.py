"""Copies SQLite's log into the file beside the transactions, so that a commit does not wait for it.

SQLite copies the log within the commit that makes it 1,000 pages long. An answer of the review that moves 1,000 faces
writes 300 pages: every third commit would copy them and wait for the disk twice more.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from catalog.store.connections import BUSY_SECONDS, file_name
from catalog.store.database import Database

LONGEST_LOG = 16_000
"""Pages of the log from which a commit copies it all the same: 64 MB."""
_SECONDS = 0.5
"""Time between two looks at the log."""
_LONG_LOG = 48 << 20
"""Bytes of a log that is copied although transactions follow one another."""


@contextlib.contextmanager
def copying_log(database: Database) -> Iterator[None]:
    """While the block runs, a thread copies SQLite's log into the file when no transaction was written for a moment.

    Waits for no transaction. A commit during the copying shares the disk with it. Does nothing for a database without
    a file of its own.
    """
    path = database.path
    if path is None:
        yield
        return
    end = threading.Event()
    thread = threading.Thread(target=_copy, args=(path, end), name="log copying", daemon=True)
    event.listen(database.engine, "checkout", _copy_later)
    thread.start()
    try:
        yield
    finally:
        event.remove(database.engine, "checkout", _copy_later)
        end.set()
        thread.join()
        database.engine.dispose()  # new connections copy the log themselves again


def _copy_later(connection: DBAPIConnection, entry: ConnectionPoolEntry, _: object) -> None:
    if not entry.info.get("log_copied_later", False):
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA wal_autocheckpoint = {LONGEST_LOG}")
        cursor.close()
        entry.info["log_copied_later"] = True


def _copy(path: Path, end: threading.Event) -> None:
    log = path.with_name(path.name + "-wal")
    connection = sqlite3.connect(file_name(path, "rw"), uri=True, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")
        copied = seen = _state_of(log)
        while not end.wait(_SECONDS):
            before, seen = seen, _state_of(log)
            if is_copying_due(copied, before, seen):
                with contextlib.suppress(sqlite3.OperationalError):  # busy: the next look copies it
                    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
                copied = seen
    finally:
        connection.close()


class LogState(NamedTuple):
    """The time of the latest change in nanoseconds, and the size in bytes; both 0 without a log."""

    changed: int
    size: int


def is_copying_due(copied: LogState, before: LogState, seen: LogState) -> bool:
    """Return whether to copy now: the log is quiet since the look before, or long.

    ``copied`` is the state at the latest copy. A commit during the copying would wait for the disk.
    """
    return seen != copied and (seen == before or seen.size >= _LONG_LOG)


def _state_of(log: Path) -> LogState:
    try:
        status = log.stat()
    except OSError:
        return LogState(0, 0)
    return LogState(status.st_mtime_ns, status.st_size)

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

from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from catalog.store.connections import BUSY_SECONDS, file_name
from catalog.store.database import Database

LONGEST_LOG = 16_000
"""Pages of the log from which a commit copies it all the same: 64 MB."""
_SECONDS = 0.5
"""Time between two looks at the log."""


@contextlib.contextmanager
def copying_log(database: Database) -> Iterator[None]:
    """While the block runs, a thread copies SQLite's log into the file soon after each transaction.

    Waits for no transaction, and no transaction waits for it. Does nothing for a database without a file of its own.
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
        copied = _time_of(log)
        while not end.wait(_SECONDS):
            changed = _time_of(log)
            if changed != copied:
                with contextlib.suppress(sqlite3.OperationalError):  # busy: the next look copies it
                    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
                copied = changed
    finally:
        connection.close()


def _time_of(log: Path) -> int | None:
    """The time of the latest change of a file, in nanoseconds; None if it does not exist."""
    try:
        return log.stat().st_mtime_ns
    except OSError:
        return None

"""Connection pools for SQLite and PostgreSQL.

SQLite
    Write-ahead log, so that queries run while a scan writes. ``synchronous=FULL``, because a charged call must not be
    lost in a power cut (but see ``LATER``). Foreign keys are on. A transaction that will write starts with ``BEGIN
    IMMEDIATE`` and waits for its lock: if it read first and wrote later, SQLite would fail and not wait. Deleted data
    is overwritten (``secure_delete``), so that vectors of forgotten persons do not stay in free pages. A file on a
    read-only file system is opened as ``immutable``, because no log can be created.

PostgreSQL
    psycopg 3. A connection that died while it was idle is replaced before use.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from urllib.parse import quote_from_bytes

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry, StaticPool

from catalog.domain.errors import DatabaseError
from catalog.store.database_address import is_file, sqlite_path

WRITES = "catalog_writes"
"""Execution option of a transaction that will write."""

LATER = "catalog_durable_later"
"""Execution option of a transaction that a power cut may lose until the next transaction without it is committed.

For data that is free to compute again and useless without a later transaction. The transaction does not wait for the
disk: enrolling a face took 1 ms and not 4 to 6 ms where it was measured. A killed process loses nothing in either case.
"""

_LARGE_READS = "catalog_large_reads"
"""Mark of a connection whose cache and memory map were enlarged until it returns to the pool."""

BUSY_SECONDS = 60
"""Longest wait for the transaction of another process. Transactions of this program last milliseconds."""

_WAL_BYTES = 64 << 20
_CACHE_SIZE = "PRAGMA cache_size = -32000"
"""In kibibytes, for each connection."""

START = "Run `catalog scan` first, or name another database with --database."


def make_engine(url: URL, *, read_only: bool = False, foreign_keys: bool = True) -> Engine:
    """Return a pool of connections to the database at ``url``. Opens none."""
    if url.drivername == "sqlite":
        return _sqlite_engine(url, read_only=read_only, foreign_keys=foreign_keys)
    return _postgresql_engine(url, read_only=read_only)


def _sqlite_engine(url: URL, *, read_only: bool, foreign_keys: bool) -> Engine:
    name = "file::memory:"
    if is_file(url):
        path = sqlite_path(url)
        name = file_name(path, "ro" if read_only else "rw")

    def connect() -> sqlite3.Connection:
        # isolation_level=None: transactions begin in the event handler below, not in the driver.
        return sqlite3.connect(name, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)

    # SQLAlchemy passes the file name as text. A creator function can use its raw bytes.
    if is_file(url):
        # The connection that was used last has the pages of the last request in its cache, and the others need none.
        engine = create_engine(url, creator=connect, pool_size=8, max_overflow=24, pool_timeout=60, pool_use_lifo=True)
    else:
        engine = create_engine(url, creator=connect, poolclass=StaticPool)

    @event.listens_for(engine, "connect")
    def _set_up(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")
        cursor.execute("PRAGMA secure_delete = ON")
        cursor.execute(f"PRAGMA journal_size_limit = {_WAL_BYTES}")
        cursor.execute("PRAGMA temp_store = MEMORY")
        cursor.execute(_CACHE_SIZE)
        if read_only:
            cursor.execute("PRAGMA query_only = ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if options.get(LATER, False):
            connection.exec_driver_sql("PRAGMA synchronous = NORMAL")
            connection.info[LATER] = True
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get(WRITES, False) else "BEGIN")

    @event.listens_for(engine, "checkin")
    def _set_up_again(connection: DBAPIConnection | None, entry: ConnectionPoolEntry) -> None:
        is_later, is_large = entry.info.pop(LATER, False), entry.info.pop(_LARGE_READS, False)
        if connection is None or not (is_later or is_large):
            return
        cursor = connection.cursor()
        if is_later:
            cursor.execute("PRAGMA synchronous = FULL")
        if is_large:
            cursor.execute("PRAGMA mmap_size = 0")
            cursor.execute(_CACHE_SIZE)
        cursor.close()

    return engine


def read_much(connection: Connection) -> None:
    """Set an SQLite connection up for queries on large parts of the catalogue, until it returns to the pool.

    A server would otherwise keep the whole file in its memory, once for each connection.
    """
    if connection.dialect.name == "sqlite":
        # Memory-mapped pages are not copied: a third of the time with a million faces.
        connection.exec_driver_sql("PRAGMA mmap_size = 17179869184")
        connection.exec_driver_sql("PRAGMA cache_size = -131072")
        connection.info[_LARGE_READS] = True


def _is_immutable(path: Path) -> bool:
    """Return True for a file on a read-only file system without a filled log: a snapshot or a disc."""
    log = path.with_name(path.name + "-wal")
    try:
        return bool(os.statvfs(path).f_flag & os.ST_RDONLY) and not (log.exists() and log.stat().st_size)
    except OSError:
        return False  # opening the file will raise the error


def file_name(path: Path, mode: str) -> str:
    """Return an SQLite uri, the only form that opens a path of arbitrary bytes without creating it."""
    immutable = "&immutable=1" if mode == "ro" and _is_immutable(path) else ""
    return f"file:{quote_from_bytes(os.fsencode(path))}?mode={mode}{immutable}"


def _postgresql_engine(url: URL, *, read_only: bool) -> Engine:
    arguments: dict[str, str | int] = {
        "application_name": "catalog",
        "connect_timeout": 10,
        # Keepalives detect a lost server within about a minute.
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
    }
    for name in url.query:
        arguments.pop(name, None)  # options in the address have priority
    engine = create_engine(
        url, connect_args=arguments, pool_pre_ping=True, pool_size=8, max_overflow=24, pool_timeout=60
    )

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if connection.get_execution_options().get(LATER, False):
            connection.exec_driver_sql("SET LOCAL synchronous_commit = off")

    if read_only:
        engine = engine.execution_options(postgresql_readonly=True)

        @event.listens_for(engine, "begin")
        def _fix_read_only(connection: Connection) -> None:
            # After its first query a transaction cannot be made writable.
            connection.exec_driver_sql("SELECT 1")

    return engine


def missing_catalogue(address: object) -> DatabaseError:
    return DatabaseError(f'There is no catalogue at "{address}".', remedy=START)


def prepare_file(path: Path, *, create: bool) -> None:
    """Create the file, for its owner only, if it does not exist and ``create`` is set. Raises ``DatabaseError``."""
    try:
        if path.is_dir():
            raise DatabaseError(f'The database "{path}" is a folder.', remedy="Name a file in it with --database.")
        if path.exists():
            return
        if not create:
            raise missing_catalogue(path)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise DatabaseError(
            f'The database "{path}" cannot be opened: {error.strerror}.',
            remedy="Check that its folder exists and that you may write to it.",
        ) from error

"""How the catalogue talks to SQLite and to PostgreSQL: one pool of connections each, set up the same way everywhere.

SQLite
    Write-ahead log, so that questions are answered while a scan writes; ``synchronous=FULL``, because a call that was
    paid for must not be lost with the power (but see ``LATER``); foreign keys on. A transaction that will write says so
    at its beginning (``BEGIN IMMEDIATE``) and waits its turn there: one that reads first and writes later would fail,
    not wait.
    What is deleted is overwritten (``secure_delete``): vectors of the forgotten must not stay in free pages. On a file
    system that nobody can write to, no log can be opened and none is needed (``immutable``).

PostgreSQL
    psycopg 3; a connection that died while it was idle is replaced before it is handed out.
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
"""Execution option of a transaction that may be lost with the power until the next one without it is committed.

For what costs nothing to make again and is of no use without a later transaction. Enrolling a face took 1 instead of 4
to 6 ms where it was measured, as it does not wait for the disk. A killed process loses nothing either way.
"""

BUSY_SECONDS = 60
"""How long to wait for another process's transaction before giving up; ours last milliseconds."""

_WAL_BYTES = 64 << 20

START = "Run `catalog scan` first, or name another database with --database."


def make_engine(url: URL, *, read_only: bool = False, foreign_keys: bool = True) -> Engine:
    """A pool of connections to the database at ``url``; none is opened yet."""
    if url.drivername == "sqlite":
        return _sqlite_engine(url, read_only=read_only, foreign_keys=foreign_keys)
    return _postgresql_engine(url, read_only=read_only)


def _sqlite_engine(url: URL, *, read_only: bool, foreign_keys: bool) -> Engine:
    name = "file::memory:"
    if is_file(url):
        path = sqlite_path(url)
        name = file_name(path, "ro" if read_only else "rw")
        if read_only and _is_unchanging(path):
            name += "&immutable=1"

    def connect() -> sqlite3.Connection:
        # Transactions are begun by us, below, not guessed by the driver: isolation_level=None.
        return sqlite3.connect(name, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)

    # SQLAlchemy hands the file's name to the driver as text; a creator may use the raw bytes of it.
    if is_file(url):
        engine = create_engine(url, creator=connect, pool_size=8, max_overflow=24, pool_timeout=60)
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
        cursor.execute("PRAGMA cache_size = -32000")  # kibibytes
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
    def _make_durable_again(connection: DBAPIConnection | None, entry: ConnectionPoolEntry) -> None:
        if entry.info.pop(LATER, False) and connection is not None:
            cursor = connection.cursor()
            cursor.execute("PRAGMA synchronous = FULL")
            cursor.close()

    return engine


def _is_unchanging(path: Path) -> bool:
    """Whether nobody can write where the file lies, and no log holds anything: a snapshot, a disc."""
    log = path.with_name(path.name + "-wal")
    try:
        return bool(os.statvfs(path).f_flag & os.ST_RDONLY) and not (log.exists() and log.stat().st_size)
    except OSError:
        return False  # opening the file will tell


def file_name(path: Path, mode: str) -> str:
    """An SQLite uri; the only form in which a path of any bytes can be opened without being created."""
    return f"file:{quote_from_bytes(os.fsencode(path))}?mode={mode}"


def _postgresql_engine(url: URL, *, read_only: bool) -> Engine:
    arguments: dict[str, str | int] = {
        "application_name": "catalog",
        "connect_timeout": 10,
        # A server that vanished without a word is noticed within about a minute.
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
    }
    for name in url.query:
        arguments.pop(name, None)  # what the address says, goes
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
        def _read_something(connection: Connection) -> None:
            # From its first query on a transaction cannot be made a writing one.
            connection.exec_driver_sql("SELECT 1")

    return engine


def prepare_file(path: Path, *, create: bool) -> None:
    """See that there is a file, for its owner only, which SQLite may open."""
    try:
        if path.is_dir():
            raise DatabaseError(f'The database "{path}" is a folder.', remedy="Name a file in it with --database.")
        if path.exists():
            return
        if not create:
            raise DatabaseError(f'There is no catalogue at "{path}".', remedy=START)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise DatabaseError(
            f'The database "{path}" cannot be opened: {error.strerror}.',
            remedy="Look whether its folder exists and whether you may write there.",
        ) from error

"""The database of the collections: a file of the endpoint's own, PostgreSQL, or a catalogue."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection, Engine, event, inspect
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from catalog.domain.errors import DatabaseError
from catalog.engines.local.tables import create_gallery
from catalog.store.connections import WRITES, make_engine
from catalog.store.database_address import parse_address, safe_form, sqlite_path
from catalog.store.driver_errors import translate_driver_errors

MEMORY = ":memory:"


@contextlib.contextmanager
def open_data(address: str) -> Iterator[Engine]:
    """Open the database at a file or URL and create missing gallery tables. Raises DatabaseError.

    ``:memory:`` is a temporary file that is removed at the end. SQLite's own in-memory databases have table locks
    that fail when several threads write.
    """
    with contextlib.ExitStack() as stack:
        is_temporary = address == MEMORY
        if is_temporary:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="catalog-endpoint-"))
            address = str(Path(folder, "data.sqlite3"))
        url = parse_address(address)
        if url.drivername == "sqlite":
            _make_file(sqlite_path(url))
        engine = make_engine(url)
        stack.callback(engine.dispose)
        if is_temporary:
            event.listen(engine, "connect", _skip_disk_sync)
        with translate_driver_errors(safe_form(url)):
            _make_tables(engine)
        yield engine


def _make_file(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
    except OSError as error:
        raise DatabaseError(
            f'The file "{path}" cannot be written: {error.strerror}.', remedy="Name another file with --data."
        ) from error


def _make_tables(engine: Engine) -> None:
    with engine.connect() as connection:
        present = "gallery_collections" in inspect(connection).get_table_names()
        if engine.dialect.name == "sqlite" and not present:
            connection.rollback()
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
    if not present:
        create_gallery(engine)


def _skip_disk_sync(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    """A temporary database need not survive a power failure, so waiting for the disk is skipped."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous = OFF")
    cursor.close()


@contextlib.contextmanager
def writing(database: Engine) -> Iterator[Connection]:
    """A write transaction: on SQLite it takes the write lock at once."""
    with database.execution_options(**{WRITES: True}).begin() as connection:
        yield connection

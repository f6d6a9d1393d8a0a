"""One opened catalogue: where transactions begin and end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from sqlalchemy import URL, Connection, Engine, inspect, text

from catalog.domain.errors import SchemaError
from catalog.store.connections import LATER, START, WRITES, make_engine, prepare_file
from catalog.store.database_address import is_file, parse_address, safe_form, sqlite_path
from catalog.store.driver_errors import translate_driver_errors

SCHEMA = "0001"
"""The newest revision in ``migrations/``. Kept here too, so that opening a catalogue need not load Alembic."""


@dataclass(frozen=True, eq=False)
class Database:
    """An opened catalogue. May be used from several threads at once.

    ``engine`` is lent to the local engine, whose gallery lives in the same database.
    """

    url: str
    """Safe to show: without the password."""
    dialect: Literal["sqlite", "postgresql"]
    engine: Engine
    address: URL = field(repr=False)
    """The whole address, password included."""

    @property
    def path(self) -> Path | None:
        """The file of an SQLite catalogue."""
        return sqlite_path(self.address) if is_file(self.address) else None

    @property
    def later(self) -> Engine:
        """``engine``, for what is of no use without a later transaction: it need not outlive a power cut alone."""
        return self.engine.execution_options(**{LATER: True})

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction that writes: committed at the end, taken back when an exception leaves it."""
        with (
            translate_driver_errors(self.url),
            self.engine.execution_options(**{WRITES: True}).begin() as connection,
        ):
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that reads; on SQLite it sees one state of the catalogue from beginning to end."""
        with translate_driver_errors(self.url), self.engine.connect() as connection:
            if self.dialect == "postgresql":
                connection.execution_options(postgresql_readonly=True)
            yield connection

    def empty_log(self) -> bool:
        """Fold SQLite's log into the file: it holds pages as they were before something was deleted.

        False when somebody else is reading or writing for long; the log is then emptied the next time round.
        """
        if self.path is None:
            return True
        with translate_driver_errors(self.url):
            connection = self.engine.raw_connection()
            try:
                busy, *_ = connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            finally:
                connection.close()
        return not busy

    def close(self) -> None:
        self.engine.dispose()


def open_database(
    address: str, *, create: bool = True, upgrade: bool | None = None, read_only: bool = False
) -> Database:
    """Open the catalogue at ``address``, a url or the path of an SQLite file.

    With ``create`` an SQLite file is made as needed, and an empty PostgreSQL database gets the schema. With ``upgrade``
    (as ``create``, unless given) an SQLite schema that is behind is brought up to date, after a copy; one on PostgreSQL
    is left to ``catalog database upgrade``, because other programs may be at work on it. ``read_only`` gives
    connections on which nothing can be written, and does neither.

    Raises ``DatabaseError`` and ``SchemaError``.
    """
    url = parse_address(address)
    if is_file(url):
        prepare_file(sqlite_path(url), create=create and not read_only)
    database = Database(
        url=safe_form(url),
        dialect="sqlite" if url.drivername == "sqlite" else "postgresql",
        engine=make_engine(url, read_only=read_only),
        address=url,
    )
    try:
        _check_schema(
            database,
            create=create and not read_only,
            upgrade=(create if upgrade is None else upgrade) and not read_only,
        )
    except BaseException:
        database.close()
        raise
    return database


def _check_schema(database: Database, *, create: bool, upgrade: bool) -> None:
    with database.read() as connection:
        revision, tables = _revision(connection)
    if revision == SCHEMA:
        return
    name = database.url
    if revision is None and tables:
        beside = ", or put the catalogue beside them: catalog database upgrade" if database.path is None else "."
        raise SchemaError(
            f'The database "{name}" holds the tables of another program.',
            remedy=f"Name another database with --database{beside}",
        )
    if not create and revision is None:
        raise SchemaError(f'The database "{name}" holds no catalogue.', remedy=START)

    # Heavy: Alembic is loaded only where there is something for it to do.
    from catalog.store import migrate

    if revision is not None and revision not in migrate.known_revisions():
        raise migrate.newer_schema(name, revision)
    if revision is not None and (database.dialect == "postgresql" or not upgrade):
        raise SchemaError(
            f'The database "{name}" has schema {revision}; this program needs {SCHEMA}.',
            remedy="Run: catalog database upgrade",
        )
    if database.dialect == "sqlite" and database.path is None:
        with database.begin() as connection:
            migrate.upgrade_connection(connection, database.address)
    else:
        migrate.upgrade(database.address.render_as_string(hide_password=False))


def _revision(connection: Connection) -> tuple[str | None, bool]:
    """The schema's revision, and whether there are any tables at all."""
    names = inspect(connection).get_table_names()
    if "alembic_version" not in names:
        return None, bool(names)
    return connection.scalar(text("SELECT version_num FROM alembic_version")), True

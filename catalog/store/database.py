"""An open catalogue and its transactions."""

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

SCHEMA = "0018"
"""The newest revision in ``migrations/``, repeated here so that opening a catalogue does not load Alembic."""


@dataclass(frozen=True, eq=False)
class Database:
    """An open catalogue. Safe to use from several threads.

    The local engine uses ``engine``, too: its gallery is in the same database.
    """

    url: str
    """The address without the password, for messages."""
    dialect: Literal["sqlite", "postgresql"]
    engine: Engine
    address: URL = field(repr=False)
    """The whole address with the password."""

    @property
    def path(self) -> Path | None:
        """The file of an SQLite catalogue, None for other databases."""
        return sqlite_path(self.address) if is_file(self.address) else None

    @property
    def later(self) -> Engine:
        """``engine`` with the option ``LATER``, for data that is useless without a later transaction."""
        return self.engine.execution_options(**{LATER: True})

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction that writes. Commits at the end of the block; an exception rolls it back."""
        with (
            translate_driver_errors(self.url),
            self.engine.execution_options(**{WRITES: True}).begin() as connection,
        ):
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that reads. On SQLite it sees one state of the catalogue throughout."""
        with translate_driver_errors(self.url), self.engine.connect() as connection:
            if self.dialect == "postgresql":
                connection.execution_options(postgresql_readonly=True)
            yield connection

    def empty_log(self) -> bool:
        """Merge SQLite's log into the file. The log holds pages with deleted data.

        Returns False if another process reads or writes for long; a later call empties the log.
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

    ``create``: create the SQLite file if needed, and the schema in an empty database. ``upgrade`` (default: the value
    of ``create``): upgrade an older SQLite schema, after making a copy. An older schema on PostgreSQL needs ``catalog
    database upgrade``, because other programs may be using it. ``read_only``: connections cannot write; nothing is
    created or upgraded.

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
    except BaseException:  # also KeyboardInterrupt: no connection stays open
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
        alternative = ", or add the catalogue to it: catalog database upgrade" if database.path is None else "."
        raise SchemaError(
            f'The database "{name}" contains tables of another program.',
            remedy=f"Name another database with --database{alternative}",
        )
    if not create and revision is None:
        raise SchemaError(f'The database "{name}" holds no catalogue.', remedy=START)

    # Alembic is slow to load and needed for upgrades only.
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
    """Return the revision of the schema, and True if the database has any table."""
    names = inspect(connection).get_table_names()
    if "alembic_version" not in names:
        return None, bool(names)
    return connection.scalar(text("SELECT version_num FROM alembic_version")), True

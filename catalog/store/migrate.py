"""Brings a database to the schema that this program needs.

An upgrade is one transaction, on both databases: it happens whole or not at all, and two programs that want it at the
same time take turns. An SQLite file is copied before it is touched.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, inspect, text

from catalog.domain.errors import SchemaError
from catalog.store.connections import WRITES, file_name, make_engine, prepare_file
from catalog.store.database_address import is_file, parse_address, safe_form, sqlite_path
from catalog.store.driver_errors import translate_driver_errors

BACKUPS_KEPT = 3

# Any number will do that other programs on the same server are unlikely to use: "catalog" as bytes.
UPGRADE_LOCK = int.from_bytes(b"catalog", "big")


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What :func:`upgrade` did. ``before`` is None for a new database; ``backup`` is the copy that was made."""

    before: str | None
    after: str
    backup: Path | None = None


def migrations_folder() -> Path:
    """``catalog/migrations`` in an installed wheel, ``migrations`` beside the package in a checkout."""
    package = Path(__file__).parent.parent
    installed = package / "migrations"
    return installed if installed.is_dir() else package.parent / "migrations"


def alembic_config(connection: Connection | None = None) -> Config:
    config = Config()
    # Alembic interpolates its settings: a percent sign in a folder's name must be doubled.
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def known_revisions() -> list[str]:
    """Every revision this program knows, the newest first."""
    return [script.revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions()]


def upgrade(address: str) -> Upgrade:
    """Create the schema in an empty database, or bring an older one up to date.

    Raises ``SchemaError`` for a database newer than the program.
    """
    with exclusive_connection(address) as connection:
        return upgrade_connection(connection, parse_address(address))


def upgrade_connection(connection: Connection, url: URL) -> Upgrade:
    """:func:`upgrade` within the transaction of an :func:`exclusive_connection`."""
    before = MigrationContext.configure(connection).get_current_revision()
    known = known_revisions()
    if before is not None and before not in known:
        raise newer_schema(safe_form(url), before)
    if before == known[0]:
        return Upgrade(before, before)
    backup = None
    if is_file(url) and inspect(connection).get_table_names():
        if before is None:
            raise SchemaError(
                f'The database "{safe_form(url)}" holds the tables of another program.',
                remedy="Name another database with --database.",
            )
        backup = copy_sqlite(sqlite_path(url), before)
    command.upgrade(alembic_config(connection), "head")
    return Upgrade(before, known[0], backup)


def newer_schema(name: str, revision: str) -> SchemaError:
    return SchemaError(
        f'The database "{name}" has schema {revision}, which is newer than this program.',
        remedy="Update catalog, or name another database with --database.",
    )


@contextmanager
def exclusive_connection(address: str) -> Iterator[Connection]:
    """A transaction that no other upgrade can run beside; it is committed at the end."""
    url = parse_address(address)
    if url.drivername == "sqlite":
        prepare_file(sqlite_path(url), create=True)
    # Altering a table in SQLite means to rebuild it, which foreign keys would take for the deletion of its rows.
    engine = make_engine(url, foreign_keys=False)
    try:
        with translate_driver_errors(safe_form(url)):
            if url.drivername == "sqlite":
                with engine.connect() as connection:
                    connection.connection.cursor().execute("PRAGMA journal_mode = WAL").close()
            with engine.execution_options(**{WRITES: True}).begin() as connection:
                if url.drivername != "sqlite":
                    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": UPGRADE_LOCK})
                yield connection
                if url.drivername == "sqlite" and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
                    raise SchemaError(
                        f'The database "{safe_form(url)}" would not hold together after the upgrade; nothing was done.',
                        remedy="Please report it.",
                    )
    finally:
        engine.dispose()


def copy_sqlite(path: Path, revision: str) -> Path:
    """A consistent copy beside the file, named after revision and time; the oldest beyond three are removed."""
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    copy = path.with_name(f"{path.name}.backup-{revision}-{moment}")
    os.close(os.open(copy, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600))
    with (
        closing(sqlite3.connect(file_name(path, "ro"), uri=True)) as source,
        closing(sqlite3.connect(file_name(copy, "rw"), uri=True)) as target,
    ):
        source.backup(target)
    copies = sorted(
        path.parent.glob(f"{_literal(path.name)}.backup-*"), key=lambda found: found.name.rpartition("-")[2]
    )
    for old in copies[:-BACKUPS_KEPT]:
        old.unlink(missing_ok=True)
    return copy


def _literal(name: str) -> str:
    return "".join(f"[{char}]" if char in "*?[" else char for char in name)

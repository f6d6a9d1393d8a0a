"""Upgrade of a database to the schema that this program needs.

An upgrade is one transaction on both databases, so that it happens completely or not at all. Concurrent upgrades wait
for each other. An SQLite file is copied first.
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

# Key of the advisory lock. Other programs on the same server are unlikely to use the bytes of "catalog".
UPGRADE_LOCK = int.from_bytes(b"catalog", "big")


@dataclass(frozen=True, slots=True)
class Upgrade:
    """Revisions before and after. ``before`` is None for a new database. ``backup``: the copy that was made first."""

    before: str | None
    after: str
    backup: Path | None = None


def migrations_folder() -> Path:
    """Return ``catalog/migrations`` of an installed wheel, or ``migrations`` beside the package in a checkout."""
    package = Path(__file__).parent.parent
    installed = package / "migrations"
    return installed if installed.is_dir() else package.parent / "migrations"


def alembic_config(connection: Connection | None = None) -> Config:
    config = Config()
    # Alembic interpolates its settings, so that a percent sign must be doubled.
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def known_revisions() -> list[str]:
    """Return all revisions that this program knows, newest first."""
    return [script.revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions()]


def upgrade(address: str) -> Upgrade:
    """Create the schema in an empty database, or upgrade an older schema.

    Raises ``SchemaError`` if the schema is newer than the program.
    """
    with exclusive_connection(address) as connection:
        return upgrade_connection(connection, parse_address(address))


def upgrade_connection(connection: Connection, url: URL) -> Upgrade:
    """:func:`upgrade` within the transaction of an :func:`exclusive_connection`."""
    before = MigrationContext.configure(connection).get_current_revision()
    revisions = known_revisions()
    if before is not None and before not in revisions:
        raise newer_schema(safe_form(url), before)
    if before == revisions[0]:
        return Upgrade(before, before)
    backup = None
    if is_file(url) and inspect(connection).get_table_names():
        if before is None:
            raise SchemaError(
                f'The database "{safe_form(url)}" contains tables of another program.',
                remedy="Name another database with --database.",
            )
        backup = copy_sqlite(sqlite_path(url), before)
    command.upgrade(alembic_config(connection), "head")
    return Upgrade(before, revisions[0], backup)


def newer_schema(name: str, revision: str) -> SchemaError:
    return SchemaError(
        f'The database "{name}" has schema {revision}, which is newer than this program.',
        remedy="Update catalog, or name another database with --database.",
    )


@contextmanager
def exclusive_connection(address: str) -> Iterator[Connection]:
    """Open a transaction that excludes other upgrades. It is committed at the end of the block."""
    url = parse_address(address)
    if url.drivername == "sqlite":
        prepare_file(sqlite_path(url), create=True)
    # SQLite alters a table by rebuilding it. With foreign keys on, that would delete the rows that refer to it.
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
                        f'The database "{safe_form(url)}" would violate foreign keys after the upgrade.',
                        remedy="Nothing was changed. Please report it.",
                    )
    finally:
        engine.dispose()


def copy_sqlite(path: Path, revision: str) -> Path:
    """Make a consistent copy beside the file, named by revision and time. Keeps the newest three such copies."""
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    copy = path.with_name(f"{path.name}.backup-{revision}-{moment}")
    os.close(os.open(copy, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600))
    with (
        closing(sqlite3.connect(file_name(path, "ro"), uri=True)) as source,
        closing(sqlite3.connect(file_name(copy, "rw"), uri=True)) as target,
    ):
        source.backup(target)
    copies = sorted(path.parent.glob(f"{_literal(path.name)}.backup-*"), key=lambda file: file.name.rpartition("-")[2])
    for old in copies[:-BACKUPS_KEPT]:
        old.unlink(missing_ok=True)
    return copy


def _literal(name: str) -> str:
    return "".join(f"[{char}]" if char in "*?[" else char for char in name)

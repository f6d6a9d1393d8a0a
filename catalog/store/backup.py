"""Backup and restore of a whole catalogue while it is in use.

A backup is an SQLite catalogue in one file, for both kinds of database, so that it can also move a catalogue from one
kind to the other. It contains the local engine's gallery. It does not contain a collection at Amazon, which
`catalog reconcile` repairs after a restore.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, MetaData, Table, exists, func, insert, inspect, select, text, update
from sqlalchemy.exc import SAWarning

from catalog.domain.errors import DatabaseError, SchemaError, UsageError
from catalog.domain.timestamps import utc_text
from catalog.store.assignment_lock import assignment_lock
from catalog.store.backup_checks import check_pages, check_schema
from catalog.store.connections import file_name
from catalog.store.database import Database, open_database
from catalog.store.database_address import parse_address, safe_form
from catalog.store.driver_errors import translate_driver_errors
from catalog.store.temporary_files import temporary_file
from catalog.store.tombstones import WHOLE_PHOTO, apply_tombstones, read_forgotten, read_tombstones

_DeleteReferences = Callable[[Connection, set[str]], None]

_VERSION_TABLE = "alembic_version"
_ROWS = 2000
_CATALOGUE_REMEDIES = ("--database", "catalog restore")
"""A remedy that contains one of these does not apply to a backup."""


def back_up(database: Database, target: Path) -> int:
    """Copy a consistent snapshot of the catalogue into a new file. Returns its size in bytes.

    The file gets its name when it is complete and on the disk. Raises ``UsageError`` if it exists.
    """
    # Alembic is slow to load, here and below.
    from catalog.store.migrate import exclusive_connection

    if target.exists():
        raise UsageError(f'The file "{target}" exists already.', remedy="Name another file.")
    with temporary_file(target) as copy, _errors_name(f'The backup "{target}"', copy):
        if database.path is not None:
            _copy_file(database.path, copy)
            check_pages(copy, f'The database "{database.url}"', "Restore a backup with `catalog restore`.")
        else:
            open_database(str(copy)).close()
            with _snapshot(database) as source, exclusive_connection(str(copy)) as target_connection:
                _copy_rows(source, target_connection)
        _fold_log(copy)
        _sync_to_disk(copy)
        _give_name(copy, target)
        _sync_to_disk(target.parent)
    return target.stat().st_size


def restore(database: Database, backup: Path, delete_references: _DeleteReferences = lambda _, __: None) -> Path | None:
    """Replace the content of the catalogue by the content of a backup, in one transaction.

    Persons forgotten since the backup was made stay forgotten. ``delete_references`` deletes the references that were
    cut from photos with these content hashes. Returns the copy of the SQLite file from before the
    restore; None on PostgreSQL, and for a catalogue that was empty. The caller holds the lock of the whole catalogue.
    """
    # Alembic is slow to load and needed for this copy only.
    from catalog.store.migrate import copy_sqlite

    beside = database.path or Path(tempfile.gettempdir()) / "restore"
    with assignment_lock(database), temporary_file(beside) as copy, _errors_name(f'The backup "{backup}"', copy):
        if not backup.is_file():
            raise UsageError(f'There is no backup at "{backup}".')
        shutil.copyfile(backup, copy)
        check_schema(copy, backup)  # before any of its triggers runs
        open_database(str(copy), create=False, upgrade=True).close()  # refuses other files and newer schemas
        check_pages(copy, f'The backup "{backup}"', "Name another backup.")
        _forget_again(database, copy, delete_references)
        _fold_log(copy)
        if database.path is not None:
            before = copy_sqlite(database.path, "before-restore") if _has_content(database) else None
            database.engine.dispose()
            _copy_file(copy, database.path)
            return before
        source = open_database(str(copy), read_only=True)
        try:
            with source.read() as rows, database.begin() as connection:
                _empty(connection)
                _copy_rows(rows, connection)
        finally:
            source.close()
    return None


def _has_content(database: Database) -> bool:
    """Return whether a table has a row, but those of the schema's revision and the catalogue's identity."""
    with database.read() as connection:
        names = set(inspect(connection).get_table_names()) - {"alembic_version", "catalogue"}
        return any(connection.scalar(select(exists().select_from(text(f'"{name}"')))) for name in names)


def _forget_again(database: Database, copy: Path, delete_references: _DeleteReferences) -> None:
    """Copy the tombstones and their decisions from a catalogue into the copy that will replace it."""
    with database.read() as connection:
        tombstone_rows, decision_rows = read_forgotten(connection)
    restored = open_database(str(copy))
    try:
        with restored.begin() as connection:
            # References that were added after a person was forgotten stay.
            known = {tombstone.key for tombstone in read_tombstones(connection)}
            keys = [tombstone.key for tombstone in tombstone_rows if tombstone.key not in known]
            delete_references(connection, {key.sha256 for key in keys if key.box == WHOLE_PHOTO})
            apply_tombstones(connection, tombstone_rows, decision_rows, str(utc_text(datetime.now(UTC))))
    finally:
        restored.close()


def _copy_file(source: Path, target: Path) -> None:
    """Copy with SQLite's online backup: consistent during writes, and one transaction for users of the target."""
    with (
        translate_driver_errors(str(target)),
        closing(sqlite3.connect(file_name(source, "ro"), uri=True, timeout=60)) as reading,
        closing(sqlite3.connect(file_name(target, "rw"), uri=True, timeout=60)) as writing,
    ):
        reading.backup(writing)


def _fold_log(path: Path) -> None:
    """Merge the write-ahead log into the SQLite file, so that the catalogue is one file."""
    with translate_driver_errors(str(path)), closing(sqlite3.connect(file_name(path, "rw"), uri=True)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")


@contextmanager
def _errors_name(backup: str, copy: Path) -> Iterator[None]:
    """Rewrite errors about a temporary copy to name the backup, the file that the user knows."""
    subject = f'The database "{safe_form(parse_address(str(copy)))}"'
    try:
        yield
    except DatabaseError as error:
        message, remedy = str(error), error.remedy or ""
        if not message.startswith(subject):
            raise
        if isinstance(error, SchemaError) or any(part in remedy for part in _CATALOGUE_REMEDIES):
            verb = "Update catalog, or name" if remedy.startswith("Update") else "Name"
            remedy = f"{verb} another backup."
        raise type(error)(f"{backup}{message.removeprefix(subject)}", remedy=remedy) from error


def _sync_to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _snapshot(database: Database) -> Iterator[Connection]:
    """Open a read-only transaction that sees one state of all tables."""
    options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with (
        translate_driver_errors(database.url),
        database.engine.connect().execution_options(**options) as connection,
    ):
        yield connection


def _tables(connection: Connection) -> list[Table]:
    """Return all tables, the gallery's included, in the order of their foreign keys."""
    metadata = MetaData()
    with warnings.catch_warnings():
        # SQLAlchemy cannot reflect an index of an expression. Copying rows needs none.
        warnings.filterwarnings("ignore", "Skipped unsupported reflection of expression-based index", SAWarning)
        metadata.reflect(connection)
    return [table for table in metadata.sorted_tables if table.name != _VERSION_TABLE]


def _empty(into: Connection) -> None:
    names = ", ".join(table.name for table in _tables(into))
    into.execute(text(f"TRUNCATE {names} CASCADE"))


def _copy_rows(source: Connection, into: Connection) -> None:
    """Copy all rows of all tables. Both databases have the same schema."""
    targets = {table.name: table for table in _tables(into)}
    for table in _tables(source):
        target = targets[table.name]
        self_references = {
            key.parent.name for key in target.foreign_keys if key.column.table is target and key.parent.table is target
        }
        rows = source.execute(select(table).execution_options(yield_per=_ROWS)).mappings()
        for part in rows.partitions(_ROWS):
            # References to rows of the same table are set when all rows exist.
            values = [{name: None if name in self_references else row[name] for name in row} for row in part]
            into.execute(insert(target), values)
        for name in self_references:
            _set_self_references(source, into, table, target, name)
        if into.dialect.name == "postgresql":
            _raise_sequence(into, target)


def _set_self_references(source: Connection, into: Connection, table: Table, target: Table, name: str) -> None:
    (key,) = table.primary_key.columns
    for row_id, referenced_id in source.execute(select(key, table.c[name]).where(table.c[name].is_not(None))).all():
        into.execute(update(target).where(target.c[key.name] == row_id).values({name: referenced_id}))


def _raise_sequence(into: Connection, target: Table) -> None:
    """Set the sequence of the row ids to the highest row id."""
    keys = list(target.primary_key.columns)
    if len(keys) != 1:
        return
    sequence = into.scalar(
        text("SELECT pg_get_serial_sequence(:table, :column)"), {"table": target.name, "column": keys[0].name}
    )
    highest = into.scalar(select(func.max(keys[0]))) if sequence else None
    if highest is not None:
        into.execute(text("SELECT setval(:sequence, :highest)"), {"sequence": sequence, "highest": highest})


def write_private(target: Path, data: bytes) -> int:
    """Write a new private file, completely or not at all. Returns its size in bytes."""
    if target.exists():
        raise UsageError(f'The file "{target}" exists already.', remedy="Name another file.")
    with temporary_file(target) as copy:
        copy.write_bytes(data)
        _sync_to_disk(copy)
        _give_name(copy, target)
        _sync_to_disk(target.parent)
    return len(data)


def _give_name(copy: Path, target: Path) -> None:
    """Give a complete file its name. Never overwrites a file."""
    try:
        os.link(copy, target)
    except FileExistsError:
        raise UsageError(f'The file "{target}" exists already.', remedy="Name another file.") from None
    except OSError:
        # FAT, exFAT and many network shares have no hard links: reserve the name, then replace the empty file.
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        copy.replace(target)


def backup_name(now: datetime | None = None) -> str:
    """Return the default file name of a backup."""
    return f"catalog-{(now or datetime.now(UTC)).strftime('%Y%m%dT%H%M%SZ')}.sqlite3"

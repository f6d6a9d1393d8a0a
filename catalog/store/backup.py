"""Whole copies of a catalogue, made while it is in use, and put back.

A backup is an SQLite catalogue in one file, whichever database it came from: any of the two can be restored from it, so
that it is also the way from the one to the other. The local engine's gallery is in it; a collection at Amazon is not,
and `catalog reconcile` brings it in line after a restore.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, MetaData, Table, func, insert, select, text, update

from catalog.domain.errors import DatabaseError, SchemaError, UsageError
from catalog.domain.timestamps import utc_text
from catalog.store.assignment_lock import assignment_lock
from catalog.store.connections import file_name
from catalog.store.database import Database, open_database
from catalog.store.database_address import parse_address, safe_form
from catalog.store.driver_errors import translate_driver_errors
from catalog.store.tombstones import apply_tombstones, read_forgotten

_VERSION_TABLE = "alembic_version"
_ROWS = 2000
_OF_A_CATALOGUE = ("--database", "catalog restore")
"""Remedies that speak of these are for a catalogue, not for a backup."""


def back_up(database: Database, target: Path) -> int:
    """Copy the whole catalogue, as it is at one instant, into a new file; returns the file's size in bytes.

    The file appears under its name only when it is complete and on the disk.
    """
    # Heavy: Alembic, here and below.
    from catalog.store.migrate import exclusive_connection

    if target.exists():
        raise UsageError(f'The file "{target}" exists already.', remedy="Name another one.")
    with _beside(target) as copy:
        if database.path is not None:
            _copy_file(database.path, copy)
        else:
            open_database(str(copy)).close()
            with _snapshot(database) as source, exclusive_connection(str(copy)) as into:
                _copy_rows(source, into)
        _fold_log(copy)
        _reach_disk(copy)
        _appear(copy, target)
        _reach_disk(target.parent)
    return target.stat().st_size


def restore(database: Database, backup: Path) -> Path | None:
    """Replace everything in the catalogue by what a backup holds, in one transaction.

    Who was forgotten since the backup was made stays forgotten. Returns the copy of the SQLite file as it was before.
    The caller holds the lock of the whole catalogue.
    """
    from catalog.store.migrate import copy_sqlite

    beside = database.path or Path(tempfile.gettempdir()) / "restore"
    with assignment_lock(database), _beside(beside) as copy, _blamed_on(backup, copy):
        if not backup.is_file():
            raise UsageError(f'There is no backup at "{backup}".')
        shutil.copyfile(backup, copy)
        source = open_database(str(copy), create=False)  # refuses what is no catalogue, or newer than this program
        try:
            _check(source, backup)
        finally:
            source.close()
        _forget_again(database, copy)
        _fold_log(copy)
        if database.path is not None:
            before = copy_sqlite(database.path, "before-restore")
            database.engine.dispose()
            _copy_file(copy, database.path)
            return before
        source = open_database(str(copy), read_only=True)
        try:
            with source.read() as rows, database.begin() as into:
                _empty(into)
                _copy_rows(rows, into)
        finally:
            source.close()
    return None


def _forget_again(database: Database, copy: Path) -> None:
    """Carry tombstones, and the entries that tell of them, from a catalogue into what will take its place."""
    with database.read() as connection:
        stones, entries = read_forgotten(connection)
    into = open_database(str(copy))
    try:
        with into.begin() as connection:
            apply_tombstones(connection, stones, entries, str(utc_text(datetime.now(UTC))))
    finally:
        into.close()


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """A file for its owner only in the folder of the target; gone afterwards."""
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    except OSError as error:
        raise DatabaseError(
            f'No file can be made in "{target.parent}": {error.strerror}.', remedy="Name another folder, or make room."
        ) from error
    os.close(descriptor)
    path = Path(name)
    try:
        yield path
    finally:
        for end in ("", "-wal", "-shm", ".lock"):
            path.with_name(path.name + end).unlink(missing_ok=True)


def _copy_file(source: Path, target: Path) -> None:
    """SQLite's own online copy: whole even while others write, and one transaction for those who use the target."""
    with (
        translate_driver_errors(str(target)),
        closing(sqlite3.connect(file_name(source, "ro"), uri=True, timeout=60)) as reading,
        closing(sqlite3.connect(file_name(target, "rw"), uri=True, timeout=60)) as writing,
    ):
        reading.backup(writing)


def _fold_log(path: Path) -> None:
    """Make an SQLite catalogue one file that needs no log beside it."""
    with translate_driver_errors(str(path)), closing(sqlite3.connect(file_name(path, "rw"), uri=True)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")


@contextmanager
def _blamed_on(backup: Path, copy: Path) -> Iterator[None]:
    """Let what is wrong with the copy of a backup be told of the backup, which is the file that the user knows."""
    tried = f'The database "{safe_form(parse_address(str(copy)))}"'
    try:
        yield
    except DatabaseError as error:
        told, remedy = str(error), error.remedy or ""
        if not told.startswith(tried):
            raise
        if isinstance(error, SchemaError) or any(word in remedy for word in _OF_A_CATALOGUE):
            newer = "Update catalog, or name" if remedy.startswith("Update") else "Name"
            remedy = f"{newer} another backup."
        raise type(error)(f'The backup "{backup}"{told.removeprefix(tried)}', remedy=remedy) from error


def _check(source: Database, backup: Path) -> None:
    with source.read() as connection:
        found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
    if found != "ok":
        found = str(found).splitlines()[-1].rstrip(".")
        raise DatabaseError(f'The backup "{backup}" is damaged: {found}.', remedy="Name another backup.")


def _reach_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _snapshot(database: Database) -> Iterator[Connection]:
    """All tables as of one instant."""
    options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with (
        translate_driver_errors(database.url),
        database.engine.connect().execution_options(**options) as connection,
    ):
        yield connection


def _tables(connection: Connection) -> list[Table]:
    """Every table, the gallery's too, those that others refer to first."""
    found = MetaData()
    found.reflect(connection)
    return [table for table in found.sorted_tables if table.name != _VERSION_TABLE]


def _empty(into: Connection) -> None:
    names = ", ".join(table.name for table in _tables(into))
    into.execute(text(f"TRUNCATE {names} CASCADE"))


def _copy_rows(source: Connection, into: Connection) -> None:
    """Copy every row of every table; both sides have the same schema."""
    targets = {table.name: table for table in _tables(into)}
    for table in _tables(source):
        target = targets[table.name]
        own = {
            key.parent.name for key in target.foreign_keys if key.column.table is target and key.parent.table is target
        }
        rows = source.execute(select(table).execution_options(yield_per=_ROWS)).mappings()
        for part in rows.partitions(_ROWS):
            # Rows that refer to rows of the same table are joined up once all are there.
            into.execute(insert(target), [{name: None if name in own else row[name] for name in row} for row in part])
        for name in own:
            _join_up(source, into, table, target, name)
        if into.dialect.name == "postgresql":
            _raise_sequence(into, target)


def _join_up(source: Connection, into: Connection, table: Table, target: Table, name: str) -> None:
    (key,) = table.primary_key.columns
    for row_id, other in source.execute(select(key, table.c[name]).where(table.c[name].is_not(None))).all():
        into.execute(update(target).where(target.c[key.name] == row_id).values({name: other}))


def _raise_sequence(into: Connection, target: Table) -> None:
    """Let the next row id follow the highest one."""
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
    """Write a new file for its owner only, whole or not at all; returns its size."""
    if target.exists():
        raise UsageError(f'The file "{target}" exists already.', remedy="Name another one.")
    with _beside(target) as copy:
        copy.write_bytes(data)
        _reach_disk(copy)
        _appear(copy, target)
        _reach_disk(target.parent)
    return len(data)


def _appear(copy: Path, target: Path) -> None:
    """Give a complete file its name, which nothing has yet; never overwrites."""
    try:
        os.link(copy, target)
    except FileExistsError:
        raise UsageError(f'The file "{target}" exists already.', remedy="Name another one.") from None
    except OSError:
        # FAT, exFAT and many network shares know no links: take the name first, then put the content under it.
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        copy.replace(target)


def backup_name(now: datetime | None = None) -> str:
    """The name of a backup that was given none."""
    return f"catalog-{(now or datetime.now(UTC)).strftime('%Y%m%dT%H%M%SZ')}.sqlite3"

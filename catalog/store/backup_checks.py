"""Checks of a backup before it replaces a catalogue: it is whole, and its schema is the shipped one and nothing more.

Triggers and views of an SQLite file run with the rights of the program that opens it.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from catalog.domain.errors import DatabaseError
from catalog.domain.uri import display_name
from catalog.store.connections import file_name
from catalog.store.driver_errors import translate_driver_errors

Schema = Mapping[tuple[str, str], str | None]
"""SQL by type and name. None for tables and indexes, of which only the names are compared."""


def check_schema(path: Path, backup: Path) -> None:
    """Refuse a file with a table, index, trigger or view that this program does not create, or creates otherwise.

    A file without a known schema revision passes: opening it refuses it with a better message. Raises
    ``DatabaseError``.
    """
    # Alembic is slow to load.
    from alembic import command

    from catalog.store.migrate import alembic_config, exclusive_connection, known_revisions

    with translate_driver_errors(str(path)), closing(_read_only(path)) as connection:
        schema = _schema(connection)
        if ("table", "alembic_version") not in schema:
            return
        revision = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    if revision is None or revision[0] not in known_revisions():
        return
    with tempfile.TemporaryDirectory() as folder:
        shipped = Path(folder) / "shipped.sqlite3"
        with exclusive_connection(str(shipped)) as into:
            command.upgrade(alembic_config(into), revision[0])
        with closing(_read_only(shipped)) as connection:
            expected = _schema(connection)
    differing = sorted(key for key in schema.keys() | expected.keys() if schema.get(key, "") != expected.get(key, ""))
    if differing:
        kind, name = differing[0]
        raise DatabaseError(
            f'The backup "{backup}" is not a catalogue of this program: its {kind} "{display_name(name)}" differs.',
            remedy="Name another backup.",
        )


def check_pages(path: Path, name: str, remedy: str) -> None:
    """Refuse a file with damaged pages. Raises ``DatabaseError``; ``name`` begins its message."""
    with translate_driver_errors(str(path)), closing(_read_only(path)) as connection:
        result = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    if result != "ok":
        cause = result.splitlines()[-1].rstrip(".")
        raise DatabaseError(f"{name} is damaged: {cause}.", remedy=remedy)


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(file_name(path, "ro"), uri=True, timeout=60)


def _schema(connection: sqlite3.Connection) -> dict[tuple[str, str], str | None]:
    rows = connection.execute("SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite@_%' ESCAPE '@'")
    return {(str(kind), str(name)): sql if kind in ("trigger", "view") else None for kind, name, sql in rows.fetchall()}

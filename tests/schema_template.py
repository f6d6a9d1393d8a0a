"""New SQLite catalogues get their schema from a catalogue that was migrated once. The migrations take half a second."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, inspect


def schema_statements(path: Path) -> list[str]:
    """The statements that make an empty database the like of the one at ``path``, its few rows included."""
    with closing(sqlite3.connect(path)) as connection:
        return [line for line in connection.iterdump() if line not in {"BEGIN TRANSACTION;", "COMMIT;"}]


class SchemaTemplate:
    """Stands for ``alembic.command`` in ``catalog.store.migrate``.

    An empty SQLite database that is upgraded to the newest revision is filled by the statements of ``statements``. Any
    other upgrade is Alembic's.
    """

    def __init__(self, statements: Callable[[], list[str]]) -> None:
        self._statements = statements

    def upgrade(self, config: Config, revision: str, **options: Any) -> None:
        connection = config.attributes["connection"]
        if revision == "head" and not options and _is_empty_sqlite(connection):
            execute = connection.connection.cursor().execute  # SQLAlchemy's own takes twice the time
            for statement in self._statements():
                execute(statement)
        else:
            command.upgrade(config, revision, **options)


def _is_empty_sqlite(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite" and not inspect(connection).get_table_names()

"""Compiled SQL serves all catalogues of a test process. Each catalogue would compile the same statements again."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache

_STATEMENTS = 5_000
"""Statements that are kept; the longest unused are dropped first."""


def share_statements(patch: pytest.MonkeyPatch) -> None:
    """Let the engines that ``catalog.store.connections`` creates keep their statements in one cache.

    SQLAlchemy looks a statement up by its dialect. All dialects of one class are equal here, because the catalogue
    gives them no options.
    """
    statements: LRUCache[Any, Any] = LRUCache(_STATEMENTS)

    def create(*arguments: Any, **options: Any) -> Engine:
        engine = create_engine(*arguments, **options)
        engine.update_execution_options(compiled_cache=statements)
        return engine

    for dialect in (SQLiteDialect_pysqlite, PGDialect_psycopg):
        patch.setattr(dialect, "__hash__", lambda dialect: hash(type(dialect)))
        patch.setattr(dialect, "__eq__", lambda dialect, other: type(other) is type(dialect))
    patch.setattr("catalog.store.connections.create_engine", create)

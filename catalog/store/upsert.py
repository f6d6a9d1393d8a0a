"""``INSERT ... ON CONFLICT``, which SQLite and PostgreSQL both speak and SQLAlchemy has under two names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

T = TypeVar("T")


def insert_into(conn: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    return sqlite.insert(table) if conn.dialect.name == "sqlite" else postgresql.insert(table)


def batches(items: Sequence[T], size: int = 500) -> Iterator[Sequence[T]]:
    """Slices short enough for the variables that one statement may have."""
    for start in range(0, len(items), size):
        yield items[start : start + size]

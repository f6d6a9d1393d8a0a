"""``INSERT ... ON CONFLICT``, which SQLite and PostgreSQL both speak and SQLAlchemy has under two names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

T = TypeVar("T")


def insert_into(target: Connection | str, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An insert that may be given a conflict clause; ``target`` is a connection, or ``sqlite`` or ``postgresql``."""
    dialect = target if isinstance(target, str) else target.dialect.name
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


def batches(items: Sequence[T], size: int = 500) -> Iterator[Sequence[T]]:
    """Slices short enough for the variables that one statement may have."""
    for start in range(0, len(items), size):
        yield items[start : start + size]

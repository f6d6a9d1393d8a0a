"""``INSERT ... ON CONFLICT`` for SQLite and PostgreSQL, and batches for long lists of values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import sqlite

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

_T = TypeVar("_T")


def insert_into(target: Connection | str, table: Table) -> postgresql.Insert | sqlite.Insert:
    """Return an insert that accepts a conflict clause. ``target``: a connection, or ``sqlite`` or ``postgresql``."""
    dialect = target if isinstance(target, str) else target.dialect.name
    if dialect == "sqlite":
        return sqlite.insert(table)
    # A command on SQLite starts sooner without this dialect.
    from sqlalchemy.dialects import postgresql

    return postgresql.insert(table)


def batches(items: Sequence[_T], size: int = 500) -> Iterator[Sequence[_T]]:
    """Split into slices that are below the limit of variables per statement."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def repeated_batches(items: Sequence[_T], size: int = 256) -> Iterator[Sequence[_T]]:
    """Split into slices of ``size``, a power of two, and of ever smaller powers of two.

    A statement of several rows has another text for each number of rows. The driver keeps those that were prepared,
    and 100 different ones of 200 rows take tens of megabytes.
    """
    start = 0
    while start < len(items):
        while size > len(items) - start:
            size //= 2
        yield items[start : start + size]
        start += size

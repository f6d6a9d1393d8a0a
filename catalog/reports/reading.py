"""Read transactions for questions about large parts of the catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from catalog.store.connections import read_much
from catalog.store.database import Database


@contextmanager
def reading(database: Database) -> Iterator[Connection]:
    """Open a read transaction tuned for queries on large parts of the catalogue."""
    with database.read() as connection:
        read_much(connection)
        yield connection

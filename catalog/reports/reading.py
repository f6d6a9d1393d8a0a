"""Read transactions for questions about large parts of the catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from catalog.store.database import Database


@contextmanager
def reading(database: Database) -> Iterator[Connection]:
    """Open a read transaction tuned for queries on large parts of the catalogue."""
    with database.read() as connection:
        if database.dialect == "sqlite":
            # Memory-mapped pages are not copied: a third of the time with a million faces.
            connection.exec_driver_sql("PRAGMA mmap_size = 17179869184")
            connection.exec_driver_sql("PRAGMA cache_size = -131072")
        yield connection

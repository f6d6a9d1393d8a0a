"""All rows of all tables of a catalogue, as the database itself lists them."""

from __future__ import annotations

import warnings
from typing import Any

from sqlalchemy import MetaData, Row
from sqlalchemy.exc import SAWarning

from catalog.store.database import Database


def all_rows(database: Database) -> list[Row[Any]]:
    """The rows of the tables in the order of their foreign keys, tables of the gallery included."""
    metadata = MetaData()
    with database.read() as connection, warnings.catch_warnings():
        # SQLAlchemy cannot reflect an index of an expression. Reading rows needs none.
        warnings.filterwarnings("ignore", "Skipped unsupported reflection of expression-based index", SAWarning)
        metadata.reflect(connection)
        return [row for table in metadata.sorted_tables for row in connection.execute(table.select())]

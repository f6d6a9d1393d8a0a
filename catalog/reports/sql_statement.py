"""One SQL statement of the user's own, on a connection that cannot write.

Three locks, so that no single mistake opens the door: the connection is read-only; the statement must begin as a
question does; and SQLite asks an authorizer that knows only reading (``ATTACH`` and ``VACUUM INTO`` would make files),
while PostgreSQL is spoken to in its extended protocol, which takes one statement at a time.
"""

from __future__ import annotations

import re
import sqlite3
import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice

from sqlalchemy import Connection

from catalog.domain.errors import UsageError
from catalog.reports.run_report import ReportTable, plain, reading
from catalog.store.database import Database
from catalog.store.driver_errors import driver_errors

_COMMENT = re.compile(r"\s+|--[^\n]*(?:\n|$)|/\*.*?\*/", re.DOTALL)
_QUESTIONS = {"select", "with", "values", "explain", "table", "show", "pragma"}
_READING = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
_PRAGMAS = {"table_info", "table_xinfo", "table_list", "index_list", "index_info", "foreign_key_list"}
_Rows = Generator[Sequence[object], None, None]
_FORBIDDEN = {"25006", "42501"}
"""PostgreSQL's codes of a transaction that may only read, and of missing rights."""
_WRITES = re.compile(r"^(not authorized|attempt to write a readonly database)$|prohibited")
_REMEDY = "`catalog sql` only reads; docs/schema.md describes what there is to read."


def run_statement(database: Database, sql: str, limit: int | None = None) -> ReportTable:
    """The answer to one SELECT; rows beyond ``limit`` are not read.

    Raises ``UsageError`` for a statement that would write, is more than one, or is no SQL.
    """
    _check_question(sql)
    with reading(database) as connection, _told(connection):
        columns, rows = _sqlite(connection, sql) if database.dialect == "sqlite" else _postgresql(connection, sql)
        try:
            taken = [tuple(map(plain, row)) for row in islice(rows, None if limit is None else limit + 1)]
        finally:
            rows.close()  # tells PostgreSQL to stop, where more was asked for than was wanted
    return ReportTable(tuple(columns), tuple(taken[:limit]), truncated=limit is not None and len(taken) > limit)


def _check_question(sql: str) -> None:
    position = 0
    while match := _COMMENT.match(sql, position):
        position = match.end()
    word = re.match(r"\(*\s*([A-Za-z]*)", sql[position:])
    first = word[1].lower() if word else ""
    if first not in _QUESTIONS:
        raise UsageError(f'The statement begins with "{first.upper()}", which is no question.', remedy=_REMEDY)


@contextmanager
def _told(connection: Connection) -> Iterator[None]:
    """Errors of the user's statement as sentences."""
    try:
        yield
    except _statement_errors() as error:
        sentence = str(error).strip().splitlines()[0].rstrip(".")
        if _WRITES.search(sentence) or getattr(error, "sqlstate", None) in _FORBIDDEN:
            raise UsageError("The statement would write, or read what it may not.", remedy=_REMEDY) from error
        if _is_no_fault(error) or "disk" in sentence:
            raise
        raise UsageError(f"The database cannot run the statement: {sentence}.", remedy=_REMEDY) from error
    finally:
        if connection.dialect.name == "sqlite":
            _driver(connection).set_authorizer(None)


def _statement_errors() -> tuple[type[Exception], ...]:
    return (*driver_errors(), sqlite3.Warning)


def _is_no_fault(error: Exception) -> bool:
    """Whether it is the server that failed, not the statement."""
    psycopg = sys.modules.get("psycopg")
    return psycopg is not None and isinstance(error, psycopg.OperationalError)


def _sqlite(connection: Connection, sql: str) -> tuple[list[str], _Rows]:
    driver = _driver(connection)
    driver.set_authorizer(_authorize)
    cursor = driver.execute(sql)
    return [column[0] for column in cursor.description or ()], _chained(None, cursor)


def _authorize(action: int, first: str | None, *_rest: str | None) -> int:
    if action in _READING or (action == sqlite3.SQLITE_PRAGMA and first in _PRAGMAS):
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY


def _driver(connection: Connection) -> sqlite3.Connection:
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


def _postgresql(connection: Connection, sql: str) -> tuple[list[str], _Rows]:
    import psycopg  # heavy, and loaded by now: it is its connection

    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    driver.execute("SET TRANSACTION READ ONLY")
    cursor = driver.cursor()
    rows = cursor.stream(sql.encode())
    first = next(rows, None)  # the columns are known from the first row on
    columns = [column.name for column in cursor.description or ()]
    return columns, _chained(first, rows)


def _chained(first: Sequence[object] | None, rest: Iterator[Sequence[object]]) -> _Rows:
    if first is not None:
        yield first
    yield from rest

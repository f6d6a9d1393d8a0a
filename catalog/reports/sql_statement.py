"""Run one SQL statement of the user on a connection that cannot write.

Three independent protections: the connection is read-only. The statement must start with a keyword that reads. SQLite
calls an authorizer that allows reading only (``ATTACH`` and ``VACUUM INTO`` would create files); PostgreSQL gets the
statement in its extended protocol, which accepts one statement at a time, in a read-only transaction. A superuser of
PostgreSQL could still read files of the server and end sessions, so such a role is refused. Each statement has a
time limit.
"""

from __future__ import annotations

import re
import sqlite3
import sys
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection

from catalog.domain.errors import UsageError
from catalog.reports.reading import reading
from catalog.reports.report_table import SQL_TIME_LIMIT, ReportRows
from catalog.reports.run_report import plain_value
from catalog.store.database import Database
from catalog.store.driver_errors import driver_errors

_COMMENT = re.compile(r"\s+|--[^\n]*(?:\n|$)|/\*.*?\*/", re.DOTALL)
_READ_KEYWORDS = {"select", "with", "values", "explain", "table", "show", "pragma"}
_READ_ACTIONS = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
_PRAGMAS = {"table_info", "table_xinfo", "table_list", "index_list", "index_info", "foreign_key_list"}
_Rows = Generator[Sequence[object], None, None]
_FORBIDDEN = {"25006", "42501"}
"""SQLSTATE of a read-only transaction, and of missing permissions."""
_TIMED_OUT = "57014"
"""SQLSTATE of a statement that the server canceled."""
_WRITES = re.compile(r"^(not authorized|attempt to write a readonly database)$|prohibited")
_REMEDY = "`catalog sql` only reads; docs/schema.md describes the views."


_STEPS_PER_CHECK = 10_000
"""Instructions of SQLite's virtual machine between two looks at the clock: about a millisecond."""


@contextmanager
def open_statement(
    database: Database,
    sql: str,
    limit: int | None = None,
    *,
    seconds: float = SQL_TIME_LIMIT,
    allow_superuser: bool = False,
    on_rows: Callable[[int], None] | None = None,
) -> Iterator[ReportRows]:
    """Run one SELECT for at most ``seconds``. Rows are read inside the block, those beyond ``limit`` not at all.

    On SQLite the time that the reader of the rows takes does not count.

    Raises ``UsageError`` for a statement that would write, for several statements, for invalid SQL, after the time
    limit, and for a superuser role of PostgreSQL unless ``allow_superuser``.
    """
    _check_keyword(sql)
    with reading(database) as connection, _translated_errors(connection):
        if database.dialect == "sqlite":
            columns, rows = _sqlite(connection, sql, seconds)
        else:
            if not allow_superuser:
                _refuse_superuser(connection)
            columns, rows = _postgresql(connection, sql, seconds)
        try:
            yield ReportRows(columns, (tuple(map(plain_value, row)) for row in rows), limit, on_rows)
        finally:
            rows.close()  # tells PostgreSQL to stop sending rows


def _check_keyword(sql: str) -> None:
    position = 0
    while match := _COMMENT.match(sql, position):
        position = match.end()
    word = re.match(r"\(*\s*([A-Za-z]*)", sql[position:])
    first = word[1].lower() if word else ""
    if not sql[position:].strip():
        raise UsageError("The statement is empty.", remedy=_REMEDY)
    if first not in _READ_KEYWORDS:
        raise UsageError(f'The statement starts with "{first.upper()}", which does not read.', remedy=_REMEDY)


@contextmanager
def _translated_errors(connection: Connection) -> Iterator[None]:
    """Raise errors of the statement as ``UsageError``. Errors of the server or the disk pass through."""
    try:
        yield
    except _statement_errors() as error:
        cause = str(error).strip().splitlines()[0].rstrip(".")
        if cause == "interrupted" or getattr(error, "sqlstate", None) == _TIMED_OUT:
            raise UsageError("The statement took longer than the time limit.", remedy="Raise --max-time.") from error
        if _WRITES.search(cause) or getattr(error, "sqlstate", None) in _FORBIDDEN:
            raise UsageError("The statement would write, or reads without permission.", remedy=_REMEDY) from error
        if _is_server_failure(error) or "disk" in cause:
            raise
        raise UsageError(f"The database cannot run the statement: {cause}.", remedy=_REMEDY) from error
    finally:
        if connection.dialect.name == "sqlite":
            _driver(connection).set_authorizer(None)
            _driver(connection).set_progress_handler(None, 0)


def _statement_errors() -> tuple[type[Exception], ...]:
    return (*driver_errors(), sqlite3.Warning)


def _is_server_failure(error: Exception) -> bool:
    """True if the server failed, not the statement."""
    psycopg = sys.modules.get("psycopg")
    return psycopg is not None and isinstance(error, psycopg.OperationalError)


def _refuse_superuser(connection: Connection) -> None:
    is_superuser = connection.exec_driver_sql("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").scalar()
    if is_superuser:
        raise UsageError(
            "The role is a superuser of PostgreSQL, which can read files of the server.",
            remedy="Connect as a role that can only read (docs/schema.md), or use --allow-superuser.",
        )


def _sqlite(connection: Connection, sql: str, seconds: float) -> tuple[list[str], _Rows]:
    driver = _driver(connection)
    driver.set_authorizer(_authorize)
    clock = _Clock(seconds)
    driver.set_progress_handler(clock.is_over, _STEPS_PER_CHECK)
    cursor = driver.execute(sql)
    return [column[0] for column in cursor.description or ()], clock.timed(cursor)


class _Clock:
    """Time that the database works on one statement. It runs from the beginning; between two rows it stands."""

    def __init__(self, seconds: float) -> None:
        self._deadline = time.monotonic() + seconds

    def is_over(self) -> bool:
        return time.monotonic() > self._deadline

    def timed(self, rows: Iterator[Sequence[object]]) -> _Rows:
        stopped = time.monotonic()
        while True:
            self._deadline += time.monotonic() - stopped
            row = next(rows, None)
            stopped = time.monotonic()
            if row is None:
                return
            yield row


def _authorize(action: int, first: str | None, *_rest: str | None) -> int:
    if action in _READ_ACTIONS or (action == sqlite3.SQLITE_PRAGMA and first in _PRAGMAS):
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY


def _driver(connection: Connection) -> sqlite3.Connection:
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


def _postgresql(connection: Connection, sql: str, seconds: float) -> tuple[list[str], _Rows]:
    import psycopg  # loaded already by the connection

    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    driver.execute("SET TRANSACTION READ ONLY")
    driver.execute(f"SET LOCAL statement_timeout = {max(1, round(seconds * 1000))}")
    cursor = driver.cursor()
    rows = cursor.stream(sql.encode())
    first = next(rows, None)  # the columns are known after the first row
    columns = [column.name for column in cursor.description or ()]
    return columns, _chained(first, rows)


def _chained(first: Sequence[object] | None, rest: Iterator[Sequence[object]]) -> _Rows:
    if first is not None:
        yield first
    yield from rest

"""Turns what a database driver raises into one sentence and a remedy.

Only what a user can do something about is turned: an unreachable server, a full disk, missing rights. A statement that
is wrong in itself stays what it is, a bug, or the business of whoever let a user write it (``catalog sql``).
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from catalog.domain.errors import DatabaseError

if TYPE_CHECKING:
    import psycopg

_AGAIN = "Run the same command again afterwards: it goes on where it stopped."

# Primary result codes, https://www.sqlite.org/rescode.html
_SQLITE = {
    sqlite3.SQLITE_PERM: ("may not be used by this user", "Give yourself the right to read and write it."),
    sqlite3.SQLITE_BUSY: ("is in use by another program that does not let go", f"Wait for the other one. {_AGAIN}"),
    sqlite3.SQLITE_LOCKED: ("is in use by another program that does not let go", f"Wait for the other one. {_AGAIN}"),
    sqlite3.SQLITE_READONLY: ("may only be read", "Give yourself the right to write the file and its folder."),
    sqlite3.SQLITE_IOERR: ("cannot be read or written: the disk reports an error", f"Look after the disk. {_AGAIN}"),
    sqlite3.SQLITE_CORRUPT: ("is damaged", "Restore a backup with `catalog restore`."),
    sqlite3.SQLITE_FULL: ("cannot grow: the disk is full", f"Make room on the disk. {_AGAIN}"),
    sqlite3.SQLITE_CANTOPEN: ("cannot be opened", "Look whether its folder exists and whether you may write there."),
    sqlite3.SQLITE_NOTADB: ("is not a database", "Name another file with --database."),
}

# SQLSTATE classes and codes, https://www.postgresql.org/docs/current/errcodes-appendix.html
_POSTGRESQL = {
    "28": ("refuses the login", "Look at user name and password, and at the server's pg_hba.conf."),
    "3D": ("has no database of that name", "Make it with createdb, or name another."),
    "53100": ("has no room left on its disk", f"Make room on the server's disk. {_AGAIN}"),
    "53300": ("takes no more connections", f"Raise max_connections, or use fewer workers. {_AGAIN}"),
    "53": ("has run out of resources", f"Look at the server. {_AGAIN}"),
    "57P01": ("was shut down", f"Start it. {_AGAIN}"),
    "57P02": ("crashed", f"Look at the server. {_AGAIN}"),
    "57P03": ("is starting up or shutting down", f"Wait a moment. {_AGAIN}"),
    "57014": ("gave the statement up", f"Raise its statement_timeout. {_AGAIN}"),
    "58": ("reports a failure of its machine", f"Look at the server's log. {_AGAIN}"),
    "55P03": ("is kept waiting by another program that does not let go", f"Wait for the other one. {_AGAIN}"),
    "40": ("had to give way to another program", _AGAIN),
    "42501": ("does not give this user the right to do that", "Grant the rights on the database's tables and schema."),
    "25006": ("may only be read", "Name the primary server, not a standby."),
}


@contextmanager
def translate_driver_errors(name: str) -> Iterator[None]:
    """Let failures of the database ``name`` leave as ``DatabaseError``."""
    try:
        yield
    except PoolTimeout as error:
        raise DatabaseError(
            f'No connection to the database "{name}" came free in time.', remedy="Use fewer jobs."
        ) from error
    except DBAPIError as error:
        told = driver_error_message(error.orig, name)
        if told is None:
            raise
        raise told from error
    except driver_errors() as error:
        told = driver_error_message(error, name)
        if told is None:
            raise
        raise told from error


def driver_errors() -> tuple[type[Exception], ...]:
    """What the drivers raise. psycopg is not loaded for its errors: what has not been loaded raises none."""
    loaded = sys.modules.get("psycopg")
    return (sqlite3.Error,) if loaded is None else (sqlite3.Error, loaded.Error)


def driver_error_message(error: BaseException | None, name: str) -> DatabaseError | None:
    """What a driver's error means, or None where it tells of a wrong statement."""
    if isinstance(error, sqlite3.Error):
        return _explain_sqlite(error, name)
    if isinstance(error, driver_errors()):
        return _explain_postgresql(error, name)  # type: ignore[arg-type]  # it is no other's
    return None


def _explain_sqlite(error: sqlite3.Error, name: str) -> DatabaseError | None:
    if isinstance(error, sqlite3.IntegrityError):
        return _refused(error, name)
    told = _SQLITE.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)
    return None if told is None else DatabaseError(f'The database "{name}" {told[0]}.', remedy=told[1])


def _explain_postgresql(error: psycopg.Error, name: str) -> DatabaseError | None:
    import psycopg  # heavy, and loaded by now: it raised the error

    state = error.sqlstate or ""
    if isinstance(error, psycopg.IntegrityError):
        return _refused(error, name)
    for code in (state, state[:2]):
        if told := _POSTGRESQL.get(code):
            return DatabaseError(f'The database "{name}" {told[0]}.', remedy=told[1])
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        lines = str(error).strip().removeprefix("connection failed: ").splitlines()
        why = lines[0].rstrip(".") if lines else "the connection was lost"
        return DatabaseError(
            f'The database "{name}" cannot be reached: {why}.',
            remedy=f"Look whether the server runs and whether its address is right. {_AGAIN}",
        )
    return None


def _refused(error: BaseException, name: str) -> DatabaseError:
    return DatabaseError(
        f'The database "{name}" refused a row that does not fit the others: {str(error).splitlines()[0]}',
        remedy="Run `catalog reconcile`; if it happens again, please report it.",
    )

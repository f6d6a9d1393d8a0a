"""Translation of database driver errors into ``DatabaseError`` with a remedy.

Translates errors that a user can act on: an unreachable server, a full disk, missing permissions. Errors in a statement
are not translated: they are bugs, or mistakes in a statement that the user wrote (``catalog sql``).
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

_AGAIN = "Then run the same command again: it continues where it stopped."

# Primary result codes, https://www.sqlite.org/rescode.html
_SQLITE = {
    sqlite3.SQLITE_PERM: ("may not be opened by this user", "Grant yourself permission to read and write the file."),
    sqlite3.SQLITE_BUSY: ("is locked by another program", f"Wait until that program ends. {_AGAIN}"),
    sqlite3.SQLITE_LOCKED: ("is locked by another program", f"Wait until that program ends. {_AGAIN}"),
    sqlite3.SQLITE_READONLY: ("is read-only", "Grant yourself permission to write the file and its folder."),
    sqlite3.SQLITE_IOERR: ("cannot be read or written: the disk reports an error", f"Check the disk. {_AGAIN}"),
    sqlite3.SQLITE_CORRUPT: ("is damaged", "Restore a backup with `catalog restore`."),
    sqlite3.SQLITE_FULL: ("cannot grow: the disk is full", f"Free some disk space. {_AGAIN}"),
    sqlite3.SQLITE_CANTOPEN: ("cannot be opened", "Check that its folder exists and that you may write to it."),
    sqlite3.SQLITE_NOTADB: ("is not a database", "Name another file with --database."),
}

# SQLSTATE classes and codes, https://www.postgresql.org/docs/current/errcodes-appendix.html
_POSTGRESQL = {
    "28": ("refuses the login", "Check user name, password, and the server's pg_hba.conf."),
    "3D": ("has no database of that name", "Create it with createdb, or name another."),
    "53100": ("has no room left on its disk", f"Free disk space on the server. {_AGAIN}"),
    "53300": ("accepts no more connections", f"Raise max_connections, or use fewer workers. {_AGAIN}"),
    "53": ("has run out of resources", f"Check the server. {_AGAIN}"),
    "57P01": ("was shut down", f"Start it. {_AGAIN}"),
    "57P02": ("crashed", f"Check the server. {_AGAIN}"),
    "57P03": ("is starting up or shutting down", f"Wait a moment. {_AGAIN}"),
    "57014": ("canceled the statement", f"Raise its statement_timeout. {_AGAIN}"),
    "58": ("reports a system error", f"Check the server's log. {_AGAIN}"),
    "55P03": ("is locked by another program", f"Wait until that program ends. {_AGAIN}"),
    "40": ("rolled back a transaction that conflicted with another program", _AGAIN),
    "42501": ("refuses permission to this user", "Grant this user permissions on the tables and the schema."),
    "25006": ("is read-only", "Name the primary server, not a standby."),
}


@contextmanager
def translate_driver_errors(name: str) -> Iterator[None]:
    """Raise driver errors of the block as ``DatabaseError`` about the database ``name``."""
    try:
        yield
    except PoolTimeout as error:
        raise DatabaseError(
            f'No connection to the database "{name}" was free in time.', remedy="Use fewer jobs."
        ) from error
    except DBAPIError as error:
        translated = driver_error_message(error.orig, name)
        if translated is None:
            raise
        raise translated from error
    except driver_errors() as error:
        translated = driver_error_message(error, name)
        if translated is None:
            raise
        raise translated from error


def driver_errors() -> tuple[type[Exception], ...]:
    """Return the base errors of the loaded drivers. psycopg that is not loaded raises none and is not loaded here."""
    loaded = sys.modules.get("psycopg")
    return (sqlite3.Error,) if loaded is None else (sqlite3.Error, loaded.Error)


def driver_error_message(error: BaseException | None, name: str) -> DatabaseError | None:
    """Translate a driver's error. Returns None for an error in a statement."""
    if isinstance(error, sqlite3.Error):
        return _explain_sqlite(error, name)
    if isinstance(error, driver_errors()):
        return _explain_postgresql(error, name)  # type: ignore[arg-type]  # sqlite3.Error was handled above
    return None


def _explain_sqlite(error: sqlite3.Error, name: str) -> DatabaseError | None:
    if isinstance(error, sqlite3.IntegrityError):
        return _refused(error, name)
    if "decode to UTF-8" in str(error):  # raised by the driver, without an error code of SQLite
        return DatabaseError(
            f'The database "{name}" is damaged: it has text that is not UTF-8.',
            remedy="Restore a backup with `catalog restore`.",
        )
    message = _SQLITE.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)
    return None if message is None else DatabaseError(f'The database "{name}" {message[0]}.', remedy=message[1])


def _explain_postgresql(error: psycopg.Error, name: str) -> DatabaseError | None:
    import psycopg  # loaded already: it raised the error

    state = error.sqlstate or ""
    if isinstance(error, psycopg.IntegrityError):
        return _refused(error, name)
    for code in (state, state[:2]):
        if message := _POSTGRESQL.get(code):
            return DatabaseError(f'The database "{name}" {message[0]}.', remedy=message[1])
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        lines = str(error).strip().removeprefix("connection failed: ").splitlines()
        cause = lines[0].rstrip(".") if lines else "the connection was lost"
        return DatabaseError(
            f'The database "{name}" cannot be reached: {cause}.',
            remedy=f"Check that the server runs and that its address is right. {_AGAIN}",
        )
    return None


def _refused(error: BaseException, name: str) -> DatabaseError:
    return DatabaseError(
        f'The database "{name}" refused a row: {str(error).splitlines()[0]}',
        remedy="Run `catalog reconcile`; if it happens again, please report it.",
    )

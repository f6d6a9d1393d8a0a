"""Advisory locks of one PostgreSQL session, taken again if the server closes the session.

A server closes sessions when it fails over, when an administrator ends them, and by ``idle_session_timeout``. The locks
of a session end with it. A pool replaces a closed connection, so that a scan would go on without its locks.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from catalog.domain.errors import LockHeld
from catalog.store.database import Database
from catalog.store.driver_errors import translate_driver_errors

log = logging.getLogger(__name__)

_TAKE_AGAIN_SECONDS = 10.0
"""The server may keep the locks of a session that it lost for a moment."""

_PAUSE_SECONDS = 0.2

_IDLE_TIMEOUT_SINCE = (14,)
"""First version of PostgreSQL with ``idle_session_timeout``."""


@contextmanager
def advisory_locks(database: Database, *, patient: bool = False) -> Iterator[AdvisoryLocks]:
    """Open a session for locks. They are released at the end of the block. ``patient`` as for :class:`AdvisoryLocks`.

    Raises driver errors of the block as ``DatabaseError``.
    """
    with translate_driver_errors(database.url):
        locks = AdvisoryLocks(database, patient=patient)
        try:
            yield locks
        finally:
            locks.close()


class AdvisoryLocks:
    """Locks of one session. Safe for several threads.

    Every method takes the locks again in a new session if the server closed the present one. It raises ``LockHeld`` if
    another process has one of them by then. ``patient``: it waits for that process instead.
    """

    def __init__(self, database: Database, *, patient: bool = False) -> None:
        self._database = database
        self._is_patient = patient
        self._held: list[tuple[int, bool]] = []
        """Keys with whether they are shared, in order of acquisition."""
        self._guard = threading.RLock()
        self._connection = self._connect()

    def acquire(self, key: int, *, shared: bool) -> bool:
        with self._guard:
            is_free = self._run(_try_lock(shared), key)
            if is_free:
                self._held.append((key, shared))
            return bool(is_free)

    def release(self, key: int) -> None:
        with self._guard:
            with suppress(ValueError):
                self._held.remove((key, False))
            self._run("SELECT pg_advisory_unlock(:key)", key)

    def release_all(self) -> None:
        """Release all locks. Those of a closed session are released already."""
        with self._guard:
            self._held.clear()
            if self._connection.closed or self._connection.invalidated:
                return
            try:
                self._connection.execute(text("SELECT pg_advisory_unlock_all()"))
            except DBAPIError as error:
                if not error.connection_invalidated:
                    raise

    def check(self) -> None:
        with self._guard:
            self._run("SELECT 1")

    def close(self) -> None:
        """End the session, and with it the locks."""
        with self._guard, suppress(DBAPIError):
            self._connection.close()

    def _run(self, statement: str, key: int | None = None) -> Any:
        parameters = {} if key is None else {"key": key}
        if not (self._connection.closed or self._connection.invalidated):
            try:
                return self._connection.scalar(text(statement), parameters)
            except DBAPIError as error:
                if not error.connection_invalidated:
                    raise
        self._take_again()
        return self._connection.scalar(text(statement), parameters)

    def _take_again(self) -> None:
        log.warning("The database server closed the connection that holds the locks. They are taken again.")
        self.close()
        self._connection = self._connect()
        deadline = time.monotonic() + _TAKE_AGAIN_SECONDS
        for key, shared in self._held:
            while not self._connection.scalar(text(_try_lock(shared)), {"key": key}):
                if time.monotonic() > deadline and not self._is_patient:
                    self.close()
                    raise LockHeld(
                        "The database server closed the connection that held the locks of this command, and another "
                        f'catalog process has taken one of them in the database "{self._database.url}".',
                        remedy="Wait until it ends. Then run the same command again: it continues where it stopped.",
                    )
                time.sleep(_PAUSE_SECONDS)

    def _connect(self) -> Connection:
        # A transaction that is open for hours would block the server's vacuum.
        connection = self._database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        connection.detach()  # the pool must not lend a session with these settings, or with locks
        version = connection.dialect.server_version_info or ()
        if tuple(version) >= _IDLE_TIMEOUT_SINCE:
            connection.execute(text("SET idle_session_timeout = 0"))
        return connection


def _try_lock(shared: bool) -> str:
    return f"SELECT pg_try_advisory_lock{'_shared' if shared else ''}(:key)"

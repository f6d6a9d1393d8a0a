"""The call log in the catalogue's database. Intents of several threads share one transaction."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from catalog.domain.charges import Charge
from catalog.domain.timestamps import required_time
from catalog.store.call_intents import (
    CallIntent,
    add_intents,
    close_intents,
    empty_answers,
    newest_intent,
    record_answers,
    unanswered_contents,
)
from catalog.store.database import Database

_SETTLE_SECONDS = 3.0
"""A killed process may have sent its last call so recently that the service is still working on it."""


class _Waiting:
    """One intent, or one answer, on its way to the database."""

    def __init__(self, entry: CallIntent | tuple[int, str]) -> None:
        self.entry = entry
        self.error: BaseException | None = None


class DatabaseCallLog:
    """Implements ``CallLog``. The first waiting thread writes the entries of all that wait."""

    def __init__(
        self,
        database: Database,
        *,
        engine: str,
        gallery: str,
        region: str,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._database = database
        self._engine = engine
        self._gallery = gallery
        self._region = region
        self._clock = clock
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._waiting: list[_Waiting] = []
        self._discarded: list[int] = []
        with database.read() as connection:
            self._unanswered = unanswered_contents(connection, engine, gallery)
            self._empty_answers = empty_answers(connection, engine, gallery) if self._unanswered else {}
            newest = newest_intent(connection, engine, gallery) if self._unanswered else None
        self._newest = None if newest is None else required_time(newest)
        self._sleep = sleep

    def begin(self, charge: Charge, sha256: str = "") -> int:
        microdollars = int((charge.dollars * 1_000_000).to_integral_value())
        intent = CallIntent(secrets.randbits(62), charge.operation, sha256, microdollars, self._clock())
        self._commit(intent)
        return intent.intent

    def record_empty_answer(self, intent: int, answer: str) -> None:
        self._commit((intent, answer))

    def empty_answers(self) -> Mapping[str, str]:
        return self._empty_answers

    def _commit(self, entry: CallIntent | tuple[int, str]) -> None:
        """Return when the entry is committed, alone or with those of other threads."""
        waiting = _Waiting(entry)
        with self._lock:
            self._waiting.append(waiting)
        with self._writing:
            with self._lock:
                is_written = waiting not in self._waiting
            if not is_written:
                self._write()
        if waiting.error is not None:
            raise waiting.error

    def discard(self, intent: int) -> None:
        with self._lock:
            self._discarded.append(intent)

    def unanswered(self) -> frozenset[str]:
        return self._unanswered

    def wait_for_service(self) -> None:
        if self._newest is not None:
            age = (self._clock() - self._newest).total_seconds()
            if 0 <= age < _SETTLE_SECONDS:
                self._sleep(_SETTLE_SECONDS - age)

    def close(self) -> None:
        with self._writing:
            if self._discarded:
                self._write()

    def _write(self) -> None:
        """Write all that waits in one transaction. A failure is raised by each thread that waited."""
        with self._lock:
            batch, self._waiting = self._waiting, []
            discarded, self._discarded = self._discarded, []
        try:
            with self._database.begin() as connection:
                close_intents(connection, discarded)
                add_intents(
                    connection,
                    [waiting.entry for waiting in batch if isinstance(waiting.entry, CallIntent)],
                    engine=self._engine,
                    gallery=self._gallery,
                    region=self._region,
                )
                record_answers(connection, [waiting.entry for waiting in batch if isinstance(waiting.entry, tuple)])
        except BaseException as error:  # also KeyboardInterrupt: no thread may send a call without its intent
            for waiting in batch:
                waiting.error = error
            if not batch:
                raise

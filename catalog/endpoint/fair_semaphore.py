"""Semaphore that admits waiting threads in first-in, first-out order.

``threading.Semaphore`` lets a new thread overtake waiting threads. Under heavy load some threads then wait for minutes
and their clients time out.
"""

from __future__ import annotations

import threading
from collections import deque
from types import TracebackType


class FairSemaphore:
    """A context manager that holds one of ``count`` permits."""

    def __init__(self, count: int) -> None:
        self._lock = threading.Lock()
        self._permits = count
        self._waiting: deque[threading.Event] = deque()

    def __enter__(self) -> None:
        with self._lock:
            if self._permits:
                self._permits -= 1
                return
            admitted = threading.Event()
            self._waiting.append(admitted)
        admitted.wait()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            if self._waiting:
                # The permit passes directly to the next thread, so no new thread can take it first.
                self._waiting.popleft().set()
            else:
                self._permits += 1

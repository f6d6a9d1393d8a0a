"""Places for as many threads at a time as there are, given in the order in which they were asked for.

``threading.Semaphore`` lets a thread that has just come overtake those that wait: under heavy load some of them wait
for minutes, and their callers give up.
"""

from __future__ import annotations

import threading
from collections import deque
from types import TracebackType


class FairSemaphore:
    """A context manager that holds one place; first come, first served."""

    def __init__(self, count: int) -> None:
        self._lock = threading.Lock()
        self._free = count
        self._waiting: deque[threading.Event] = deque()

    def __enter__(self) -> None:
        with self._lock:
            if self._free:
                self._free -= 1
                return
            turn = threading.Event()
            self._waiting.append(turn)
        turn.wait()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            if self._waiting:
                # The place goes from hand to hand: it is never free while somebody waits.
                self._waiting.popleft().set()
            else:
                self._free += 1

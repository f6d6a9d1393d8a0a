"""The signal that ends a scan before its sources do: an interruption by the user, or a time limit."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

GRACE_SECONDS = 2.0
"""Seconds that an interrupted scan waits for photos in progress. The next run does the rest."""


class StopSignal:
    """Asked by the scan between photos. ``interrupt`` may be called from a signal handler."""

    def __init__(self, max_seconds: float | None = None) -> None:
        self.interrupted_at: float | None = None
        self.is_polled = False
        """The running code asks ``is_due`` soon. Elsewhere an interruption must be an exception."""
        self._deadline = None if max_seconds is None else time.monotonic() + max_seconds

    @contextmanager
    def polled(self) -> Iterator[None]:
        """A block that asks ``is_due`` regularly and ends by itself."""
        self.is_polled = True
        try:
            yield
        finally:
            self.is_polled = False

    def interrupt(self) -> None:
        if self.interrupted_at is None:
            self.interrupted_at = time.monotonic()

    @property
    def is_interrupted(self) -> bool:
        return self.interrupted_at is not None

    @property
    def is_out_of_time(self) -> bool:
        return self._deadline is not None and time.monotonic() >= self._deadline

    @property
    def is_due(self) -> bool:
        """No further photo may start."""
        return self.is_interrupted or self.is_out_of_time

    @property
    def is_overdue(self) -> bool:
        """The grace period is over: photos in progress are not waited for."""
        return self.interrupted_at is not None and time.monotonic() >= self.interrupted_at + GRACE_SECONDS

"""Why a scan should end before its sources do: somebody wants it to, or its time is over."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

GRACE_SECONDS = 2.0
"""How long an interrupted scan waits for the photos that it is working on; the rest is left to the next run."""


class StopSignal:
    """Asked between photos. ``interrupt`` may be called from a signal handler."""

    def __init__(self, max_seconds: float | None = None) -> None:
        self.interrupted_at: float | None = None
        self.gentle = False
        """Whether somebody asks ``due`` soon: elsewhere an interruption has to be an exception."""
        self._deadline = None if max_seconds is None else time.monotonic() + max_seconds

    @contextmanager
    def gently(self) -> Iterator[None]:
        """A part of the work that asks ``due`` and ends by itself."""
        self.gentle = True
        try:
            yield
        finally:
            self.gentle = False

    def interrupt(self) -> None:
        if self.interrupted_at is None:
            self.interrupted_at = time.monotonic()

    @property
    def interrupted(self) -> bool:
        return self.interrupted_at is not None

    @property
    def out_of_time(self) -> bool:
        return self._deadline is not None and time.monotonic() >= self._deadline

    @property
    def due(self) -> bool:
        """No further photo may be begun."""
        return self.interrupted or self.out_of_time

    @property
    def overdue(self) -> bool:
        """What is still being worked on may not be waited for any longer."""
        return self.interrupted_at is not None and time.monotonic() >= self.interrupted_at + GRACE_SECONDS

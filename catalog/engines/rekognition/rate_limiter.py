"""Rate limit for all workers of a machine: no operation is called more often than Amazon allows.

Calls are spread evenly (generic cell rate algorithm): each call books the next free slot of a schedule, and slots are
one over the rate apart, so that there are no bursts. The schedule is a file of 32 bytes for each operation, locked
while it is read and written by the threads and processes of one machine.

Amazon may throttle although the quota is kept: the real quota is smaller than configured, or other machines share it.
Then the rate falls below the refused rate, returns to it within a minute, and grows faster and faster beyond it, as
TCP CUBIC's window does (RFC 9438). botocore's adaptive mode does the same in one process only.
"""

from __future__ import annotations

import fcntl
import math
import os
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from catalog.engines.rekognition.quotas import Quotas

_RECORD = struct.Struct("<dddd")  # the fields of _State
_CUT = 0.85
_LIGHT_CUT = 0.95
"""For the first refusal in a long time, which is more often network jitter than a smaller quota."""
_LONG_SECONDS = 300.0
_CLIMB_SECONDS = 60.0
"""From :data:`_CUT` back to the refused rate; in proportion from a lighter cut."""
_DOUBLING_SECONDS = 30.0
_SAME_THROTTLE_SECONDS = 1.0
"""Refusals within this time are of one rate and count once."""
_LONGEST_QUEUE_SECONDS = 600.0
"""A slot further away was booked before the machine was restarted."""
_SLOWEST = 0.05


@dataclass(frozen=True, slots=True)
class _State:
    slot: float = 0.0
    """Time of the next free slot."""
    too_fast: float = 0.0
    """The refused rate; 0: none was refused."""
    since: float = 0.0
    """Time of the refusal."""
    cut: float = 1.0
    """Share of the rate that was left after the refusal."""

    def pace(self, rate: float, now: float) -> float:
        """Calls a second now, at most ``rate``."""
        passed = now - self.since
        if not self.too_fast or passed < 0:
            return rate
        climb = _CLIMB_SECONDS * (1.0 - self.cut) / (1.0 - _CUT)
        if passed <= climb:
            current = self.too_fast * (self.cut + (1.0 - self.cut) * passed / climb)
        else:
            current = self.too_fast * 2.0 ** min((passed - climb) / _DOUBLING_SECONDS, 20.0)
        return min(rate, max(current, _SLOWEST))


class SharedRateLimit:
    """The schedule of one operation in one file. Times are of the monotonic clock, which all processes share."""

    def __init__(self, file: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def book(self, rate: float) -> float:
        """Take the next slot at ``rate`` calls a second. Returns the seconds until it."""

        def step(state: _State, now: float) -> tuple[_State, float]:
            slot = state.slot if 0.0 <= state.slot - now <= _LONGEST_QUEUE_SECONDS else now
            return replace(state, slot=slot + 1.0 / state.pace(rate, now)), slot - now

        return self._change(step)

    def slow_down(self, rate: float) -> None:
        """Lower the rate, because Amazon refused a call."""

        def step(state: _State, now: float) -> tuple[_State, float]:
            quiet = now - state.since if state.too_fast and now >= state.since else math.inf
            if quiet < _SAME_THROTTLE_SECONDS:
                return state, 0.0
            cut = _LIGHT_CUT if quiet > _LONG_SECONDS else _CUT
            return _State(state.slot, max(state.pace(rate, now), _SLOWEST), now, cut), 0.0

        self._change(step)

    def close(self) -> None:
        os.close(self._descriptor)

    def _change(self, step: Callable[[_State, float], tuple[_State, float]]) -> float:
        with self._lock:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            try:
                record = os.pread(self._descriptor, _RECORD.size, 0)
                state = _State(*_RECORD.unpack(record)) if len(record) == _RECORD.size else _State()
                state, answer = step(state, self._clock())
                os.pwrite(self._descriptor, _RECORD.pack(state.slot, state.too_fast, state.since, state.cut), 0)
            finally:
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        return answer


class RateLimiter:
    """Limits the rate of one account in one region. Threads share one object; processes share the folder."""

    def __init__(
        self,
        quotas: Quotas,
        folder: Path,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """``folder`` is of this user, account and region, and is created if needed. Raises OSError."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._quotas = quotas
        self._folder = folder
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._paces: dict[str, SharedRateLimit] = {}

    def wait(self, operation: str) -> None:
        """Wait until the operation may be called."""
        delay = self._pace(operation).book(self._quotas.rate(operation))
        if delay > 0:
            self._sleep(delay)

    def throttled(self, operation: str) -> None:
        """Record that Amazon refused a call of the operation for its rate."""
        self._pace(operation).slow_down(self._quotas.rate(operation))

    def close(self) -> None:
        with self._lock:
            for pace in self._paces.values():
                pace.close()
            self._paces.clear()

    def _pace(self, operation: str) -> SharedRateLimit:
        with self._lock:
            pace = self._paces.get(operation)
            if pace is None:
                pace = SharedRateLimit(self._folder / f"{operation}.pace", self._clock)
                self._paces[operation] = pace
            return pace

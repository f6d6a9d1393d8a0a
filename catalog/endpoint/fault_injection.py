"""Fault injection: throttling, latency, errors and resets like Amazon's, reproducible by seed.

The fate of a call depends on the seed, the operation and the number of earlier calls of that operation. It does not
depend on the clock or on the order of threads. Throttling is the exception: it depends on the clock.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from catalog.endpoint import errors
from catalog.endpoint.errors import ConnectionDropped, WireError


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """The fault options of ``catalog endpoint``. With all options 0 no fault is injected.

    ``tps``: calls per second for each operation, 0 for no limit. ``latency``: mean seconds added to each response.
    ``fail_rate``: share of calls that fail, 0 to 1. ``consistency_delay``: seconds until a new face can be searched.
    ``associate_delay``: seconds until a user whose faces changed is ACTIVE.
    """

    tps: float = 0.0
    latency: float = 0.0
    fail_rate: float = 0.0
    consistency_delay: float = 0.0
    associate_delay: float = 0.0
    seed: int = 0


class TokenBucket:
    """Admits ``rate`` calls per second, in bursts of at most ``rate`` calls (at least 1)."""

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._capacity = max(1.0, rate)
        self._tokens = self._capacity
        self._clock = clock
        self._filled_at = clock()
        self._lock = threading.Lock()

    def take(self) -> bool:
        """True if the call is admitted."""
        with self._lock:
            now = self._clock()
            self._tokens = min(self._capacity, self._tokens + (now - self._filled_at) * self._rate)
            self._filled_at = now
            if self._tokens < 1.0:
                return False
            self._tokens -= 1.0
            return True


@dataclass(frozen=True, slots=True)
class CallFaults:
    """The faults of one call: ``delay`` in seconds, and the error raised before or after the operation, if any."""

    delay: float = 0.0
    before: WireError | ConnectionDropped | None = None
    after: WireError | ConnectionDropped | None = None


class Faults:
    """Decides for each call whether it is throttled, how long it is delayed, and whether and how it fails."""

    def __init__(self, plan: FaultPlan, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.plan = plan
        self._clock = clock
        self._lock = threading.Lock()
        self._calls: Counter[str] = Counter()
        self._buckets: dict[str, TokenBucket] = {}

    def draw(self, operation: str) -> CallFaults:
        """The faults of the next call of an operation. Raises WireError if the call is throttled.

        An error after the operation loses the response but not the effect, so a client that repeats the call must not
        get a second effect.
        """
        self._throttle(operation)
        if not self.plan.latency and not self.plan.fail_rate:
            return CallFaults()
        with self._lock:
            self._calls[operation] += 1
            number = self._calls[operation]
        chance = random.Random(f"{self.plan.seed}/{operation}/{number}")  # noqa: S311 - reproducible, not secret
        delay = self.plan.latency * chance.uniform(0.5, 1.5) if self.plan.latency else 0.0
        if chance.random() >= self.plan.fail_rate:
            return CallFaults(delay)
        error = chance.choice(_ERRORS)()
        return CallFaults(delay, before=error) if chance.random() < 0.5 else CallFaults(delay, after=error)

    def _throttle(self, operation: str) -> None:
        if not self.plan.tps:
            return
        with self._lock:
            bucket = self._buckets.setdefault(operation, TokenBucket(self.plan.tps, self._clock))
        if not bucket.take():
            raise errors.rate_exceeded()


_ERRORS: tuple[Callable[[], WireError | ConnectionDropped], ...] = (
    errors.internal_error,
    errors.service_unavailable,
    errors.slow_down,
    ConnectionDropped,
)

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
from catalog.endpoint.errors import ConnectionDropped


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


class Faults:
    """Decides for each call whether it is throttled, how long it is delayed, and whether and how it fails."""

    def __init__(
        self,
        plan: FaultPlan,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.plan = plan
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._calls: Counter[str] = Counter()
        self._buckets: dict[str, TokenBucket] = {}

    def before(self, operation: str) -> Callable[[], None]:
        """Run before the operation; the returned function is run after it.

        Both may raise WireError or ConnectionDropped. A failure after the operation loses the response but not the
        effect, so a client that repeats the call must not get a second effect.
        """
        self._throttle(operation)
        if not self.plan.latency and not self.plan.fail_rate:
            return _no_fault
        with self._lock:
            self._calls[operation] += 1
            number = self._calls[operation]
        chance = random.Random(f"{self.plan.seed}/{operation}/{number}")  # noqa: S311 - reproducible, not secret
        if self.plan.latency:
            self._sleep(self.plan.latency * chance.uniform(0.5, 1.5))
        if chance.random() >= self.plan.fail_rate:
            return _no_fault
        fault = chance.choice(_FAULTS)
        if chance.random() < 0.5:
            fault()
        return fault

    def _throttle(self, operation: str) -> None:
        if not self.plan.tps:
            return
        with self._lock:
            bucket = self._buckets.setdefault(operation, TokenBucket(self.plan.tps, self._clock))
        if not bucket.take():
            raise errors.rate_exceeded()


def _no_fault() -> None:
    pass


def _internal_error() -> None:
    raise errors.internal_error()


def _service_unavailable() -> None:
    raise errors.service_unavailable()


def _slow_down() -> None:
    raise errors.slow_down()


def _drop() -> None:
    raise ConnectionDropped


_FAULTS = (_internal_error, _service_unavailable, _slow_down, _drop)

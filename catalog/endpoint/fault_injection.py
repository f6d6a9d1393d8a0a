"""Trouble on purpose: throttling, slowness and faults as a client of Amazon meets them, the same for the same seed.

What happens to a call depends on the seed, its operation and how many calls of that operation came before, not on the
clock or on how threads interleave; throttling alone depends on the clock, as it must.
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
    """The switches of ``catalog endpoint``; all at zero is a service without faults.

    Units: ``tps`` calls a second for each operation (0: no limit); ``latency`` mean seconds added to each answer;
    ``fail_rate`` share of calls that fail, 0 to 1; ``consistency_delay`` seconds until a new face can be searched;
    ``associate_delay`` seconds until a user whose faces changed is ACTIVE.
    """

    tps: float = 0.0
    latency: float = 0.0
    fail_rate: float = 0.0
    consistency_delay: float = 0.0
    associate_delay: float = 0.0
    seed: int = 0


class TokenBucket:
    """Lets ``rate`` calls through a second, with bursts of up to one second's worth."""

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._most = max(1.0, rate)
        self._tokens = self._most
        self._clock = clock
        self._filled_at = clock()
        self._lock = threading.Lock()

    def take(self) -> bool:
        with self._lock:
            now = self._clock()
            self._tokens = min(self._most, self._tokens + (now - self._filled_at) * self._rate)
            self._filled_at = now
            if self._tokens < 1.0:
                return False
            self._tokens -= 1.0
            return True


class Faults:
    """Decides for each call whether it is throttled, how long it takes, and whether and how it fails."""

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
        """Called when a call has arrived; returns what to call when its work is done.

        Either may raise WireError or ConnectionDropped. A failure after the work loses the answer, not the effect:
        the kind of fault that makes careless clients do things twice.
        """
        self._throttle(operation)
        if not self.plan.latency and not self.plan.fail_rate:
            return _nothing
        with self._lock:
            self._calls[operation] += 1
            nth = self._calls[operation]
        chance = random.Random(f"{self.plan.seed}/{operation}/{nth}")  # noqa: S311 - reproducible, not secret
        if self.plan.latency:
            self._sleep(self.plan.latency * chance.uniform(0.5, 1.5))
        if chance.random() >= self.plan.fail_rate:
            return _nothing
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


def _nothing() -> None:
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

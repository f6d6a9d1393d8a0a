"""Injected faults are reproducible by seed and have the configured rates."""

from __future__ import annotations

from collections import Counter

import pytest

from catalog.endpoint.errors import WireError
from catalog.endpoint.fault_injection import FaultPlan, Faults, TokenBucket


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def history(plan, calls, operation="IndexFaces"):
    """The outcome of each call: '' for success, otherwise "before" or "after" with code and status."""
    faults = Faults(plan)
    return [outcome(faults.draw(operation)) for _ in range(calls)]


def outcome(fault):
    moment = "before" if fault.before else "after"
    error = fault.before or fault.after
    return f"{moment} {getattr(error, 'code', 'dropped')} {getattr(error, 'status', '')}" if error else ""


def test_the_bucket_admits_its_rate():
    """A burst of one second's calls, then the rate."""
    clock = Clock()
    bucket = TokenBucket(5, clock)
    assert [bucket.take() for _ in range(6)] == [True] * 5 + [False]
    clock.now = 1.0
    assert [bucket.take() for _ in range(6)] == [True] * 5 + [False]
    clock.now = 1.25
    assert [bucket.take() for _ in range(2)] == [True, False]


def test_the_same_seed_gives_the_same_faults():
    """Another seed gives other faults."""
    plan = FaultPlan(fail_rate=0.3, seed=7)
    assert history(plan, 200) == history(plan, 200)
    assert history(plan, 200) != history(FaultPlan(fail_rate=0.3, seed=8), 200)


def test_the_fail_rate_is_met():
    """30 % of the calls fail, with every kind of fault, before and after the operation."""
    outcomes = Counter(history(FaultPlan(fail_rate=0.3), 2000))
    assert outcomes[""] == pytest.approx(1400, abs=80)
    del outcomes[""]
    assert set(outcomes) == {
        f"{moment} {kind}"
        for moment in ("before", "after")
        for kind in (
            "InternalServerError 500",
            "ThrottlingException 500",
            "ThrottlingException 400",
            "dropped ",
        )
    }


def test_latency_is_the_mean_delay():
    """Delays are drawn between 0.5 and 1.5 times the latency."""
    faults = Faults(FaultPlan(latency=0.4))
    delays = [faults.draw("IndexFaces").delay for _ in range(500)]
    assert sum(delays) / 500 == pytest.approx(0.4, abs=0.02)
    assert 0.2 <= min(delays) <= max(delays) <= 0.6


def test_each_operation_has_its_own_quota():
    """ListFaces does not use the quota of IndexFaces."""
    faults = Faults(FaultPlan(tps=1), clock=Clock())
    faults.draw("IndexFaces")
    faults.draw("ListFaces")
    with pytest.raises(WireError) as error:
        faults.draw("IndexFaces")
    assert error.value.code == "ProvisionedThroughputExceededException"

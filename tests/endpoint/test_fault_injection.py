"""Injected faults are reproducible by seed and have the configured rates."""

from __future__ import annotations

import time
from collections import Counter

import pytest
from botocore.exceptions import ClientError, HTTPClientError

from catalog.endpoint.errors import ConnectionDropped, WireError
from catalog.endpoint.factory import open_endpoint
from catalog.endpoint.fault_injection import FaultPlan, Faults, TokenBucket
from tests.endpoint.wire import client_of, portrait


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def history(plan, calls, operation="IndexFaces"):
    """The outcome of each call: '' for success, otherwise "before" or "after" with code and status."""
    faults = Faults(plan, sleep=lambda _: None)
    outcomes = []
    for _ in range(calls):
        moment = "before"
        try:
            after = faults.before(operation)
            moment = "after"
            after()
            outcomes.append("")
        except (WireError, ConnectionDropped) as error:
            outcomes.append(f"{moment} {getattr(error, 'code', 'dropped')} {getattr(error, 'status', '')}")
    return outcomes


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
    delays = []
    faults = Faults(FaultPlan(latency=0.4), sleep=delays.append)
    for _ in range(500):
        faults.before("IndexFaces")
    assert sum(delays) / 500 == pytest.approx(0.4, abs=0.02)
    assert 0.2 <= min(delays) <= max(delays) <= 0.6


def test_each_operation_has_its_own_quota():
    """ListFaces does not use the quota of IndexFaces."""
    faults = Faults(FaultPlan(tps=1), clock=Clock())
    faults.before("IndexFaces")
    faults.before("ListFaces")
    with pytest.raises(WireError) as error:
        faults.before("IndexFaces")
    assert error.value.code == "ProvisionedThroughputExceededException"


def test_a_client_is_throttled():
    """Calls above the rate are refused with Amazon's error."""
    with open_endpoint(plan=FaultPlan(tps=3)) as server, server.in_background() as url:
        client, codes = client_of(url), Counter()
        for _ in range(10):
            try:
                client.list_collections()
                codes["ok"] += 1
            except ClientError as error:
                codes[error.response["Error"]["Message"]] += 1
        assert codes["ok"] in {3, 4}
        assert codes["Provisioned Rate exceeded."] == 10 - codes["ok"]
        assert server.service.tally["ListCollections", "ProvisionedThroughputExceededException"] == 10 - codes["ok"]


def test_a_retry_after_a_lost_response_does_not_repeat_the_effect():
    """Some responses are lost after the operation. A client that retries gets the same face, not a second face."""
    with open_endpoint(plan=FaultPlan(fail_rate=0.6, seed=3)) as server, server.in_background() as url:
        client, errors = client_of(url), Counter()

        def until_done(call, **request):
            while True:
                try:
                    return call(**request)
                except HTTPClientError:
                    errors["dropped"] += 1
                except ClientError as error:
                    errors[error.response["Error"]["Code"]] += 1
                    if errors["ResourceAlreadyExistsException"]:
                        return None

        until_done(client.create_collection, CollectionId="c")
        for _ in range(10):
            until_done(client.index_faces, CollectionId="c", Image={"Bytes": portrait("biden")}, ExternalImageId="x")
        assert until_done(client.describe_collection, CollectionId="c")["FaceCount"] == 1
        assert errors["dropped"]
        assert errors["InternalServerError"]
        assert errors["ThrottlingException"]


def test_latency_delays_a_response():
    """A call takes at least half the latency."""
    with open_endpoint(plan=FaultPlan(latency=0.2)) as server, server.in_background() as url:
        client = client_of(url)
        started = time.monotonic()
        client.list_collections()
        assert time.monotonic() - started >= 0.1

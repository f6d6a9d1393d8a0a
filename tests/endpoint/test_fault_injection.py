"""Trouble on purpose, the same for the same seed."""

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
    """What becomes of so many calls: '' for success, else when and how each failed."""
    faults = Faults(plan, sleep=lambda _: None)
    told = []
    for _ in range(calls):
        moment = "before"
        try:
            after = faults.before(operation)
            moment = "after"
            after()
            told.append("")
        except (WireError, ConnectionDropped) as error:
            told.append(f"{moment} {getattr(error, 'code', 'dropped')} {getattr(error, 'status', '')}")
    return told


def test_the_bucket_lets_its_rate_through():
    """A second's worth at once, and then so many a second."""
    clock = Clock()
    bucket = TokenBucket(5, clock)
    assert [bucket.take() for _ in range(6)] == [True] * 5 + [False]
    clock.now = 1.0
    assert [bucket.take() for _ in range(6)] == [True] * 5 + [False]
    clock.now = 1.25
    assert [bucket.take() for _ in range(2)] == [True, False]


def test_a_seed_repeats_itself():
    """Same seed, same history; another seed, another."""
    plan = FaultPlan(fail_rate=0.3, seed=7)
    assert history(plan, 200) == history(plan, 200)
    assert history(plan, 200) != history(FaultPlan(fail_rate=0.3, seed=8), 200)


def test_the_share_of_failures_is_the_one_asked_for():
    """Three in ten, of every kind, before the work and after it."""
    told = Counter(history(FaultPlan(fail_rate=0.3), 2000))
    assert told[""] == pytest.approx(1400, abs=80)
    del told[""]
    assert set(told) == {
        f"{moment} {kind}"
        for moment in ("before", "after")
        for kind in (
            "InternalServerError 500",
            "ThrottlingException 500",
            "ThrottlingException 400",
            "dropped ",
        )
    }


def test_latency_is_the_mean_of_what_is_slept():
    """Drawn around it, by seed."""
    slept = []
    faults = Faults(FaultPlan(latency=0.4), sleep=slept.append)
    for _ in range(500):
        faults.before("IndexFaces")
    assert sum(slept) / 500 == pytest.approx(0.4, abs=0.02)
    assert 0.2 <= min(slept) <= max(slept) <= 0.6


def test_each_operation_has_its_own_quota():
    """Listing does not use up indexing."""
    faults = Faults(FaultPlan(tps=1), clock=Clock())
    faults.before("IndexFaces")
    faults.before("ListFaces")
    with pytest.raises(WireError) as error:
        faults.before("IndexFaces")
    assert error.value.code == "ProvisionedThroughputExceededException"


def test_a_client_sees_throttling():
    """Over HTTP: the calls above the rate are refused as Amazon refuses them."""
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


def test_a_client_sees_faults_and_its_work_may_be_done_all_the_same():
    """Answers get lost after the work: a client that tries again must find the same face, not make a second."""
    with open_endpoint(plan=FaultPlan(fail_rate=0.6, seed=3)) as server, server.in_background() as url:
        client, seen = client_of(url), Counter()

        def until_done(call, **request):
            while True:
                try:
                    return call(**request)
                except HTTPClientError:
                    seen["dropped"] += 1
                except ClientError as error:
                    seen[error.response["Error"]["Code"]] += 1
                    if seen["ResourceAlreadyExistsException"]:
                        return None

        until_done(client.create_collection, CollectionId="c")
        for _ in range(10):
            until_done(client.index_faces, CollectionId="c", Image={"Bytes": portrait("biden")}, ExternalImageId="x")
        assert until_done(client.describe_collection, CollectionId="c")["FaceCount"] == 1
        assert seen["dropped"]
        assert seen["InternalServerError"]
        assert seen["ThrottlingException"]


def test_slowness_is_felt():
    """A call takes the latency at least half."""
    with open_endpoint(plan=FaultPlan(latency=0.2)) as server, server.in_background() as url:
        client = client_of(url)
        began = time.monotonic()
        client.list_collections()
        assert time.monotonic() - began >= 0.1

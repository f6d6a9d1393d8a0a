"""Injected faults as a client of the endpoint meets them, and what the tally counts."""

from __future__ import annotations

import time
from collections import Counter

from botocore.exceptions import ClientError, HTTPClientError

from catalog.endpoint.fault_injection import FaultPlan
from catalog.web.endpoint_server import open_endpoint
from tests.endpoint.wire import client_of, portrait, post


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
        tally = server.service.tally
        assert sum(calls for (_, error), calls in tally.items() if error == "ConnectionDropped") == errors["dropped"]


def test_latency_delays_a_response():
    """A call takes at least half the latency."""
    with open_endpoint(plan=FaultPlan(latency=0.2)) as server, server.in_background() as url:
        client = client_of(url)
        started = time.monotonic()
        client.list_collections()
        assert time.monotonic() - started >= 0.1


def test_requests_without_an_operation_get_no_fault():
    """They are refused as always, and counted without an operation."""
    with open_endpoint(plan=FaultPlan(fail_rate=1.0)) as server, server.in_background() as url:
        assert post(url, "Nonsense").json["__type"] == "UnknownOperationException"
        assert server.service.tally == {("", "UnknownOperationException"): 1}


def test_the_tally_counts_every_response():
    """By operation and error code."""
    with open_endpoint() as server, server.in_background() as url:
        post(url, "ListCollections")
        post(url, "ListCollections")
        post(url, "DescribeCollection", {"CollectionId": "unknown"})
        assert server.service.tally == {
            ("ListCollections", ""): 2,
            ("DescribeCollection", "ResourceNotFoundException"): 1,
        }
        assert server.service.tally_lines() == [
            "operation           status                     calls",
            "DescribeCollection  ResourceNotFoundException      1",
            "ListCollections     success                        2",
        ]

"""Malformed requests: refused in Amazon's shape, without a failure inside."""

from __future__ import annotations

import http.client
from urllib.parse import urlsplit

from hypothesis import HealthCheck, given, settings

from tests.endpoint.fuzz import Request, check, requests


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(request_=requests)
def test_no_request_meets_a_bug(url: str, request_: Request):
    """Hundreds here; ``tests/benchmarks/wire_fuzz.py`` sends 20,000."""
    path, headers, body = request_
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=20)
    try:
        connection.request("POST", path, body, {"Content-Type": "application/x-amz-json-1.1", **headers})
        answer = connection.getresponse()
        check(answer.status, answer.read())
    finally:
        connection.close()

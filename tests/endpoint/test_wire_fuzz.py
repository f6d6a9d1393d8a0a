"""Malformed requests are refused in Amazon's form and do not cause internal errors."""

from __future__ import annotations

import http.client
from urllib.parse import urlsplit

from hypothesis import HealthCheck, given, settings

from tests.endpoint.fuzz import Request, check, requests


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(request_=requests)
def test_no_request_causes_an_internal_error(url: str, request_: Request):
    """200 requests. ``tests/benchmarks/wire_fuzz.py`` sends 20,000."""
    path, headers, body = request_
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=20)
    try:
        connection.request("POST", path, body, {"Content-Type": "application/x-amz-json-1.1", **headers})
        answer = connection.getresponse()
        check(answer.status, answer.read())
    finally:
        connection.close()

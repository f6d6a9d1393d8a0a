"""Requests that a web page caused are refused."""

from __future__ import annotations

import pytest
from starlette.middleware import Middleware

from catalog.web.host_check import RefuseForeignPages
from tests.web.sites import Recorder, exchange, refusal, serving, status_of


def request(host, *headers):
    lines = ["POST / HTTP/1.1", f"Host: {host}", *headers, "Content-Length: 0", "Connection: close"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


@pytest.fixture
def recorder():
    return Recorder()


@pytest.fixture
def site(recorder):
    with serving(recorder, Middleware(RefuseForeignPages, hosts={"faces.example"}, refusal=refusal)) as url:
        yield url


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:4599", "127.0.0.1:80", "[::1]:4599", "192.168.1.5", "FACES.example:1"]
)
def test_allowed_hosts_are_served(site, recorder, host):
    """Localhost, IP addresses, and names that were configured."""
    assert status_of(exchange(site, request(host))) == 200
    assert recorder.paths == ["/"]


@pytest.mark.parametrize(
    "host", ["attacker.example", "localhost.attacker.example", "127.0.0.1.attacker.example", "", "[::1"]
)
def test_other_hosts_are_refused(site, recorder, host):
    """A rebound name reaches the server with its own Host."""
    assert status_of(exchange(site, request(host))) in {400, 421}
    assert recorder.paths == []


@pytest.mark.parametrize(
    "header",
    ["Origin: http://attacker.example", "Origin: null", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site"],
)
def test_requests_of_pages_are_refused(site, recorder, header):
    """Browsers send these headers and pages cannot remove them."""
    assert status_of(exchange(site, request("localhost", header))) == 403
    assert recorder.paths == []

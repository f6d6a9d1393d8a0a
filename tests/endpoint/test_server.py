"""The HTTP server: strangers' bytes neither end it nor learn from it."""

from __future__ import annotations

import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

from catalog.endpoint.factory import open_endpoint
from catalog.endpoint.server import ServerLimits, is_loopback
from tests.endpoint.wire import client_of, post, send_bytes


def lives(url):
    return post(url, "ListCollections").status == 200


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\x00\x01\x02\r\n\r\n", b"400"),
        (b"POST / HTTP/9.9\r\n\r\n", b"505"),
        (b"POST /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", b"414"),
        (b"POST / HTTP/1.1\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(200)) + b"\r\n", b"431"),
        (b"POST / HTTP/1.1\r\nX: " + b"y" * 70_000 + b"\r\n\r\n", b"431"),
        (b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n", b"404"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"404"),
        (b"POST /other HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", b"404"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"411"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef", b"400"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", b"413"),
    ],
    ids=lambda value: repr(value[:40]),
)
def test_junk_gets_an_error_in_amazons_shape(url, data, status):
    """Whatever is not a good request is answered with JSON that has a type, and the server lives on."""
    answer = send_bytes(url, data)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.split()[1] == status
    assert json.loads(body)["__type"]
    assert b"Traceback" not in answer
    assert b"Python" not in answer
    assert lives(url)


def test_a_body_that_is_too_large_is_refused_unread():
    """The client gets to read the refusal."""
    with open_endpoint(limits=ServerLimits(body=1000)) as server, server.in_background() as url:
        answer = post(url, "ListCollections", body=b"x" * 1001)
        assert answer.status == 413
        assert answer.json["__type"] == "RequestEntityTooLargeException"
        assert lives(url)


def test_a_request_that_trickles_in_is_cut_off():
    """A byte now and then does not hold a connection for ever."""
    with open_endpoint(limits=ServerLimits(arrival=0.3)) as server, server.in_background() as url:
        place = urlsplit(url)
        with socket.create_connection((place.hostname, place.port), timeout=5) as connection:
            connection.sendall(b"POST / HTTP/1.1\r\n")
            began = time.monotonic()
            assert connection.recv(100) == b""
            assert time.monotonic() - began < 3
        assert lives(url)


def test_a_connection_that_says_nothing_is_closed():
    """An idle connection is given back after a while."""
    with open_endpoint(limits=ServerLimits(idle=0.2)) as server, server.in_background() as url:
        place = urlsplit(url)
        with socket.create_connection((place.hostname, place.port), timeout=5) as connection:
            assert connection.recv(100) == b""


def test_no_more_connections_than_allowed_are_served():
    """The one too many is closed at once; when another leaves there is room again."""
    with open_endpoint(limits=ServerLimits(connections=2)) as server, server.in_background() as url:
        place = urlsplit(url)
        seats = [socket.create_connection((place.hostname, place.port), timeout=5) for _ in range(2)]
        time.sleep(0.2)
        with socket.create_connection((place.hostname, place.port), timeout=5) as extra:
            assert extra.recv(100) == b""
        for seat in seats:
            seat.close()
        time.sleep(0.2)
        assert lives(url)


def test_a_connection_carries_many_requests(url):
    """HTTP/1.1 connections are kept open between requests."""
    request = (
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-amz-json-1.1\r\n"
        b"X-Amz-Target: RekognitionService.ListCollections\r\nContent-Length: 2\r\n\r\n{}"
    )
    answer = send_bytes(url, request * 5)
    assert answer.count(b"HTTP/1.1 200") == 5


def test_head_gets_no_body(url):
    """A HEAD request is answered with headers alone."""
    answer = send_bytes(url, b"HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 404")
    assert answer.endswith(b"\r\n\r\n")


def test_many_clients_at_once_are_served(url):
    """Threads of one process with a client each get their answers."""
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: client_of(url).list_collections()["ResponseMetadata"], range(32)))
    assert {answer["HTTPStatusCode"] for answer in answers} == {200}


def test_a_bug_is_an_internal_server_error_without_a_word(caplog):
    """What goes wrong inside is logged, and the client learns only that it did."""
    with open_endpoint() as server, server.in_background() as url:

        def fail(_call):
            raise RuntimeError("secret detail")

        server.service._handlers["ListCollections"] = fail
        answer = post(url, "ListCollections")
    assert answer.status == 500
    assert answer.json["__type"] == "InternalServerError"
    assert b"secret" not in answer.body
    assert "secret detail" in caplog.text


def test_the_address_of_ipv6_is_written_with_brackets():
    """The url of a server on ::1 can be used."""
    try:
        with open_endpoint(host="::1") as server, server.in_background() as url:
            assert url.startswith("http://[::1]:")
            assert lives(url)
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("192.168.1.5", False), ("x", False)],
)
def test_loopback_is_told_from_the_rest(host, expected):
    """Only addresses of this machine count."""
    assert is_loopback(host) is expected

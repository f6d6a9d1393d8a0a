"""The HTTP server under load and under malformed input."""

from __future__ import annotations

import asyncio
import gc
import json
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from catalog.web.endpoint_server import open_endpoint
from catalog.web.limits import ServerLimits
from catalog.web.server import WebServer, is_loopback
from tests.endpoint.wire import client_of, post, send_bytes
from tests.web.sites import Recorder, connect, error_body, exchange, serving


def send_slowly(connection, data):
    """50 bytes a second."""
    for byte in data:
        connection.sendall(bytes([byte]))
        time.sleep(0.02)


def is_serving(url):
    return post(url, "ListCollections").status == 200


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\x00\x01\x02\r\n\r\n", b"400"),
        (b"POST / HTTP/99\r\n\r\n", b"400"),
        (b"POST /" + b"a" * 70_000, b"431"),
        (b"POST / HTTP/1.1\r\nX: " + b"y" * 70_000, b"431"),
        (b"POST / HTTP/1.1\r\n\r\n", b"400"),
        (b"BREW / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", b"404"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", b"404"),
        (b"POST /other HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", b"404"),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"411"),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef", b"400"),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + b"9" * 15 + b"\r\n\r\n", b"413"),
    ],
    ids=lambda value: repr(value[:60]),
)
def test_malformed_requests_get_an_error_in_amazons_form(url, data, status):
    """The response is JSON with a type. The server goes on serving."""
    answer = send_bytes(url, data)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.split()[1] == status
    assert json.loads(body)["__type"]
    assert b"Traceback" not in answer
    assert b"uvicorn" not in answer
    assert is_serving(url)


def test_a_slow_request_head_is_cut_off():
    """A client cannot keep a connection by sending single bytes."""
    with open_endpoint(limits=ServerLimits(head_seconds=0.3)) as server, server.in_background() as url:
        with connect(url) as connection, pytest.raises(OSError, match=r"reset|pipe"):
            send_slowly(connection, b"POST / HTTP/1.1\r\n" * 100)
        assert is_serving(url)


def test_an_idle_connection_is_closed():
    """A connection without any request, and a connection after its request."""
    with open_endpoint(limits=ServerLimits(idle_seconds=0.3)) as server, server.in_background() as url:
        for data in (b"", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"):
            with connect(url) as connection:
                connection.sendall(data)
                try:
                    while connection.recv(65536):
                        pass
                except ConnectionResetError:
                    pass
        assert is_serving(url)


def test_a_new_connection_replaces_the_one_that_waited_longest():
    """Silent connections do not keep clients out."""
    with open_endpoint(limits=ServerLimits(connections=3)) as server, server.in_background() as url:
        silent = [connect(url) for _ in range(20)]
        assert is_serving(url)
        assert is_serving(url)
        for connection in silent:
            connection.close()


def test_connections_with_a_request_in_progress_are_not_replaced():
    """If all connections are busy, a new connection is closed."""
    limits = ServerLimits(connections=2)
    with serving(Recorder(delay=1.0), limits=limits) as url:
        busy = [connect(url) for _ in range(2)]
        for connection in busy:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        time.sleep(0.3)
        assert exchange(url, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n") == b""
        for connection in busy:
            assert connection.recv(100).startswith(b"HTTP/1.1 200")
            connection.close()


def test_a_connection_serves_several_requests(url):
    """Requests may be sent before the responses arrive, and the sending side may be closed after them."""
    request = (
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.1\r\n"
        b"X-Amz-Target: RekognitionService.ListCollections\r\nContent-Length: 2\r\n\r\n{}"
    )
    answer = send_bytes(url, request * 5)
    assert answer.count(b"HTTP/1.1 200") == 5


def test_a_head_request_gets_no_body(url):
    """The response to HEAD has headers only."""
    answer = send_bytes(url, b"HEAD / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 404")
    assert answer.endswith(b"\r\n\r\n")


def test_many_clients_are_served_at_the_same_time(url):
    """16 threads with a client each."""
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: client_of(url).list_collections()["ResponseMetadata"], range(32)))
    assert {answer["HTTPStatusCode"] for answer in answers} == {200}


def test_a_bug_is_an_internal_server_error_without_details(caplog):
    """The details are logged and not sent to the client."""
    with open_endpoint() as server, server.in_background() as url:

        def fail(_call):
            raise RuntimeError("secret detail")

        server.service._handlers["ListCollections"] = fail
        answer = post(url, "ListCollections")
    assert answer.status == 500
    assert answer.json["__type"] == "InternalServerError"
    assert b"secret" not in answer.body
    assert "secret detail" in caplog.text


def test_malformed_requests_are_not_logged(url, caplog):
    """A client cannot fill the log."""
    send_bytes(url, b"\x00\x01\x02\r\n\r\n")
    assert caplog.text == ""


@pytest.mark.parametrize("early", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_before_the_loop_runs_ends_the_server(early, monkeypatch, recwarn):
    """Its handler is called once the server has ended, and Python warns of nothing."""
    received = []
    previous = signal.signal(early, lambda number, _frame: received.append(number))
    try:
        with open_endpoint() as server:

            def loop_factory():
                signal.raise_signal(early)  # uvicorn has made its coroutine, and not started it
                assert received == []
                return asyncio.new_event_loop

            monkeypatch.setattr(server._server.config, "get_loop_factory", loop_factory)
            server.serve_forever()
    finally:
        signal.signal(early, previous)
    gc.collect()
    assert set(received) == {early}
    assert [str(warning.message) for warning in recwarn] == []


def test_an_ipv6_address_is_written_with_brackets():
    """The URL of a server on ::1 is usable."""
    try:
        with open_endpoint(host="::1") as server, server.in_background() as url:
            assert url.startswith("http://[::1]:")
            assert is_serving(url)
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")


def test_a_reply_does_not_wait_for_an_acknowledgment():
    """Head and body are two writes. The second would wait 40 ms on a connection without TCP_NODELAY."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        WebServer(Recorder(), error_body, sockets=[listener])
        with socket.create_connection(listener.getsockname()), listener.accept()[0] as accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_an_address_in_use_raises_os_error():
    """Before anything is served."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(OSError, match="in use"), open_endpoint(port=port):
            pass


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("192.168.1.5", False), ("x", False)],
)
def test_loopback_addresses_are_recognized(host, expected):
    """Only addresses of this machine are loopback."""
    assert is_loopback(host) is expected

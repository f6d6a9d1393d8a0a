"""Bodies are bounded before they are read, must arrive in time, and share a bounded memory."""

from __future__ import annotations

import json
import time

from starlette.middleware import Middleware
from starlette.responses import JSONResponse
from starlette.staticfiles import StaticFiles

from catalog.web.limits import ServerLimits
from catalog.web.receipt import ReceiveBody
from tests.web.sites import Recorder, connect, exchange, refusal, serving, status_of


def head(length, path="/"):
    return f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n".encode()


def receiving(recorder, limits, check=None):
    return serving(recorder, Middleware(ReceiveBody, limits=limits, refusal=refusal, check=check), limits=limits)


def test_a_body_is_passed_on_whole():
    """The application receives all bytes."""
    recorder = Recorder()
    with receiving(recorder, ServerLimits(body=1_000_000)) as url:
        answer = exchange(url, head(1_000_000) + bytes(1_000_000))
    assert json.loads(answer.partition(b"\r\n\r\n")[2]) == {"length": 1_000_000}


def test_a_body_above_the_limit_is_refused():
    """The application does not see the request. The client can read the response although it sent the whole body."""
    recorder = Recorder()
    with receiving(recorder, ServerLimits(body=100_000)) as url:
        assert status_of(exchange(url, head(300_000) + bytes(300_000))) == 413
        assert status_of(exchange(url, head(10**15))) == 413
    assert recorder.paths == []


def test_a_body_without_length_is_refused():
    """Chunked bodies cannot be bounded before they are read."""
    recorder = Recorder()
    with receiving(recorder, ServerLimits()) as url:
        request = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
        assert status_of(exchange(url, request)) == 411
    assert recorder.paths == []


def test_a_body_must_arrive_in_time():
    """408, although bytes arrive now and then."""
    recorder = Recorder()
    with receiving(recorder, ServerLimits(body_seconds=0.5)) as url, connect(url) as connection:
        connection.sendall(head(1000))
        started = time.monotonic()
        while time.monotonic() - started < 0.45:
            connection.sendall(b"x")
            time.sleep(0.05)
        assert status_of(connection.recv(1000)) == 408
        assert time.monotonic() - started < 2
    assert recorder.paths == []


def test_a_request_can_be_refused_by_its_head():
    """The application does not see the request."""
    recorder = Recorder()
    with receiving(recorder, ServerLimits(), check=lambda scope: JSONResponse({}, 403)) as url:
        assert status_of(exchange(url, head(5) + b"hello")) == 403
    assert recorder.paths == []


def test_large_bodies_do_not_delay_small_ones():
    """While a large body holds all memory of large bodies, a second one waits and a small one is served."""
    recorder = Recorder()
    large = 2 * 1024 * 1024
    limits = ServerLimits(memory=large * 4, body_seconds=20)
    with receiving(recorder, limits) as url, connect(url) as slow, connect(url) as waiting:
        slow.sendall(head(large, "/slow"))
        time.sleep(0.2)
        waiting.sendall(head(large, "/waiting") + bytes(1000))
        time.sleep(0.2)
        assert status_of(exchange(url, head(5, "/small") + b"hello")) == 200
        assert recorder.paths == ["/small"]
        slow.sendall(bytes(large))
        assert status_of(slow.recv(1000)) == 200
        waiting.sendall(bytes(large - 1000))
        assert status_of(waiting.recv(1000)) == 200
    assert recorder.paths == ["/small", "/slow", "/waiting"]


def test_a_client_that_leaves_releases_its_memory():
    """The next large body is received."""
    recorder = Recorder()
    large = 2 * 1024 * 1024
    with receiving(recorder, ServerLimits(memory=large * 4)) as url:
        with connect(url) as leaving:
            leaving.sendall(head(large) + bytes(1000))
            time.sleep(0.2)
        assert status_of(exchange(url, head(large) + bytes(large))) == 200


def test_a_streamed_response_is_sent_whole(tmp_path):
    """Applications wait for the client to leave while they send a file."""
    (tmp_path / "file.txt").write_text("x" * 200_000)
    with serving(
        StaticFiles(directory=tmp_path), Middleware(ReceiveBody, limits=ServerLimits(), refusal=refusal)
    ) as url:
        answer = exchange(url, b"GET /file.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert answer.count(b"x") >= 200_000


def test_a_tiny_body_does_not_wait_for_memory():
    """An upload holds all memory for small bodies until its request is answered."""
    recorder = Recorder(delay=1.0)
    with receiving(recorder, ServerLimits(memory=1)) as url, connect(url) as upload:
        upload.sendall(head(100_000, "/upload") + bytes(100_000))
        while recorder.paths != ["/upload"]:
            time.sleep(0.01)
        with connect(url) as other:
            other.sendall(head(2, "/list") + b"{}")
            while "/list" not in recorder.paths:
                time.sleep(0.01)
            assert recorder.running == 2

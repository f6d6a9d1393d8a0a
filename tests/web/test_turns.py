"""The number of requests that are processed at the same time is limited, and their order is kept."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from starlette.middleware import Middleware

from catalog.web.turns import ServeInOrder
from tests.web.sites import Recorder, connect, exchange, serving, status_of


def request(path):
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()


def test_no_more_requests_than_allowed_are_processed():
    """Twelve requests at the same time, three at a time."""
    recorder = Recorder(delay=0.05)
    with serving(recorder, Middleware(ServeInOrder, requests=3)) as url, ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda number: exchange(url, request(f"/{number}")), range(12)))
    assert {status_of(answer) for answer in answers} == {200}
    assert recorder.maximum == 3


def test_requests_are_served_in_the_order_of_their_arrival():
    """48 callers wait for one seat; none is overtaken."""
    recorder = Recorder(delay=0.01)
    with serving(recorder, Middleware(ServeInOrder, requests=1)) as url:
        callers = []
        for number in range(48):
            connection = connect(url, timeout=20)
            connection.sendall(request(f"/{number}"))
            callers.append(connection)
            time.sleep(0.005)
        for connection in callers:
            assert status_of(connection.recv(1000)) == 200
            connection.close()
    assert recorder.paths == [f"/{number}" for number in range(48)]

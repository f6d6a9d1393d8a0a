"""Large request bodies are parsed in turns; small ones do not wait for them."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from catalog.endpoint import protocol
from catalog.endpoint.service import Service

HEADERS = {"content-type": "application/x-amz-json-1.1", "x-amz-target": "RekognitionService.ListCollections"}
SMALL = b"{}"
LARGE = json.dumps({"NextToken": "x" * 100_000}).encode()


class SlowParser:
    """Stands before the parser: counts the bodies that are parsed at once, and holds large ones until ``release``."""

    def __init__(self, parse):
        self._parse = parse
        self._lock = threading.Lock()
        self._running = 0
        self.most = 0
        self.started = threading.Semaphore(0)
        self.release = threading.Event()

    def __call__(self, model, body):
        if len(body) < len(LARGE):
            return self._parse(model, body)
        with self._lock:
            self._running += 1
            self.most = max(self.most, self._running)
        self.started.release()
        assert self.release.wait(20)
        with self._lock:
            self._running -= 1
        return self._parse(model, SMALL)


@pytest.fixture
def parser(monkeypatch):
    slow = SlowParser(protocol.members_of)
    monkeypatch.setattr(protocol, "members_of", slow)
    return slow


def test_large_bodies_are_parsed_in_turns_and_small_ones_pass(parser):
    """One at a time. A small request is answered in between."""
    service = Service({"ListCollections": lambda _: {"CollectionIds": [], "FaceModelVersions": []}})

    def answer(body):
        return service.answer("POST", "/", HEADERS, body, "id").status

    with ThreadPoolExecutor(6) as threads:
        large = [threads.submit(answer, LARGE) for _ in range(5)]
        assert parser.started.acquire(timeout=20)
        assert answer(SMALL) == 200
        assert not any(request.done() for request in large)
        parser.release.set()
        assert [request.result() for request in large] == [200] * len(large)
    assert parser.most == 1

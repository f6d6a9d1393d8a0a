"""Buckets and folders of tests."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from moto.server import ThreadedMotoServer

from tests.sources.buckets import Bucket, Faulty, Server


@pytest.fixture(name="server", scope="module")
def _server() -> Iterator[Server]:
    threads = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    threads.start()
    host, port = threads.get_host_and_port()
    yield Server(f"http://{host}:{port}")
    threads.stop()


@pytest.fixture(name="bucket")
def _bucket(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with urlopen(Request(f"{server.url}/moto-api/reset", method="POST"), timeout=10):
        yield Bucket(server)


@pytest.fixture(name="faulty")
def _faulty(monkeypatch: pytest.MonkeyPatch) -> Iterator[Faulty]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with Faulty() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(name="public_path")
def _public_path() -> Iterator[Path]:
    """A folder that another user may enter too, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        path.chmod(0o755)
        yield path

"""Fixtures: one Rekognition endpoint over HTTP for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from catalog.web.endpoint_server import open_endpoint


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    """Address of an endpoint without injected faults."""
    with open_endpoint() as server, server.in_background() as address:
        yield address

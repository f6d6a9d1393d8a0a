"""Fixtures: a Rekognition endpoint for all tests of this folder, and a review server for each test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket

import catalog
from catalog.web import page_routes
from catalog.web.endpoint_server import open_endpoint
from catalog.web.review_server import ReviewServer
from tests.web.browser import SHARED_CHROMIUM, ReviewClient, chromium, signed_in

PORTRAITS = Path(__file__).parent.parent / "fixtures"


class RememberedTemplates(BytecodeCache):
    """Compiled templates, for all servers of the process."""

    def __init__(self) -> None:
        self._codes: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._codes:
            bucket.bytecode_from_string(self._codes[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._codes[bucket.key] = bucket.bytecode_to_string()


@pytest.fixture(autouse=True, scope="session")
def remembered_templates() -> Iterator[None]:
    """Each template is compiled once; two hundred tests start a server."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(page_routes, "Environment", partial(Environment, bytecode_cache=RememberedTemplates()))
        yield


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    """Address of an endpoint without injected faults."""
    with open_endpoint() as server, server.in_background() as address:
        yield address


def scan_portraits(path: Path, **settings: object) -> Path:
    with catalog.open(path, create=True, settings=settings) as library:
        for _ in library.scan([PORTRAITS]):
            pass
    with catalog.open(path) as library:
        library.review.refresh()  # by the settings that the tests open it with
    return path


@pytest.fixture(scope="session")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Catalogues of the portraits: one man on three photos, another man, and a woman.

    In "joined" the man is one person, in "apart" three persons, about which the review asks in pairs. The
    questions are computed.
    """
    folder = tmp_path_factory.mktemp("review")
    strict = {"identities.linkage_threshold": 0.95}
    return {
        "joined": scan_portraits(folder / "joined.sqlite3"),
        "apart": scan_portraits(folder / "apart.sqlite3", **strict),
    }


@pytest.fixture
def library(scanned: dict[str, Path], tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[catalog.Catalog]:
    """A copy of a scanned catalogue for one test: "joined", or the parameter of the test."""
    path = tmp_path / "catalog.sqlite3"
    shutil.copy(scanned[getattr(request, "param", "joined")], path)
    with catalog.open(path) as opened:
        yield opened


@pytest.fixture
def review(library: catalog.Catalog) -> Iterator[ReviewServer]:
    """A review server of that catalogue."""
    server = ReviewServer(library)
    with server.in_background():
        yield server


@pytest.fixture
def client(review: ReviewServer) -> ReviewClient:
    """A signed-in client of the review server."""
    client = ReviewClient(review.host)
    assert client.sign_in(review.address()) == 200
    return client


@pytest.fixture(autouse=True, scope="module")
def browser_of_the_module() -> Iterator[None]:
    """Ends the browser that the tests of a module have used."""
    yield
    SHARED_CHROMIUM.close()


@pytest.fixture
def page(review: ReviewServer) -> Iterator[Any]:
    """A signed-in page of 1,200 pixels; errors of its scripts and requests to other hosts fail the test."""
    with chromium(viewport={"width": 1200, "height": 900}) as context:
        page = signed_in(review, context)
        yield page
        assert page.problems == []

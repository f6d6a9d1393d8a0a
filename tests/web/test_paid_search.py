"""Find by photo with a paid engine: the price first, and one call after the user agreed."""

from __future__ import annotations

import json

import pytest

import catalog
from catalog.web.review_server import ReviewServer
from tests.web.browser import ReviewClient
from tests.web.conftest import PORTRAITS


@pytest.fixture
def library(url, tmp_path, monkeypatch):
    """The portraits, scanned with Rekognition; the endpoint of these tests answers for Amazon."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    settings = {
        "engine.name": "rekognition",
        "engine.gallery": f"review-{tmp_path.name}",
        "rekognition.endpoint_url": url,
        "rekognition.region": "us-east-1",
        "rekognition.calls_per_second": 500,
    }
    with catalog.open(tmp_path / "catalog.sqlite3", create=True, settings=settings) as opened:
        for _ in opened.scan([PORTRAITS]):
            pass
        opened.review.refresh()
        yield opened


def searches(library):
    return sum(charge.calls for charge in library.charges() if "ByImage" in str(charge.operation))


def test_the_price_is_shown_before_the_search(library):
    """402 with dollars and no call; with the user's consent one search for each kind of vector."""
    photo = (PORTRAITS / "obama_2.jpg").read_bytes()
    server = ReviewServer(library)
    with server.in_background():
        client = ReviewClient(server.host)
        client.sign_in(server.address())
        assert b"The engine is paid" in client.request("GET", "/find")[2]
        status, _, body = client.request("POST", "/api/find", raw=photo)
        price = json.loads(body)
        assert (status, price["error"], searches(library)) == (402, "price", 0)
        assert 0 < float(price["dollars"]) <= 0.002
        status, _, body = client.request("POST", "/api/find?paid=yes", raw=photo)
    assert status == 200, body
    assert json.loads(body)["faces"]
    assert 1 <= searches(library) <= 2

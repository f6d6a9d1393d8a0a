"""The pages on a PostgreSQL catalogue: every page answers, and every kind of change is made and undone."""

from __future__ import annotations

import json

import pytest

import catalog
from catalog.web.review_server import ReviewServer
from tests.web.browser import ReviewClient, fresh_key
from tests.web.conftest import PORTRAITS


@pytest.fixture
def library(postgresql_url):
    """A scanned catalogue of the portraits."""
    with catalog.open(postgresql_url, create=True) as opened:
        for _ in opened.scan([PORTRAITS]):
            pass
        opened.review.refresh()
        yield opened


@pytest.fixture
def client(library):
    server = ReviewServer(library)
    with server.in_background():
        client = ReviewClient(server.host)
        assert client.sign_in(server.address()) == 200
        yield client


def test_all_pages_and_changes(client, library):
    """Name, move, hide in bulk, search by photo, and undo down to the first decision."""
    card = client.get("/api/questions")["questions"][0]
    body = {"key": fresh_key(), "question": card["id"], "seen": card["seen"], "answer": "name", "name": {"new": "Ann"}}
    assert client.post("/api/answers", body)[0] == 200
    ann = library.person("Ann").person_id
    face = library.faces(ann)[0]
    repairs = [
        {"action": "move", "person": ann, "faces": [face.face_id], "name": {"new": "Bob"}},
        {"action": "rename", "person": ann, "name": {"new": "Anna"}},
        {"action": "hide", "person": ann},
        {"action": "unhide", "person": ann},
    ]
    for repair in repairs:
        seen = client.get("/api/status")["seen"]
        status, answer = client.post("/api/repairs", {"key": fresh_key(), "seen": seen, **repair})
        assert status == 200, answer
    assert client.post("/api/strangers", {"key": fresh_key(), "fewer_than": 3, "count": 2})[0] == 200
    paths = ["/", "/review", "/people", "/people?q=an", "/people?shown=hidden", "/photos", "/albums", "/expressions"]
    paths += ["/strangers", "/history", "/watch", "/employees", "/find", f"/people/{ann}", f"/people/{ann}/time"]
    paths += [f"/people/{ann}/together", f"/people/{ann}?order=unconfirmed", f"/photos?with={ann}&only=1"]
    paths += [f"/photos/{face.sha256}", f"/strangers?photo={face.sha256}", f"/expressions?person={ann}"]
    for path in paths:
        status, _, page = client.request("GET", path)
        assert status == 200, (path, page)
    status, _, result = client.request("POST", "/api/find", raw=(PORTRAITS / "obama_2.jpg").read_bytes())
    assert {person["name"] for person in json.loads(result)["persons"]} <= {"Anna", "Bob"}
    for _ in range(6):
        assert client.post("/api/undo", {"key": fresh_key()})[0] == 200
    assert not library.people(named=True)
    assert client.post("/api/undo", {"key": fresh_key()})[0] == 422

"""Persons that a human confirmed become users of the collection; find-person asks them first."""

from __future__ import annotations

from collections import Counter

import pytest

from catalog.web.endpoint_server import open_endpoint
from tests.endpoint.wire import client_of


@pytest.fixture
def server(monkeypatch):
    """An endpoint that the settings lead to."""
    with open_endpoint() as server, server.in_background() as url:
        for name, value in {
            "AWS_ACCESS_KEY_ID": "a",
            "AWS_SECRET_ACCESS_KEY": "b",
            "CATALOG_ENGINE_NAME": "rekognition",
            "CATALOG_REKOGNITION_REGION": "us-east-1",
            "CATALOG_REKOGNITION_ENDPOINT_URL": url,
            "CATALOG_REKOGNITION_CALLS_PER_SECOND": "500",
            "CATALOG_REKOGNITION_USER_VECTORS": "true",
            "CATALOG_REKOGNITION_USER_VECTOR_MIN_FACES": "2",
        }.items():
            monkeypatch.setenv(name, value)
        yield server


def users(server):
    return client_of(server.url).list_users(CollectionId="catalog")["Users"]


def test_user_vectors_of_confirmed_persons_are_searched_first(catalog, portraits, server):
    """After two confirmations and a scan, the user vector answers a search. The call is counted."""
    reference = portraits / "obama_3.jpg"
    aside = portraits.parent / "obama_3.jpg"
    reference.rename(aside)
    assert catalog("scan", portraits).code == 0
    assert users(server) == []
    result = catalog("find-person", aside, "--json").json
    assert server.service.tally["SearchUsersByImage", ""] == 0
    (person,) = {match["person"] for match in result["matches"]}
    shown = catalog("people", "show", person, "--json").json
    for face in shown["faces"]:
        assert catalog("people", "confirm", face["face"], person).code == 0
    assert catalog("scan", portraits).code == 0
    assert users(server) == [{"UserId": f"catalog:{person}", "UserStatus": "ACTIVE"}]
    before = Counter(server.service.tally)
    again = catalog("find-person", aside, "--json").json
    assert {match["uri"] for match in again["matches"]} == {match["uri"] for match in result["matches"]}
    assert again["people"][0]["person"] == person
    calls = Counter(server.service.tally) - before
    assert calls["SearchUsersByImage", ""] == 1
    assert calls["SearchFacesByImage", ""] == 0
    ledger = {row["operation"]: row["calls"] for row in catalog("costs", "--json").json["month"]["charges"]}
    assert ledger["AssociateFaces"] == ledger["SearchUsersByImage"] == 1


def test_without_the_setting_no_user_vector_is_created(catalog, portraits, server, monkeypatch):
    """The default is off."""
    monkeypatch.setenv("CATALOG_REKOGNITION_USER_VECTORS", "false")
    assert catalog("scan", portraits).code == 0
    assert not [operation for operation, _ in server.service.tally if "User" in operation]


def test_new_faces_are_compared_with_user_vectors_first(catalog, portraits, server, monkeypatch):
    """A certain user vector replaces the neighbor search. The calls are planned, limited and logged."""
    monkeypatch.setenv("CATALOG_REKOGNITION_SEARCH_USER_VECTORS_FIRST", "true")
    monkeypatch.setenv("CATALOG_REKOGNITION_USER_CERTAIN", "99")
    aside = portraits.parent / "obama_3.jpg"
    (portraits / "obama_3.jpg").rename(aside)
    assert catalog("scan", portraits).code == 0
    result = catalog("find-person", aside, "--json").json
    (person,) = {match["person"] for match in result["matches"]}
    for face in catalog("people", "show", person, "--json").json["faces"]:
        assert catalog("people", "confirm", face["face"], person).code == 0
    assert catalog("scan", portraits).code == 0
    aside.rename(portraits / "obama_3.jpg")

    plan = catalog("scan", portraits, "--dry-run", "--json").json
    assert [call["operation"] for call in plan["calls"]] == ["IndexFaces", "SearchUsers", "SearchFaces"]
    before = Counter(server.service.tally)
    assert catalog("scan", portraits, "--max-calls", "1").code == 7
    assert (Counter(server.service.tally) - before)["SearchUsers", ""] == 0

    assert catalog("scan", portraits).code == 0
    calls = Counter(server.service.tally) - before
    assert {operation: calls[operation, ""] for operation in ("IndexFaces", "SearchUsers", "SearchFaces")} == {
        "IndexFaces": 1,
        "SearchUsers": 1,
        "SearchFaces": 0,
    }
    assert len(catalog("people", "show", person, "--json").json["faces"]) == 3
    ledger = {row["operation"]: row["calls"] for row in catalog("costs", "--json").json["month"]["charges"]}
    assert ledger["SearchUsers"] == 1

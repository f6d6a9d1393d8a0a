"""A collection that lost its faces, and one that two catalogues share."""

from __future__ import annotations

from itertools import permutations

import pytest

from catalog.app import engines
from tests.endpoint.wire import client_of


def calls(server, operation="IndexFaces"):
    """Calls that the endpoint answered; probes of `catalog check` are refused."""
    return server.service.tally[operation, ""]


def delete(client):
    client.delete_collection(CollectionId="catalog")


def empty(client):
    faces = [face["FaceId"] for face in client.list_faces(CollectionId="catalog")["Faces"]]
    client.delete_faces(CollectionId="catalog", FaceIds=faces)


@pytest.mark.parametrize(("lose", "words"), [(delete, "does not exist any more"), (empty, "is empty")])
def test_a_collection_that_lost_its_faces_is_refused_until_reconciled(catalog, portraits, serving, lose, words):
    """Scan, find-person and watch list end with exit 5 and name `reconcile`, which enrolls the photos again."""
    reference = portraits / "biden.jpg"
    with serving() as server:
        client = client_of(server.url, region="us-east-1")
        assert catalog("scan", portraits).code == 0
        assert catalog("watch", "add", "suspect", reference).code == 0
        before = catalog("people", "list", "--json").json
        lose(client)
        paid = calls(server)
        commands = (
            ("scan", portraits),
            ("scan", portraits, "--dry-run"),
            ("find-person", reference),
            ("watch", "check"),
        )
        for command in commands:
            answer = catalog(*command)
            assert answer.code == 5, (command, answer.out, answer.err)
            assert f'The collection "catalog" {words}, but the catalogue knows 5 faces in it.' in answer.err
            assert "catalog reconcile" in answer.err
        check = catalog("check", "--json")
        assert check.code == 9
        assert {item["name"] for item in check.json if item["ok"] is False} == {"collection"}
        assert calls(server) == paid
        plan = catalog("reconcile", "--dry-run", "--json").json
        assert plan["missing_photos"] == 5
        assert plan["calls"][0] == {"operation": "IndexFaces", "calls": 5, "dollars": 0.005}
        assert "at most 5 calls of IndexFaces: $0.0050" in catalog("reconcile", "--dry-run").out
        assert catalog("reconcile", "--max-calls", "0").code == 7
        assert calls(server) == paid
        assert catalog("reconcile", "--max-cost", "0.0025").code == 7
        assert calls(server) == paid + 2
        repaired = catalog("reconcile", "--json")
        assert (repaired.code, repaired.json["enrolled"]) == (0, 3)
        assert calls(server) == paid + 5
        assert catalog("scan", portraits).code == 0
        assert catalog("people", "list", "--json").json == before
        assert catalog("check").code == 0


def test_a_collection_with_too_few_faces_is_a_warning(catalog, portraits, serving):
    """Other catalogues can only add faces. The scan goes on."""
    with serving() as server:
        client = client_of(server.url, region="us-east-1")
        assert catalog("scan", portraits).code == 0
        face = client.list_faces(CollectionId="catalog")["Faces"][0]["FaceId"]
        client.delete_faces(CollectionId="catalog", FaceIds=[face])
        answer = catalog("scan", portraits)
        assert answer.code == 0
        assert 'The collection "catalog" has 4 faces, but the catalogue knows 5 in it.' in answer.err
        assert catalog("check").code == 9
        assert catalog("reconcile", "--json").json["enrolled"] == 1
        assert catalog("check").code == 0


STEPS = {"1": ("a", "reconcile"), "2": ("b", "reconcile"), "3": ("a", "scan"), "4": ("b", "scan")}
EVERY_ORDER = "123412314231243121342132413214321"
"""The shortest sequence that contains every order of four steps."""


def test_forgetting_in_one_catalogue_stays_done_whatever_the_other_does(catalog, portraits, serving, tmp_path):
    """Faces are owned: each catalogue deletes and repairs its own. Nothing is enrolled or paid for again."""
    assert all("".join(order) in EVERY_ORDER for order in permutations(STEPS))
    databases = {name: tmp_path / f"{name}.sqlite3" for name in "ab"}

    def run(name, *arguments):
        answer = catalog(*arguments, "--database", databases[name])
        assert answer.code == 0, (arguments, answer.err)
        return answer

    def step(key):
        name, command = STEPS[key]
        if command == "scan":
            run(name, "scan", portraits)
            return
        repair = run(name, "reconcile", "--json").json
        assert (repair["orphans"], repair["missing_photos"], repair["enrolled"]) == (0, 0, 0)

    with serving() as server:
        client = client_of(server.url, region="us-east-1")
        for name in "ab":
            run(name, "scan", portraits)
        face_count = len(client.list_faces(CollectionId="catalog")["Faces"])
        paid = calls(server)
        for key in STEPS:
            step(key)
        (person,) = [row for row in run("a", "people", "list", "--json").json if row["photos"] == 3]
        run("a", "people", "forget", person["person"], "--yes")
        for key in EVERY_ORDER:
            step(key)
        assert calls(server) == paid
        assert len(client.list_faces(CollectionId="catalog")["Faces"]) == face_count - 3
        assert sorted(row["photos"] for row in run("a", "people", "list", "--json").json) == [1, 1]
        assert sorted(row["photos"] for row in run("b", "people", "list", "--json").json) == [1, 1, 3]


def test_faces_without_an_owner_become_owned_where_they_are_missed(catalog, portraits, serving, tmp_path, monkeypatch):
    """Faces of an earlier release are shared. After a forget, the other catalogue enrolls its own, once."""
    databases = {name: tmp_path / f"{name}.sqlite3" for name in "ab"}
    with serving() as server:
        with monkeypatch.context() as patch:
            patch.setattr(engines, "catalogue_owner", lambda _connection: "")
            for database in databases.values():
                assert catalog("scan", portraits, "--database", database).code == 0
        people = catalog("people", "list", "--json", "--database", databases["a"]).json
        (person,) = [row["person"] for row in people if row["photos"] == 3]
        assert catalog("people", "forget", person, "--yes", "--database", databases["a"]).code == 0
        for _ in range(2):
            for database in databases.values():
                assert catalog("reconcile", "--database", database).code == 0
                assert catalog("scan", portraits, "--database", database).code == 0
        paid = calls(server)
        for database in databases.values():
            repair = catalog("reconcile", "--json", "--database", database).json
            assert (repair["orphans"], repair["missing_photos"]) == (0, 0)
        assert calls(server) == paid
        photos = {}
        for name, database in databases.items():
            people = catalog("people", "list", "--json", "--database", database).json
            photos[name] = sorted(row["photos"] for row in people)
        assert photos == {"a": [1, 1], "b": [1, 1, 3]}

"""`catalog check` reports missing requirements. It pays and changes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from catalog.app import checking
from catalog.endpoint import errors
from catalog.engines.rekognition.permissions import try_permissions
from catalog.web.endpoint_server import open_endpoint
from tests.endpoint.wire import client_of

POLICY = Path(__file__).parents[2] / "config" / "iam-policy.json"


@pytest.fixture
def server(monkeypatch):
    """An endpoint that the settings name. Tests may deny operations on it."""
    with open_endpoint() as server, server.in_background() as url:
        for name, value in {
            "AWS_ACCESS_KEY_ID": "a",
            "AWS_SECRET_ACCESS_KEY": "b",
            "CATALOG_ENGINE_NAME": "rekognition",
            "CATALOG_REKOGNITION_REGION": "us-east-1",
            "CATALOG_REKOGNITION_ENDPOINT_URL": url,
            "CATALOG_REKOGNITION_CALLS_PER_SECOND": "500",
            "CATALOG_REKOGNITION_USER_VECTORS": "true",
        }.items():
            monkeypatch.setenv(name, value)
        yield server


def deny(server, operation):
    def refuse(_call):
        raise errors.access_denied(f"User is not authorized to perform: rekognition:{operation}")

    server.service._handlers[operation] = refuse


def findings(answer):
    return {finding["name"]: finding["ok"] for finding in answer.json}


def test_with_the_local_engine_every_check_passes(catalog, portraits):
    """Database, disk, lock, networks and a folder."""
    assert catalog("scan", portraits).code == 0
    answer = catalog("check", "--json", portraits)
    assert answer.code == 0, answer.err
    assert findings(answer) == {
        "database": True,
        "disk": True,
        "lock": True,
        "networks": True,
        "provider": True,
        f"source {portraits}": True,
    }


def test_every_permission_is_tried_and_no_call_is_paid(catalog, server):
    """All permissions of the shipped policy but CreateCollection. No call is made that AWS would bill."""
    client = client_of(server.url)
    client.create_collection(CollectionId="catalog")
    before = client.describe_collection(CollectionId="catalog")
    answer = catalog("check", "--json")
    assert answer.code == 0, answer.err
    statements = json.loads(POLICY.read_text())["Statement"]
    actions = {action for statement in statements for action in statement["Action"] if "rekognition:" in action}
    assert {name for name in findings(answer) if name.startswith("rekognition:")} == actions
    paid = {"IndexFaces", "SearchFaces", "SearchFacesByImage", "DetectFaces", "CompareFaces"}
    paid |= {"SearchUsers", "SearchUsersByImage", "AssociateFaces", "DisassociateFaces"}
    assert [key for key in server.service.tally if key[0] in paid and not key[1]] == []
    after = client.describe_collection(CollectionId="catalog")
    assert (after["FaceCount"], after["UserCount"]) == (before["FaceCount"], before["UserCount"]) == (0, 0)


def test_a_missing_collection_is_not_created(catalog, server):
    """The permission to create it cannot be tried without creating it. The result says so."""
    answer = catalog("check")
    assert answer.code == 0, answer.err
    assert "rekognition:CreateCollection" in answer.out
    assert "not tried" in answer.out
    assert client_of(server.url).list_collections()["CollectionIds"] == []


def test_make_collection_creates_the_collection(catalog, server):
    """Creating it tries the permission. The shipped policy allows this name only, so that no other name is used."""
    answer = catalog("check", "--make-collection", "--json")
    assert answer.code == 0, answer.err
    assert findings(answer)["rekognition:CreateCollection"] is True
    assert client_of(server.url).list_collections()["CollectionIds"] == ["catalog"]


def test_make_collection_is_refused_for_the_local_engine(catalog):
    """The option is refused and not ignored."""
    answer = catalog("check", "--make-collection")
    assert answer.code == 2
    assert "The engine local has no collection to make." in answer.err


def test_a_missing_permission_to_create_the_collection_is_named(catalog, server):
    """If the collection does not exist."""
    deny(server, "CreateCollection")
    answer = catalog("check", "--make-collection", "--json")
    assert answer.code == 9
    assert findings(answer)["rekognition:CreateCollection"] is False


@pytest.mark.parametrize("operation", ["DescribeCollection", "IndexFaces", "SearchFacesByImage", "DeleteFaces"])
def test_a_missing_permission_is_named(catalog, server, operation):
    """With the remedy, and exit code 9. The other permissions are tried too."""
    client_of(server.url).create_collection(CollectionId="catalog")
    deny(server, operation)
    answer = catalog("check")
    assert answer.code == 9
    lines = answer.out.splitlines()
    assert [line.split()[1] for line in lines if line.startswith("MISSING")] == [f"rekognition:{operation}"]
    assert "iam-policy.json" in answer.out
    assert any(line.startswith("ok ") and "rekognition:CompareFaces" in line for line in lines)


def test_missing_credentials_end_the_permission_checks(catalog, server, monkeypatch):
    """One result, with the remedy."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    answer = catalog("check", "--json")
    assert answer.code == 9
    assert findings(answer)["engine"] is False
    assert "aws configure" in answer.json[-1]["remedy"]


def test_a_missing_source_fails_the_check(catalog, tmp_path):
    """The line begins with MISSING."""
    answer = catalog("check", tmp_path / "nowhere")
    assert answer.code == 9
    assert "MISSING  source" in answer.out


def test_a_full_disk_fails_the_check(catalog, monkeypatch):
    """The check compares the free bytes with a minimum."""
    monkeypatch.setattr(checking, "MIN_FREE_BYTES", 10**18)
    answer = catalog("check", "--json")
    assert answer.code == 9
    assert findings(answer)["disk"] is False


def test_permissions_are_tried_with_invalid_requests():
    """Each probe is an invalid request, which Amazon refuses without billing if the permission exists."""
    sent = []

    class Client:
        def probe(self, operation, **members):
            sent.append((operation, members))
            return {}

        call = probe

    rights = list(try_permissions(Client(), "catalog", users=True))
    assert all(right.granted for right in rights)
    assert all(members["Image"] == {"Bytes": b"x"} for _, members in sent if "Image" in members)


def test_a_catalogue_that_does_not_exist_yet_is_named(catalog):
    """The first scan creates the file."""
    (database,) = [row for row in catalog("check", "--json").json if row["name"] == "database"]
    assert database["note"].endswith("catalog.sqlite3, not made yet")
    assert database["ok"]

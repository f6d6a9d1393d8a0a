"""Every paid call is planned, written to the charge log and closed, whichever command makes it."""

from __future__ import annotations

from collections import Counter

import pytest

from catalog.domain.charges import Operation
from catalog.endpoint.service_model import OPERATIONS
from catalog.engines.rekognition import client

PAID = {operation.value for operation in Operation}
NOT_CALLED = {"ListCollections", "DeleteCollection", "TagResource", "UntagResource", "ListTagsForResource"}


@pytest.fixture
def server(serving, monkeypatch):
    """An endpoint; persons with two confirmed faces get user vectors."""
    monkeypatch.setenv("CATALOG_REKOGNITION_USER_VECTORS", "true")
    monkeypatch.setenv("CATALOG_REKOGNITION_USER_VECTOR_MIN_FACES", "2")
    with serving() as started:
        yield started


def answered(server):
    """Paid calls that the endpoint answered, by operation."""
    tally = server.service.tally.items()
    return Counter({operation: calls for (operation, error), calls in tally if operation in PAID and not error})


def logged(catalog):
    """Calls in the charge log by operation. None may lack its answer."""
    calls = Counter()
    for row in catalog("costs", "--json").json["month"]["charges"]:
        assert row["command"] != "lost"
        calls[row["operation"]] += row["calls"]
    return calls


def confirm(catalog, reference):
    """Confirm the faces of the person on a photo."""
    (person,) = {match["person"] for match in catalog("find-person", reference, "--json").json["matches"]}
    for face in catalog("people", "show", person, "--json").json["faces"]:
        assert catalog("people", "confirm", face["face"], person).code == 0
    return person


def scan_as_planned(catalog, server, folder, *options):
    """Scan, and return the calls by operation. Each must be in the plan, within its range, and in the charge log."""
    plan = catalog("scan", folder, "--dry-run", "--json", *options)
    assert plan.code == 0, plan.err
    planned = {call["operation"]: call for call in plan.json["calls"]}
    before, log_before = answered(server), logged(catalog)
    scan = catalog("scan", folder, "--json", *options)
    assert scan.code == 0, scan.err
    calls = answered(server) - before
    assert logged(catalog) - log_before == calls
    assert scan.json_lines[-1]["calls"] == sum(calls.values())
    assert calls.keys() <= planned.keys()
    for operation, call in planned.items():
        assert call["calls_lowest"] <= calls[operation] <= call["calls_highest"], (operation, call, calls)
    return calls


def test_every_operation_of_the_service_is_paid_or_free():
    """The client refuses to call any other operation without counting it."""
    assert set(OPERATIONS) == client._FREE | PAID | NOT_CALLED
    assert not client._FREE & PAID


def test_the_plan_counts_every_paid_call_of_a_scan(catalog, portraits, server, monkeypatch):
    """A first scan, new user vectors, a watch list, a forgotten person, a prefilter, a new collection."""
    aside = portraits.parent / "obama_3.jpg"
    (portraits / "obama_3.jpg").rename(aside)
    seen = set()

    def scan(*options):
        calls = scan_as_planned(catalog, server, portraits, *options)
        seen.update(calls)
        return calls

    assert scan()["IndexFaces"] == 4
    assert scan() == Counter()
    confirm(catalog, portraits / "obama_1.jpg")
    assert scan() == Counter({"AssociateFaces": 1})
    assert catalog("watch", "add", "suspect", portraits / "biden.jpg", "--not", portraits / "obama_1.jpg").code == 0
    assert scan() == Counter({"SearchFacesByImage": 2})
    monkeypatch.setenv("CATALOG_REKOGNITION_SEARCH_USER_VECTORS_FIRST", "true")
    aside.rename(portraits / "obama_3.jpg")
    assert scan()["SearchUsers"] == 1
    assert scan() == Counter()
    (portraits / "obama_1.jpg").unlink()
    assert scan() == Counter()
    assert catalog("watch", "add", "other", portraits / "biden.jpg").code == 0
    assert scan() == Counter({"SearchFacesByImage": 1})
    assert catalog("prune", "--grace", "0s").code == 0
    assert scan()["SearchFacesByImage"] == 3
    monkeypatch.setenv("CATALOG_ENGINE_GALLERY", "second")
    assert scan("--prefilter")["IndexFaces"] == 4
    scan()
    assert seen >= {"IndexFaces", "SearchFaces", "SearchFacesByImage", "SearchUsers", "AssociateFaces"}


def test_each_command_makes_the_calls_that_its_documentation_names(catalog, portraits, server, monkeypatch):
    """Outside of scans: one call for each photo, reference or comparison; the rest is free."""
    monkeypatch.setenv("CATALOG_REKOGNITION_USER_VECTORS", "false")
    one, two, other = (portraits / f"{name}.jpg" for name in ("obama_1", "obama_2", "biden"))
    assert catalog("scan", portraits).code == 0
    person = confirm(catalog, one)
    commands = [
        (("analyze", one), {"DetectFaces": 1}),
        (("compare", one, two), {"CompareFaces": 1}),
        (("find-person", one, two), {"SearchFacesByImage": 2}),
        (("find-person", one, "--not", other), {"SearchFacesByImage": 2}),
        (("find-person", "--person", person), {"SearchFaces": 3}),
        (("watch", "add", "suspect", one), {"DetectFaces": 1}),
        (("watch", "check"), {"SearchFacesByImage": 1}),
        (("enroll", "7", one, "--allow-open-mouth"), {"DetectFaces": 1}),
        (("verify", "7", two), {"DetectFaces": 1, "CompareFaces": 1}),
        (("reconcile",), {}),
        (("check",), {}),
        (("status",), {}),
        (("people", "suggest"), {}),
        (("people", "forget", person, "--yes"), {}),
    ]
    for command, expected in commands:
        before, log_before = answered(server), logged(catalog)
        answer = catalog(*command)
        assert answer.code in {0, 9}, (command, answer.err)  # 9: hits, or a verdict other than accepted
        assert answered(server) - before == Counter(expected), command
        assert logged(catalog) - log_before == Counter(expected), command

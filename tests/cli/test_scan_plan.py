"""The dry run tells what the scan then charges, and find-person pays one call a reference."""

from __future__ import annotations

import shutil

import pytest

from tests.cli.photos_of_nobody import save_photos_without_faces
from tests.endpoint.wire import client_of


def planned(answer):
    assert answer.code == 0, answer.err
    return {call["operation"]: call for call in answer.json["calls"]}


def answered(server, operation):
    return server.service.tally[operation, ""]


def test_the_plan_of_a_prefiltered_scan_is_what_it_charges(catalog, portraits, serving, monkeypatch):
    """Photos without a face are not counted; a folder of at most 50 photos is looked at whole."""
    monkeypatch.setenv("CATALOG_SCAN_PREFILTER_SAMPLE", "0")
    save_photos_without_faces(portraits, 15)
    with serving() as server:
        plan = catalog("scan", portraits, "--dry-run", "--prefilter", "--json")
        index = planned(plan)["IndexFaces"]
        assert plan.json["sampled_photos"] == 20
        assert (index["calls_lowest"], index["calls"], index["calls_highest"]) == (5, 5, 5)
        assert answered(server, "IndexFaces") == 0
        assert catalog("scan", portraits, "--prefilter").code == 0
        assert answered(server, "IndexFaces") == 5
        search = planned(plan)["SearchFaces"]
        assert search["calls_lowest"] <= answered(server, "SearchFaces") <= search["calls_highest"]


def test_the_plan_of_a_scan_without_the_prefilter_after_one_with_it(catalog, portraits, serving, monkeypatch):
    """The photos that the prefilter left out are sent. Few of them show a face, so few searches are expected."""
    monkeypatch.setenv("CATALOG_SCAN_PREFILTER_SAMPLE", "0")
    save_photos_without_faces(portraits, 15)
    with serving() as server:
        assert catalog("scan", portraits, "--prefilter").code == 0
        before = catalog("costs", "--json").json["month"]["dollars"]
        plan = catalog("scan", portraits, "--dry-run", "--json")
        calls = planned(plan)
        assert calls["IndexFaces"]["calls"] == 15
        assert calls["SearchFaces"]["calls"] == 0
        assert calls["SearchFaces"]["calls_highest"] > 0
        assert catalog("scan", portraits).code == 0
        assert answered(server, "IndexFaces") == 20
        paid = catalog("costs", "--json").json["month"]["dollars"] - before
        assert plan.json["dollars"] == pytest.approx(paid, rel=0.15)


def test_the_plan_of_a_half_known_library_is_near_what_it_charges(catalog, portraits, serving, tmp_path):
    """Copies of known photos are not counted; searches are within the range of the plan."""
    half = tmp_path / "half"
    half.mkdir()
    for name in ("obama_1.jpg", "biden.jpg", "astronaut.jpg"):
        shutil.copy(portraits / name, half)
    with serving() as server:
        assert catalog("scan", half).code == 0
        before = {name: answered(server, name) for name in ("IndexFaces", "SearchFaces")}
        plan = planned(catalog("scan", half, portraits, "--dry-run", "--json"))
        assert catalog("scan", half, portraits).code == 0
        index = plan["IndexFaces"]
        assert (index["calls_lowest"], index["calls"], index["calls_highest"]) == (2, 2, 2)
        assert answered(server, "IndexFaces") - before["IndexFaces"] == 2
        searches = answered(server, "SearchFaces") - before["SearchFaces"]
        assert plan["SearchFaces"]["calls_lowest"] <= searches <= plan["SearchFaces"]["calls_highest"]
        assert catalog("scan", half, portraits, "--dry-run", "--json").json["dollars"] == 0


def test_the_plan_tells_the_price_of_storage(catalog, portraits, serving):
    """A cent for each 1,000 faces a month, in the plan and in the costs."""
    with serving():
        assert catalog("scan", portraits).code == 0
        plan = catalog("scan", portraits, "--dry-run", "--json").json
        assert plan["storage_dollars_a_month"] == pytest.approx(5 * 0.01 / 1000)
        assert "storing about 5 faces" in catalog("scan", portraits, "--dry-run").out
        (stored,) = catalog("costs", "--json").json["storage"]
        assert (stored["engine"], stored["faces"]) == ("rekognition", 5)
        assert stored["dollars_a_month"] == pytest.approx(5 * 0.01 / 1000)
        assert "storing 5 faces in catalog: $0.00005 a month" in catalog("costs").out


def test_the_plan_refuses_what_the_scan_refuses(catalog, portraits, serving):
    """A collection of another face model ends both with exit 5."""
    with serving() as server:
        assert catalog("scan", portraits).code == 0
        describe = server.service._handlers["DescribeCollection"]
        server.service._handlers["DescribeCollection"] = lambda call: {**describe(call), "FaceModelVersion": "99.0"}
        for arguments in ((), ("--dry-run",)):
            answer = catalog("scan", portraits, *arguments)
            assert answer.code == 5
            assert "face model version 99.0" in answer.err


def test_the_plan_of_a_service_that_cannot_be_reached_says_so(catalog, portraits, serving, monkeypatch):
    """The costs are planned from the catalogue alone, and no collection is created."""
    with serving() as server:
        assert catalog("scan", portraits, "--dry-run").code == 0
        assert client_of(server.url, region="us-east-1").list_collections()["CollectionIds"] == []
        monkeypatch.setenv("CATALOG_REKOGNITION_ENDPOINT_URL", "http://127.0.0.1:9")
        answer = catalog("scan", portraits, "--dry-run", "--json")
        assert (answer.code, planned(answer)["IndexFaces"]["calls"]) == (0, 5)
        assert answer.json["gallery_note"].startswith("The collection was not checked: ")


def test_find_person_pays_one_call_for_each_reference(catalog, portraits, serving):
    """The search finds the largest face. DetectFaces is called where a face is chosen by number."""
    with serving() as server:
        assert catalog("scan", portraits).code == 0
        search = catalog("find-person", portraits / "obama_1.jpg", portraits / "obama_2.jpg", "--json")
        assert search.code == 0, search.err
        assert {match["uri"].rpartition("/")[2] for match in search.json["matches"]} >= {"obama_1.jpg", "obama_2.jpg"}
        assert search.json["reference"]["box"] is not None
        assert (answered(server, "SearchFacesByImage"), answered(server, "DetectFaces")) == (2, 0)
        assert catalog("find-person", portraits / "obama_1.jpg", "--face", "1").code == 0
        assert (answered(server, "SearchFacesByImage"), answered(server, "DetectFaces")) == (3, 1)

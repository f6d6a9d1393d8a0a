"""`catalog costs`: charges by scan and month, after real scans through the endpoint."""

from __future__ import annotations

import pytest

from catalog.web.endpoint_server import open_endpoint


@pytest.fixture
def paid(catalog, portraits, monkeypatch):
    """The server, after two scans with the Rekognition engine."""
    with open_endpoint() as server, server.in_background() as url:
        for name, value in {
            "AWS_ACCESS_KEY_ID": "a",
            "AWS_SECRET_ACCESS_KEY": "b",
            "CATALOG_ENGINE_NAME": "rekognition",
            "CATALOG_REKOGNITION_REGION": "us-east-1",
            "CATALOG_REKOGNITION_ENDPOINT_URL": url,
            "CATALOG_REKOGNITION_CALLS_PER_SECOND": "500",
        }.items():
            monkeypatch.setenv(name, value)
        first = catalog("scan", portraits)
        assert first.code == 0, first.err
        assert catalog("scan", portraits).code == 0
        yield server


def test_the_charges_are_the_answered_calls(catalog, paid):
    """The charge log holds the calls that the endpoint answered. The second scan made no paid call."""
    answer = catalog("costs", "--json")
    assert answer.code == 0, answer.err
    ledger = {row["operation"]: row["calls"] for row in answer.json["scans"]}
    answered = {
        operation: paid.service.tally[operation, ""]
        for operation in ("IndexFaces", "SearchFaces")
        if paid.service.tally[operation, ""]
    }
    assert ledger == answered
    assert ledger["IndexFaces"] == 5
    assert {row["scan"] for row in answer.json["scans"]} == {1}
    assert answer.json["month"]["calls"] == sum(ledger.values())
    assert answer.json["month"]["dollars"] == pytest.approx(0.001 * sum(ledger.values()))


def test_charges_are_shown_by_scan_and_month(catalog, paid):
    """Each section ends with a total."""
    lines = catalog("costs").out.splitlines()
    assert lines[0].startswith("scan 1, ")
    assert lines[1].split() == ["IndexFaces", "5", "calls", "$", "0.0050"]
    assert any(line.startswith("month to date (") for line in lines)


def test_an_empty_catalogue_has_no_charges(catalog):
    """Before the first scan the total is 0."""
    answer = catalog("costs", "--json")
    assert answer.json["scans"] == []
    assert answer.json["month"]["calls"] == 0

"""An engine that is registered in one place works in every command, with the capabilities that it declares."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import pytest

from catalog.domain.charges import Charge
from catalog.domain.engine import EngineCapabilities
from catalog.engines.engine_spec import EngineSpec
from catalog.engines.registry import ENGINES
from tests.fakes import Drawn, FakeEngine, FakeGallery, save_drawing, shade

DOLLARS = Decimal("0.25")
"""Not Amazon's price."""


@dataclass(frozen=True)
class DemoOptions:
    """The demo engine has no settings."""


def spec_of(gallery: FakeGallery, **options) -> EngineSpec:
    """The demo engine on a gallery; ``options`` are those of the fake engine."""

    def open_demo(_options, _resources):
        return FakeEngine(gallery, name="demo", **options)

    def quote(_options, _calls_this_month, operation, calls):
        return Charge(operation, calls, options.get("dollars", Decimal(0)) * calls)

    capabilities = EngineCapabilities(
        is_paid="dollars" in options, lends_group_means=options.get("lends_group_means", False)
    )
    return EngineSpec(
        name="demo", options=DemoOptions, capabilities=lambda _: capabilities, open=open_demo, quote=quote
    )


@pytest.fixture
def register(monkeypatch):
    """Adds the demo engine to the registry for one test and selects it in the settings."""

    def add(**options) -> FakeGallery:
        gallery = FakeGallery()
        monkeypatch.setitem(ENGINES, "demo", spec_of(gallery, **options))
        monkeypatch.setenv("CATALOG_ENGINE_NAME", "demo")
        return gallery

    return add


@pytest.fixture
def drawings(tmp_path):
    """Four photos of two persons and one photo without a person."""
    folder = tmp_path / "drawings"
    save_drawing(folder / "ann1.png", [Drawn("ann")])
    save_drawing(folder / "ann2.png", [Drawn(shade("ann", 99.5), left=120)], note=1)
    save_drawing(folder / "both.png", [Drawn("ann", size=80), Drawn("bob", left=160)], note=2)
    save_drawing(folder / "bob.png", [Drawn("bob", top=80)], note=3)
    save_drawing(folder / "nobody.png", [], note=4)
    return folder


def plan(answer):
    assert answer.code == 0, answer.err
    return answer.json


@pytest.mark.parametrize("lends", [True, False], ids=["group means", "neighbor searches"])
def test_a_free_engine_scans_finds_and_costs_nothing(catalog, register, drawings, lends):
    """Scan, dry run, check, people, find-person, explain, reconcile and costs; no call is charged or quoted."""
    gallery = register(lends_group_means=lends)
    assert plan(catalog("scan", drawings, "--dry-run", "--json"))["dollars"] == 0
    assert "The engine demo costs nothing." in catalog("scan", drawings, "--dry-run").out
    scan = catalog("scan", drawings, "--json")
    assert scan.code == 0, scan.err
    assert (scan.json_lines[-1]["faces"], scan.json_lines[-1]["persons_new"]) == (5, 2)
    assert len(gallery.faces) == 5
    people = catalog("people", "list", "--json").json
    assert sorted(person["photos"] for person in people) == [2, 3]
    answer = catalog("find-person", drawings / "bob.png", "--json")
    assert answer.code == 0, answer.err
    assert {match["uri"].rpartition("/")[2] for match in answer.json["matches"]} == {"bob.png", "both.png"}
    check = catalog("check", drawings, "--json")
    assert check.code == 0, check.err
    assert not [item for item in check.json if item["name"] == "networks" or item["name"].startswith("rekognition:")]
    face = min(gallery.faces)
    assert catalog("explain", face, "--json").code == 0
    assert catalog("reconcile", "--json").json["orphans"] == 0
    assert catalog("costs", "--json").json["month"]["calls"] == 0
    again = catalog("scan", drawings, "--json").json_lines[-1]
    assert (again["unchanged"], again["persons_new"], again["churn"]) == (5, 0, 0)


def test_a_paid_engine_is_quoted_and_charged_at_its_own_price(catalog, register, drawings):
    """Amazon's price is not used."""
    register(dollars=DOLLARS)
    planned = plan(catalog("scan", drawings, "--dry-run", "--json"))
    assert {call["operation"]: call["dollars"] / call["calls"] for call in planned["calls"] if call["calls"]} == {
        "IndexFaces": float(DOLLARS),
        "SearchFaces": float(DOLLARS),
    }
    assert planned["note"] == ""
    assert catalog("scan", drawings).code == 0
    month = catalog("costs", "--json").json["month"]
    assert month["dollars"] == float(DOLLARS) * month["calls"]
    assert {row["engine"] for row in month["charges"]} == {"demo"}


def test_a_paid_engine_with_group_means_pays_for_no_search(catalog, register, drawings):
    """The clustering depends on the capability, not on the price."""
    register(dollars=DOLLARS, lends_group_means=True)
    scan = catalog("scan", drawings, "--json").json_lines[-1]
    assert scan["persons_new"] == 2
    assert [row["operation"] for row in catalog("costs", "--json").json["month"]["charges"]] == ["IndexFaces"]


def test_the_prefilter_saves_calls_of_any_paid_engine(catalog, register, drawings, monkeypatch):
    """The local engine finds no face on a drawing, so that nothing is sent."""
    gallery = register(dollars=DOLLARS)
    monkeypatch.setenv("CATALOG_SCAN_PREFILTER_SAMPLE", "0")
    scan = catalog("scan", drawings, "--prefilter")
    assert scan.code == 0, scan.err
    assert "5 photos were skipped by the prefilter" in scan.err
    assert gallery.faces == {}
    assert [item["name"] for item in catalog("check", "--json").json].count("networks") == 0


def test_checking_with_the_prefilter_checks_the_networks(catalog, register, monkeypatch):
    """The prefilter runs the local engine's networks."""
    register(dollars=DOLLARS)
    monkeypatch.setenv("CATALOG_SCAN_PREFILTER", "true")
    assert [item["name"] for item in catalog("check", "--json").json].count("networks") == 1


def test_an_engine_that_is_not_registered_is_refused(catalog, drawings):
    """The message names the registered engines."""
    answer = catalog("scan", drawings, "--engine", "demo")
    assert answer.code == 2
    assert "is 'demo', not one of 'local', 'rekognition'" in answer.err

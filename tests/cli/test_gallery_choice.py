"""Reports after a change of gallery in the settings and a scan."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Catalog


def test_reports_count_a_face_once_after_a_change_of_gallery(
    catalog: Catalog, portraits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the new gallery has a face, after its scan, and back in the old one: five faces are five."""
    questions = ("people", "quality", "timeline", "emotions-by-month", "emotions-by-album", "unknown-people")

    def answers() -> list[object]:
        return [catalog("report", name, "--format", "json").json for name in questions]

    assert catalog("scan", portraits).code == 0
    before = answers()
    monkeypatch.setenv("CATALOG_ENGINE_GALLERY", "second")
    assert answers() == before
    assert catalog("scan", portraits).code == 0
    assert answers() == before
    assert len(catalog("sql", "SELECT * FROM v1_faces", "--format", "json").json) == 10
    assert catalog("report", "html", tmp_path / "pages", "--no-pictures").code == 0
    monkeypatch.delenv("CATALOG_ENGINE_GALLERY")
    assert answers() == before


def test_a_report_that_is_not_about_faces_refuses_engine(catalog: Catalog) -> None:
    """`report costs --engine local` would seem to select the charges of one engine."""
    refused = catalog("report", "costs", "--engine", "local")
    assert (refused.code, "not about faces" in refused.err) == (2, True)
    assert catalog("report", "people", "--engine", "local").code == 0


def test_people_count_a_face_once_after_a_change_of_gallery(
    catalog: Catalog, portraits: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In lists and for one person, before the new gallery has a face and after its scan."""

    def answers() -> list[object]:
        listed = catalog("people", "list", "--json").json
        return [listed, *(catalog("people", "show", person["person_id"], "--json").json for person in listed)]

    def counts() -> list[tuple[int, int]]:
        listed, *shown = answers()
        return [(person["faces"], len(one["faces"])) for person, one in zip(listed, shown, strict=True)]

    assert catalog("scan", portraits).code == 0
    before = answers()
    expected = counts()
    monkeypatch.setenv("CATALOG_ENGINE_GALLERY", "second")
    assert answers() == before
    assert catalog("scan", portraits).code == 0
    assert counts() == expected
    monkeypatch.delenv("CATALOG_ENGINE_GALLERY")
    assert answers() == before

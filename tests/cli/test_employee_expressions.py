"""Expressions of enrolled employees are stored only if a setting says so."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import PORTRAITS, Catalog

OBAMA, BIDEN = PORTRAITS / "obama_3.jpg", PORTRAITS / "biden.jpg"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two portraits."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number, portrait in enumerate((OBAMA, BIDEN)):
        (folder / f"{number}.jpg").write_bytes(portrait.read_bytes())
    return folder


def add_copy(folder: Path, name: str) -> None:
    """The same face on another photo: a few bytes after its end make it new."""
    (folder / name).write_bytes(BIDEN.read_bytes() + name.encode())


def expressions(catalog: Catalog) -> tuple[int, int]:
    """Numbers of faces with a strongest expression, and of stored expressions."""
    counts = []
    for query in (
        "SELECT COUNT(*) AS n FROM v1_faces WHERE emotion IS NOT NULL OR emotion_confidence IS NOT NULL",
        "SELECT COUNT(*) AS n FROM v1_emotions",
    ):
        answer = catalog("sql", query, "--format", "json", "--allow-superuser")
        counts.append(int(answer.json[0]["n"]))
    return counts[0], counts[1]


@pytest.mark.usefixtures("on_database")
def test_a_scan_stores_no_expression_once_an_employee_is_enrolled(catalog: Catalog, folder: Path) -> None:
    """The rule holds for new photos and for photos that are scanned again. Stored expressions stay until deleted."""
    assert catalog("enroll", "1017", BIDEN, "--allow-open-mouth").code == 0
    assert catalog("scan", folder).code == 0
    assert expressions(catalog) == (0, 0)
    (folder / "1.jpg").write_bytes(BIDEN.read_bytes() + b"edited")
    assert catalog("scan", folder).code == 0
    assert expressions(catalog) == (0, 0)


@pytest.mark.usefixtures("on_database")
def test_stored_expressions_stay_until_they_are_deleted(
    catalog: Catalog, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The enrollment says so. With the setting, scans store them."""
    catalog("scan", folder)
    faces, stored = expressions(catalog)
    assert (faces, stored > 2) == (2, True)
    enrolled = catalog("enroll", "1017", BIDEN, "--allow-open-mouth")
    assert "2 faces scanned earlier kept them" in enrolled.err
    add_copy(folder, "later.jpg")
    catalog("scan", folder)
    assert expressions(catalog) == (faces, stored)
    assert "expressions of 2 faces are deleted" in catalog("employees", "delete-expressions", "--yes").out
    assert expressions(catalog) == (0, 0)
    monkeypatch.setenv("CATALOG_EMPLOYEES_STORE_EXPRESSIONS", "true")
    add_copy(folder, "allowed.jpg")
    catalog("scan", folder)
    assert expressions(catalog)[0] == 1


def test_the_deletion_asks_first(catalog: Catalog, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an answer nothing is deleted."""
    catalog("scan", folder)
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    refused = catalog("employees", "delete-expressions")
    assert (refused.code, "Nothing was changed" in refused.err) == (2, True)
    assert expressions(catalog)[0] == 2


def test_a_removed_employee_no_longer_counts(catalog: Catalog, folder: Path) -> None:
    catalog("enroll", "1017", BIDEN, "--allow-open-mouth")
    catalog("employees", "remove", "1017")
    catalog("scan", folder)
    assert expressions(catalog)[0] == 2


def test_a_catalogue_without_employees_keeps_expressions(catalog: Catalog, folder: Path) -> None:
    catalog("scan", folder)
    assert expressions(catalog)[0] == 2

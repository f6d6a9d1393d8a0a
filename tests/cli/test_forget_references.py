"""`people forget` finds references and sidecars by the face, not by the name."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest

from tests.cli.conftest import PORTRAITS, Catalog


def person_on(catalog: Catalog, portrait: str) -> str:
    """Public id of the person on a photo of the catalogue."""
    query = f"SELECT person_id FROM v1_appearances WHERE uri LIKE '%{portrait}.jpg'"
    return str(catalog("sql", query, "--format", "json", "--allow-superuser").json[0]["person_id"])


def other_photo(folder: Path, portrait: str) -> Path:
    """Another file with the same face."""
    path = folder / f"{portrait}-again.jpg"
    path.write_bytes((PORTRAITS / f"{portrait}.jpg").read_bytes() + b"again")
    return path


@pytest.mark.usefixtures("on_database")
def test_references_and_sidecars_of_the_face_are_found(catalog: Catalog, portraits: Path, tmp_path: Path) -> None:
    """Of a catalogued photo and of another one. References and entries of other persons stay."""
    assert catalog("scan", portraits).code == 0
    man, other = person_on(catalog, "obama_1"), person_on(catalog, "biden")
    catalog("watch", "add", "Target", PORTRAITS / "obama_1.jpg", "--not", PORTRAITS / "biden.jpg")
    catalog("watch", "add", "Target 2", other_photo(tmp_path, "obama_2"), PORTRAITS / "astronaut.jpg")
    catalog("watch", "add", "Nobody", PORTRAITS / "biden.jpg")
    catalog("enroll", "e-1", other_photo(tmp_path, "obama_3"), "--allow-open-mouth")
    catalog("enroll", "e-2", PORTRAITS / "biden.jpg", "--allow-open-mouth")
    catalog("people", "name", man, "Old Name")
    assert catalog("export", "xmp").code == 0
    catalog("people", "name", man, "New Name")
    receipt = catalog("people", "forget", man, "--yes", "--json").json
    assert (receipt["watch_references"], receipt["employee_references"]) == (2, 1)
    assert receipt["unchecked_references"] == 0
    assert {Path(file).name for file in receipt["files"]} == {f"obama_{n}.jpg.xmp" for n in (1, 2, 3)}
    entries = {entry["name"]: entry["references"] for entry in catalog("watch", "list", "--json").json}
    assert entries == {"Target 2": 1, "Nobody": 1}
    assert [row["id"] for row in catalog("employees", "list", "--json").json] == ["e-2"]
    assert "e-1" not in catalog("audit", "--json").out
    assert catalog("audit").code == 0
    assert person_on(catalog, "biden") == other


@pytest.mark.usefixtures("on_database")
def test_a_backup_does_not_bring_references_back(catalog: Catalog, portraits: Path, tmp_path: Path) -> None:
    """On the watch list and among employees, with the entries of the log. References of other persons come back."""
    assert catalog("scan", portraits).code == 0
    man = person_on(catalog, "obama_1")
    catalog("watch", "add", "Target", PORTRAITS / "obama_1.jpg")
    catalog("watch", "add", "Other", PORTRAITS / "biden.jpg")
    catalog("enroll", "e-1", other_photo(tmp_path, "obama_3"), "--allow-open-mouth")
    catalog("enroll", "e-2", PORTRAITS / "biden.jpg", "--allow-open-mouth")
    assert catalog("backup", tmp_path / "before.bak").code == 0
    assert catalog("people", "forget", man, "--yes").code == 0
    restored = catalog("restore", tmp_path / "before.bak", "--force")
    assert "forgotten" not in restored.out
    assert catalog("status", "--json").json["pending_removals"] == 0
    assert [entry["name"] for entry in catalog("watch", "list", "--json").json] == ["Other"]
    assert [row["id"] for row in catalog("employees", "list", "--json").json] == ["e-2"]
    assert "e-1" not in catalog("audit", "--json").out
    assert catalog("audit").code == 0


@pytest.mark.parametrize("has_forgotten", [False, True])
def test_a_backup_of_another_model_is_restored(
    catalog: Catalog, portraits: Path, tmp_path: Path, has_forgotten: bool
) -> None:
    """The engine refuses its gallery. Forgotten faces stay pending, and the command says so."""
    assert catalog("scan", portraits).code == 0
    assert catalog("backup", tmp_path / "before.bak").code == 0
    if has_forgotten:
        assert catalog("people", "forget", person_on(catalog, "obama_1"), "--yes").code == 0
    with contextlib.closing(sqlite3.connect(tmp_path / "before.bak")) as connection:
        connection.execute("UPDATE gallery_collections SET model = 'another'")
        connection.commit()
    restored = catalog("restore", tmp_path / "before.bak", "--force")
    assert restored.code == 0, restored.err
    assert ("3 forgotten faces must still be deleted" in restored.out) is has_forgotten


def test_references_that_were_added_after_forgetting_are_restored(
    catalog: Catalog, portraits: Path, tmp_path: Path
) -> None:
    """The employee agreed again, with the same photo."""
    assert catalog("scan", portraits).code == 0
    badge = other_photo(tmp_path, "obama_3")
    assert catalog("enroll", "e-1", badge, "--allow-open-mouth").code == 0
    assert catalog("people", "forget", person_on(catalog, "obama_1"), "--yes").code == 0
    assert catalog("enroll", "e-1", badge, "--allow-open-mouth").code == 0
    assert catalog("backup", tmp_path / "after.bak").code == 0
    assert catalog("restore", tmp_path / "after.bak", "--force").code == 0
    assert [row["id"] for row in catalog("employees", "list", "--json").json] == ["e-1"]


def test_the_receipt_is_text(catalog: Catalog, portraits: Path) -> None:
    """With the places that the command cannot reach."""
    catalog("scan", portraits)
    man = person_on(catalog, "obama_1")
    catalog("watch", "add", "Target", PORTRAITS / "obama_1.jpg")
    text = catalog("people", "forget", man, "--yes").out
    assert "1 reference of the watch list showed the person" in text
    assert "Not reached: crops of hits, pages, albums" in text

"""The closing table of `catalog scan`, its next step, and --quiet."""

from __future__ import annotations

import json

import pytest

from catalog.cli.scan_output import next_step


def test_the_table_has_no_rows_of_zeros(catalog, portraits, guarded_home):
    """It ends with the location of the catalogue and the command that names people."""
    lines = catalog("scan", portraits).out.splitlines()
    assert [line.split("  ")[0].strip() or line.split()[0] for line in lines[:4]] == [
        "photos discovered",
        "new",
        "faces found",
        "new persons",
    ]
    assert lines[4].split() == ["catalogue", str(guarded_home / ".local/share/catalog/catalog.sqlite3")]
    assert lines[5:] == ["3 people, none has a name: catalog review"]


def test_photos_that_disappeared_are_counted(catalog, portraits):
    """In the table and in JSON, by the scan that misses them."""
    catalog("scan", portraits)
    (portraits / "biden.jpg").unlink()
    assert "photos missing            1" in catalog("scan", portraits).out.splitlines()
    (portraits / "astronaut.jpg").unlink()
    *_, summary = map(json.loads, catalog("scan", portraits, "--json").out.splitlines())
    assert summary["missing"] == 1


def test_the_next_step_counts_people_without_a_name(catalog, portraits):
    """A name reduces the count."""
    catalog("scan", portraits)
    person = catalog("people", "list", "--json").json[0]["person"]
    catalog("people", "name", person, "Ann")
    assert catalog("scan", portraits).out.splitlines()[-1] == "3 people, 2 have no name: catalog review"


@pytest.mark.parametrize(
    ("people", "named", "step"),
    [
        (0, 0, ""),
        (1, 0, "1 person, it has no name: catalog review"),
        (1, 1, ""),
        (1200, 1199, "1,200 people, 1 has no name: catalog review"),
    ],
)
def test_the_next_step_is_empty_if_every_person_has_a_name(people, named, step):
    """Singular and plural."""
    assert next_step(people, named) == step


def test_an_empty_folder_is_reported(catalog, tmp_path):
    """The message names the folder, and the files that are not photos."""
    folder = tmp_path / "empty"
    folder.mkdir()
    (folder / "film.mov").write_bytes(b"none")
    answer = catalog("scan", folder)
    assert answer.code == 0
    assert f"There is no photo in {folder}." in answer.out
    assert "1 .mov" in answer.out


def test_quiet_prints_failures_only(catalog, portraits):
    """Exit code and messages about failed photos stay."""
    assert catalog("scan", portraits, "--quiet").out == ""
    (portraits / "broken.jpg").write_bytes(b"\xff\xd8\xff broken")
    answer = catalog("scan", portraits, "-q")
    assert (answer.code, answer.out) == (3, "")
    assert "failed: " in answer.err

"""`catalog people import` on real portraits, with the local engine, on both databases."""

from __future__ import annotations

import contextlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from catalog.store.database import open_database
from tests.cli.conftest import PORTRAITS, Catalog


@pytest.fixture
def references(tmp_path: Path) -> Path:
    folder = tmp_path / "references"
    (folder / "Barack Obama").mkdir(parents=True)
    shutil.copyfile(PORTRAITS / "obama_1.jpg", folder / "Barack Obama" / "1.jpg")
    shutil.copyfile(PORTRAITS / "biden.jpg", folder / "Joe Biden.jpg")
    return folder


@pytest.fixture
def library(tmp_path: Path) -> Path:
    folder = tmp_path / "library"
    folder.mkdir()
    for name in ("obama_2", "obama_3", "astronaut"):
        shutil.copyfile(PORTRAITS / f"{name}.jpg", folder / f"{name}.jpg")
    return folder


def photos_by_name(catalog: Catalog, *database: object) -> dict[str | None, int]:
    rows = catalog("people", "list", "--json", *database).json
    return {row["name"]: row["photos"] for row in rows}


def test_a_scan_assigns_to_persons_that_were_imported_before_it(
    catalog: Catalog, references: Path, library: Path, database_url: str
) -> None:
    database = "--database", database_url
    imported = catalog("people", "import", references, "--json", *database).json
    assert (imported["people"], imported["new"], imported["photos"], imported["faces"]) == (2, 2, 2, 2)
    assert (imported["conflicts"], imported["problems"]) == ([], [])
    assert photos_by_name(catalog, *database) == {"Barack Obama": 1, "Joe Biden": 1}
    assert catalog("scan", library, *database).code == 0
    assert photos_by_name(catalog, *database) == {"Barack Obama": 3, "Joe Biden": 1, None: 1}
    again = catalog("people", "import", references, "--json", *database).json
    assert (again["new"], again["faces"]) == (0, 0)


def test_an_import_names_the_faces_of_a_library_that_was_scanned_before(
    catalog: Catalog, references: Path, library: Path
) -> None:
    assert catalog("scan", library).code == 0
    assert catalog("people", "import", references).code == 0
    assert photos_by_name(catalog) == {"Barack Obama": 3, "Joe Biden": 1, None: 1}


def read(database_url: str, query: str) -> list[tuple[Any, ...]]:
    with contextlib.closing(open_database(database_url)) as database, database.read() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(query)]


def csv_list(folder: Path, text: str) -> Path:
    path = folder / "people.csv"
    path.write_text(text)
    return path


def test_ids_and_birth_dates_are_in_the_view_and_go_with_the_person(
    catalog: Catalog, references: Path, database_url: str
) -> None:
    database = "--database", database_url
    people = csv_list(
        references,
        "name,photos,birth_date,qid,viaf\n"
        "Barack Obama,Barack Obama/1.jpg,1961-08-04,Q76,52010985\n"
        "Ada Lovelace,,1815-12-10,Q7259,\n",
    )
    assert catalog("people", "import", people, *database).code == 0
    rows = read(database_url, "SELECT name, birth_date, external_ids FROM v1_people ORDER BY name")
    (ada, obama) = rows
    assert ada == ("Ada Lovelace", "1815-12-10", '{"qid": "Q7259"}')
    assert json.loads(obama[2]) == {"qid": "Q76", "viaf": "52010985"}
    assert catalog("people", "forget", "Barack Obama", "--yes", *database).code == 0
    assert read(database_url, "SELECT external_ids FROM persons") == [('{"qid": "Q7259"}',)]
    assert read(database_url, "SELECT COUNT(*) FROM faces") == [(0,)]


def test_a_dry_run_writes_nothing(catalog: Catalog, references: Path) -> None:
    printed = catalog("people", "import", references, "--dry-run", "--json").json
    assert (printed["people"], printed["new"], printed["photos"], printed["faces"], printed["dollars"]) == (
        2,
        2,
        2,
        0,
        0.0,
    )
    assert catalog("people", "list").out.startswith("The catalogue holds no person")


def test_two_names_for_one_face_are_reported_and_not_merged(catalog: Catalog, references: Path) -> None:
    shutil.copyfile(PORTRAITS / "obama_2.jpg", references / "Barry Soetoro.jpg")
    shutil.copyfile(PORTRAITS / "biden.jpg", references / "Robin Ware.jpg")
    printed = catalog("people", "import", references, "--json").json
    assert len(printed["conflicts"]) == 2
    assert any("One photo has the names" in sentence for sentence in printed["conflicts"])
    assert any("look like one person" in sentence and "Barry Soetoro" in sentence for sentence in printed["conflicts"])
    assert photos_by_name(catalog) == {"Barack Obama": 1, "Barry Soetoro": 1, "Joe Biden": 0, "Robin Ware": 0, None: 1}


def test_an_id_that_another_person_has_is_reported(catalog: Catalog, references: Path) -> None:
    assert catalog("people", "import", csv_list(references, "name,qid\nAnn,Q1\n")).code == 0
    answer = catalog("people", "import", csv_list(references, "name,qid\nBea,Q1\nAnn,Q2\nCay,Q3\nDee,Q3\n"), "--json")
    assert answer.code == 0
    assert len(answer.json["conflicts"]) == 3
    assert set(photos_by_name(catalog)) == {"Ann", "Cay"}


def test_photos_without_one_clear_face_are_reported(catalog: Catalog, references: Path, tmp_path: Path) -> None:
    Image.new("RGB", (300, 300), "gray").save(references / "No Face.jpg")
    with Image.open(PORTRAITS / "obama_1.jpg") as left, Image.open(PORTRAITS / "biden.jpg") as right:
        pair = Image.new("RGB", (800, 500))
        pair.paste(left.convert("RGB").resize((400, 500)), (0, 0))
        pair.paste(right.convert("RGB").resize((400, 500)), (400, 0))
    pair.save(references / "Two Men.jpg", quality=95)
    printed = catalog("people", "import", references, "--json").json
    assert printed["faces"] == 2
    assert sorted(sentence.split('" ')[1] for sentence in printed["problems"]) == [
        "shows no face that is good enough.",
        "shows several faces; none was used.",
    ]


def test_a_malformed_list_is_a_usage_error_and_writes_nothing(catalog: Catalog, references: Path) -> None:
    answer = catalog("people", "import", csv_list(references, "name,photos\nAnn,none.jpg\n"))
    assert answer.code == 2
    assert "Line 2" in answer.err
    assert catalog("people", "list").out.startswith("The catalogue holds no person")


def test_an_import_is_undone_as_one(catalog: Catalog, references: Path) -> None:
    assert catalog("people", "import", references).code == 0
    assert catalog("undo").code == 0
    assert None in photos_by_name(catalog) or photos_by_name(catalog) == {}
    assert "Joe Biden" not in photos_by_name(catalog)


def test_a_forgotten_face_is_named_as_the_reason(catalog: Catalog, references: Path) -> None:
    """A photo whose face was forgotten is good enough. It is not used, and the message says why."""
    assert catalog("people", "import", references).code == 0
    assert catalog("people", "forget", "Barack Obama", "--yes").code == 0
    problems = catalog("people", "import", references, "--json").json["problems"]
    assert [problem.split('" ')[1] for problem in problems] == ["holds a face that was forgotten."]

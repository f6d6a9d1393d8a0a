"""`catalog restore` of a malformed labels file: exit 2, and nothing is written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from catalog.store.database import Database
from tests.all_rows import all_rows
from tests.cli.conftest import Catalog
from tests.store.named_photo import CONTENT, DAY, fill, name_person_on_photo

PERSON = {"person_id": "p2", "name": "Ann", "hidden": False, "birth_date": None, "created_at": DAY}
LABELS = {"format": "catalog labels", "version": 1, "persons": [PERSON], "decisions": [], "tombstones": []}


@pytest.mark.parametrize(
    "content",
    [
        json.dumps({**LABELS, "persons": [{**PERSON, "birth_date": "junk"}]}).encode(),
        json.dumps({**LABELS, "tombstones": [{"photo_sha256": CONTENT}]}).encode(),
        b'{"format": "catalog labels"',
        b"{\xff\xfe}",
        b"{",
    ],
    ids=["birth date", "tombstone", "cut", "not UTF-8", "a brace"],
)
def test_nothing_is_written(
    catalog: Catalog, database: Database, database_url: str, tmp_path: Path, content: bytes
) -> None:
    """The catalogue holds the same rows after the refusal as before it."""
    with database.begin() as connection:
        fill(connection)
        name_person_on_photo(connection)
    before = all_rows(database)
    (tmp_path / "labels.json").write_bytes(content)
    answer = catalog("restore", tmp_path / "labels.json", "--database", database_url)
    assert (answer.code, answer.out) == (2, "")
    assert "bug" not in answer.err
    assert all_rows(database) == before


def test_no_catalogue_is_created_for_a_malformed_file(catalog: Catalog, tmp_path: Path) -> None:
    """The file is read before the database is opened."""
    (tmp_path / "labels.json").write_text("{}")
    answer = catalog("restore", tmp_path / "labels.json", "--database", tmp_path / "new.sqlite3")
    assert answer.code == 2
    assert not (tmp_path / "new.sqlite3").exists()

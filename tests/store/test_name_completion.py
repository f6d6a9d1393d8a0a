"""Names for shell completion are read from a real catalogue, without SQLAlchemy."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from catalog.store.database import open_database
from catalog.store.name_completion import LIMIT, complete_persons
from tests.reports.made_catalog import fill


@pytest.fixture
def path(tmp_path):
    """A catalogue with 20 persons, most of them named."""
    path = tmp_path / "catalog.sqlite3"
    database = open_database(str(path))
    fill(database, photo_count=100, face_count=250, person_count=20)
    database.close()
    return path


def test_a_prefix_completes_names_in_any_case(path):
    """Each completion is a name that begins with the prefix, described by its id."""
    with closing(sqlite3.connect(path)) as connection:
        name, person_id = connection.execute("SELECT name, person_id FROM v1_people WHERE name IS NOT NULL").fetchone()
    assert (name, person_id) in complete_persons(path, name[:3].lower())


def test_an_id_completes_too(path):
    """A person without a name is offered by its id."""
    with closing(sqlite3.connect(path)) as connection:
        (person_id,) = connection.execute("SELECT person_id FROM v1_people LIMIT 1").fetchone()
    assert any(person_id in pair for pair in complete_persons(path, person_id[:4]))


def test_the_number_of_completions_is_limited(path):
    """A catalogue may hold thousands of persons."""
    assert 0 < len(complete_persons(path, "")) <= LIMIT


@pytest.mark.parametrize("prefix", ["%", "_", "\\", "'; DROP TABLE persons; --"])
def test_a_prefix_is_text(path, prefix):
    """Wildcards and quotes have no meaning."""
    assert complete_persons(path, prefix) == []


def test_a_file_that_is_no_catalogue_has_no_names(tmp_path):
    """A missing file is not created."""
    second_database = tmp_path / "other.sqlite3"
    assert complete_persons(second_database, "") == []
    assert not second_database.exists()
    second_database.write_bytes(b"no database")
    assert complete_persons(second_database, "") == []


def test_sqlalchemy_is_not_loaded():
    """A shell asks at every Tab."""
    code = "import sys, catalog.store.name_completion; print('sqlalchemy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"

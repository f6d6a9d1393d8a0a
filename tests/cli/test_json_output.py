"""JSON output follows docs/json.schema.json."""

from __future__ import annotations

import csv
import json
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from catalog.cli.main import run
from catalog.domain.timestamps import utc_text
from catalog.store.database import open_database
from tests.red_face_photos import add_person, add_photo, save_photo

__all__ = ["add_person", "add_photo"]

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "docs" / "json.schema.json").read_text())


def validate(name: str, value: object) -> None:
    Draft202012Validator({**SCHEMA, "$ref": f"#/$defs/{name}"}).validate(value)


@pytest.fixture
def database(tmp_path, sqlite_template):
    """A catalogue on SQLite for the commands."""
    shutil.copyfile(sqlite_template, tmp_path / "catalog.db")
    opened = open_database(str(tmp_path / "catalog.db"))
    yield opened
    opened.close()


@pytest.fixture
def output(database, add_person, add_photo, tmp_path, capsys):
    """Returns a function that runs a command on a catalogue with one named person, and returns its stdout."""
    add_person("Ada")
    add_photo(save_photo(tmp_path / "a.png"))

    def of(*command: str) -> str:
        capsys.readouterr()
        assert run([*command, "--database", str(database.path)]) == 0
        return capsys.readouterr().out

    return of


@pytest.mark.parametrize(
    ("command", "definition"),
    [
        (("people", "list", "--json"), "people list"),
        (("people", "show", "Ada", "--json"), "people show"),
        (("people", "history", "--json"), "people history"),
        (("status", "--json"), "status"),
        (("costs", "--json"), "costs"),
        (("report", "people", "--format", "json"), "rows"),
        (("report", "appearances", "--format", "json"), "rows"),
        (("sql", "SELECT * FROM v1_appearances", "--format", "json"), "rows"),
    ],
)
def test_a_command_prints_one_document(output, command, definition):
    """After a decision, so that the history is not empty."""
    output("people", "name", "Ada", "Ada Lovelace")
    command = tuple("Ada Lovelace" if word == "Ada" else word for word in command)
    value = json.loads(output(*command))
    assert value
    validate(definition, value)


def test_dates_are_an_array(output, tmp_path):
    """A photo without a date, then with one of a user."""
    for expected in (None, "1948-06"):
        (photo,) = value = json.loads(output("dates", "show", str(tmp_path / "a.png"), "--json"))
        validate("dates show", value)
        assert photo["date"] == expected
        if expected is None:
            output("dates", "set", str(tmp_path / "a.png"), "1948-06")


def test_settings_are_an_object(capsys):
    """By key, with value and origin."""
    assert run(["settings", "--json"]) == 0
    validate("settings", json.loads(capsys.readouterr().out))


def test_a_scan_prints_an_object_per_line(tmp_path, capsys):
    """A plan, photos, a summary, and the sources."""
    (tmp_path / "photos").mkdir()
    save_photo(tmp_path / "photos" / "a.png")
    (tmp_path / "photos" / "b.jpg").write_bytes(b"not a photo")
    address = ["--database", str(tmp_path / "catalog.db")]
    assert run(["scan", "--dry-run", "--json", str(tmp_path / "photos"), *address]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert run(["scan", "--json", str(tmp_path / "photos"), *address]) == 3
    lines += capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    for line in lines:
        validate("scan", json.loads(line))
    assert run(["sources", "--json", *address]) == 0
    (source,) = capsys.readouterr().out.splitlines()
    validate("sources", json.loads(source))


def test_the_list_of_people_can_be_imported(output, tmp_path, database):
    """`people list --csv` writes the columns that `import csv` reads."""
    text = output("people", "list", "--csv")
    rows = list(csv.DictReader(text.splitlines()))
    assert rows[0]["person_id"] == rows[0]["person"]
    rows[0]["name"] = "Ada Lovelace"
    with (tmp_path / "people.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    output("import", "csv", str(tmp_path / "people.csv"))
    assert json.loads(output("people", "list", "--json"))[0]["name"] == "Ada Lovelace"


def test_every_definition_of_a_command_is_in_the_documentation():
    """The table names the schema of each command."""
    named = set(re.findall(r"\| `([a-z ]+)` \|$", (ROOT / "docs" / "json.md").read_text(), re.MULTILINE))
    basic = {"time", "time_or_null", "text_or_null", "number_or_null", "count", "sha256", "box", "face"}
    assert named == set(SCHEMA["$defs"]) - basic - {"person_id", "person_id_or_null"}


def test_the_example_of_a_time_is_a_stored_time():
    """The form is that of the database."""
    assert utc_text(datetime(2003, 5, 17, 14, 3, 22, tzinfo=UTC)) in (ROOT / "docs" / "json.md").read_text()

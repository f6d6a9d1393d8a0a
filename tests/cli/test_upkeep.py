"""Looking after a catalogue from the command line: back up, restore, prune, reconcile, upgrade, run every night."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Catalog


@pytest.fixture
def scanned(catalog: Catalog, portraits: Path, database_url: str) -> str:
    """The address of a catalogue of the portraits, once on each database."""
    assert catalog("scan", portraits, "--database", database_url).code == 0
    return database_url


def test_a_catalogue_goes_through_a_backup_and_back(
    catalog: Catalog, portraits: Path, scanned: str, tmp_path: Path
) -> None:
    """The next scan finds the restored photos unchanged. Gallery and catalogue agree."""
    copy, elsewhere = tmp_path / "copy.sqlite3", tmp_path / "elsewhere" / "catalog.sqlite3"
    assert catalog("backup", copy, "--database", scanned).code == 0
    assert catalog("restore", copy, "--database", elsewhere).code == 0
    again = catalog("scan", portraits, "--json", "--database", elsewhere)
    assert (again.code, again.json_lines[-1]["unchanged"]) == (0, 5)
    differences = catalog("reconcile", "--dry-run", "--json", "--database", elsewhere).json
    assert (differences["orphans"], differences["missing_photos"]) == (0, 0)
    refused = catalog("restore", copy, "--database", elsewhere)
    assert (refused.code, "--force" in refused.err) == (2, True)


def test_names_restore_into_a_new_catalogue(catalog: Catalog, portraits: Path, scanned: str, tmp_path: Path) -> None:
    """Labels are small, and fit faces with other ids."""
    people = catalog("people", "list", "--json", "--database", scanned).json
    first = people[0]["person"]
    assert catalog("people", "name", first, "Barack", "--database", scanned).code == 0
    labels, database = tmp_path / "labels.json", tmp_path / "other.sqlite3"
    assert catalog("backup", "--labels-only", labels, "--database", scanned).code == 0
    assert labels.stat().st_size < 20_000
    assert catalog("scan", portraits, "--database", database).code == 0
    assert catalog("restore", labels, "--database", database).code == 0
    named = [row for row in catalog("people", "list", "--json", "--database", database).json if row["name"]]
    assert [(row["name"], row["photos"]) for row in named] == [("Barack", people[0]["photos"])]


def test_prune_keeps_photos_in_the_grace_period(catalog: Catalog, portraits: Path, scanned: str) -> None:
    """A missing photo stays for a month, or for the given time."""
    (portraits / "biden.jpg").unlink()
    assert catalog("scan", portraits, "--database", scanned).code == 0
    assert catalog("prune", "--json", "--database", scanned).json["photos"] == 0
    assert catalog("prune", "--grace", "0s", "--dry-run", "--json", "--database", scanned).json["photos"] == 1
    done = catalog("prune", "--grace", "0s", "--json", "--database", scanned).json
    assert (done["places"], done["photos"], done["faces"]) == (1, 1, 1)
    assert catalog("reconcile", "--dry-run", "--json", "--database", scanned).json["gallery"] == 4


def test_a_schema_that_is_current_needs_no_upgrade(catalog: Catalog, scanned: str) -> None:
    """The command prints this and changes nothing."""
    answer = catalog("database", "upgrade", "--database", scanned)
    assert (answer.code, "current schema" in answer.out) == (0, True)


def test_an_empty_source_needs_force(catalog: Catalog, portraits: Path, scanned: str) -> None:
    """Exit code 4, with the remedy --force."""
    for photo in portraits.iterdir():
        photo.unlink()
    refused = catalog("scan", portraits, "--database", scanned)
    assert (refused.code, "--force" in refused.err) == (4, True)
    assert catalog("scan", portraits, "--force", "--database", scanned).code == 0


def test_an_empty_folder_in_a_source_is_reported_after_the_scan(
    catalog: Catalog, portraits: Path, scanned: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Perhaps a disk that is not mounted: the table, one sentence, exit code 4; --force believes it."""
    monkeypatch.setattr("catalog.scanning.missing_detection.MANY", 2)
    disk = portraits / "disk"
    disk.mkdir()
    for photo in sorted(portraits.glob("*.jpg"))[:2]:
        photo.rename(disk / photo.name)
    assert catalog("scan", portraits, "--database", scanned).code == 0
    disk.rename(tmp_path / "aside")
    disk.mkdir()
    doubted = catalog("scan", portraits, "--database", scanned)
    assert doubted.code == 4
    assert "photos discovered" in doubted.out
    assert "is empty, where 2 photos were" in doubted.err
    assert catalog("scan", portraits, "--force", "--database", scanned).code == 0


def test_logs_are_json_and_the_post_command_gets_the_summary(catalog: Catalog, portraits: Path, tmp_path: Path) -> None:
    """One object per line on stderr. The summary is on the command's stdin."""
    payload_file = tmp_path / "told.json"
    answer = catalog(
        "scan",
        portraits,
        "--log-format",
        "json",
        "--post-command",
        f"cat > {payload_file}; echo $CATALOG_EXIT_CODE >> {payload_file}",
        "--database",
        tmp_path / "c.sqlite3",
    )
    lines = [json.loads(line) for line in answer.err.splitlines()]
    assert [line["message"] for line in lines] == ["scan started", "source completed", "scan ended"]
    summary, _, code = payload_file.read_text().partition("}")
    assert (json.loads(summary + "}")["new"], code.strip()) == (5, "0")


def test_every_line_of_a_json_log_is_an_object(catalog: Catalog, portraits: Path, tmp_path: Path) -> None:
    """Also the messages of the command and its error, which comes without a traceback."""
    (portraits / "broken.jpg").write_bytes((portraits / "biden.jpg").read_bytes()[:3000])
    database = ("--database", tmp_path / "c.sqlite3")
    assert catalog("watch", "add", "Joe Biden", portraits / "biden.jpg", *database).code == 0
    answer = catalog("scan", portraits, "--log-format", "json", "--fail-on", "hits", *database)
    assert answer.code == 9
    lines = [json.loads(line) for line in answer.err.splitlines()]
    assert [line["message"] for line in lines if "broken.jpg" in str(line)] == ["photo failed"]
    assert lines[-1]["message"].startswith("catalog: ")
    assert "Traceback" not in answer.err


def test_sigterm_ends_a_scan_within_seconds(portraits: Path, tmp_path: Path) -> None:
    """Finished photos are recorded, exit code 130. The same command continues."""
    for number in range(60):
        original = (portraits / "biden.jpg").read_bytes()
        (portraits / f"more{number}.jpg").write_bytes(original + bytes([number]))
    command = [sys.executable, "-m", "catalog", "scan", str(portraits), "--json", "--database", str(tmp_path / "c")]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ
    ) as running:
        assert running.stdout is not None
        running.stdout.readline()  # the first photo is told
        running.send_signal(signal.SIGTERM)
        began = time.monotonic()
        _, errors = running.communicate(timeout=60)
    assert running.returncode == 130
    assert time.monotonic() - began < 20  # five seconds on a machine that does nothing else
    assert "Finished photos are recorded." in errors


@pytest.mark.parametrize("option", ["--remove-unknown", "--strangers"])
def test_reconcile_accepts_the_old_and_the_new_option(catalog, portraits, option):
    """--strangers is the hidden old name of --remove-unknown; the help shows the new name only."""
    assert catalog("scan", portraits).code == 0
    answer = catalog("reconcile", option, "--json")
    assert (answer.code, answer.json["orphans"]) == (0, 0)
    shown = catalog("reconcile", "--help").out
    assert ("--remove-unknown" in shown, "--strangers" in shown) == (True, False)


@pytest.mark.parametrize("command", ["birth-date", "born"])
def test_people_accepts_the_old_and_the_new_command_for_a_birth_date(catalog, portraits, command):
    """`born` is the hidden old name of the command."""
    assert catalog("scan", portraits).code == 0
    person = catalog("people", "list", "--json").json[0]["person"]
    assert catalog("people", command, person, "1961-08-04").code == 0
    assert catalog("people", "show", person, "--json").json["birth_date"] == "1961-08-04"


def test_an_old_setting_is_named_on_stderr(catalog, monkeypatch, tmp_path):
    """One line with the new name; the command works."""
    monkeypatch.setenv("CATALOG_IDENTITIES_LINKAGE_PRICE", "0.2")
    answer = catalog("status", "--database", tmp_path / "none.sqlite3")
    assert answer.code == 0
    assert answer.err.count("CATALOG_IDENTITIES_LINKAGE_PAIR_PENALTY") == 1

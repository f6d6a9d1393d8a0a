"""`catalog scan` on real portraits, by the local engine."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

KEYS = {"uri", "sha256", "outcome", "faces", "rejected", "reason"}
COUNTS = {"discovered", "new", "unchanged", "changed", "moved", "duplicate", "skipped", "failed"}


def test_a_scan_prints_a_table_that_adds_up(catalog, portraits):
    """The closing table names every outcome, the faces and the persons."""
    answer = catalog("scan", portraits)
    assert answer.code == 0
    rows = dict(line.rsplit(maxsplit=1) for line in answer.out.splitlines())
    numbers = {name.strip(): int(number.replace(",", "")) for name, number in rows.items()}
    assert numbers["photos discovered"] == numbers["new"] == 5
    assert numbers["faces found"] == 5
    assert numbers["new persons"] == 3
    assert numbers["persons deleted"] == numbers["faces separated"] == numbers["conflicts"] == 0


def test_json_gives_a_line_for_each_photo_and_the_summary_last(catalog, portraits):
    """One object a photo with fixed keys, then one with the counts."""
    *photos, summary = catalog("scan", portraits, "--json").json_lines
    assert [set(photo) for photo in photos] == [KEYS] * 5
    assert {photo["outcome"] for photo in photos} == {"new"}
    assert summary["summary"] is True
    assert COUNTS | {"faces", "rejected", "persons_new"} <= set(summary)
    assert summary["discovered"] == sum(summary[key] for key in COUNTS - {"discovered"})


def test_a_second_scan_is_all_unchanged(catalog, portraits):
    """The same command again finds nothing to do."""
    catalog("scan", portraits)
    summary = catalog("scan", portraits, "--json").json_lines[-1]
    assert (summary["unchanged"], summary["faces"], summary["persons_new"]) == (5, 0, 0)


def test_the_catalogue_is_readable_by_its_owner_only(catalog, portraits, guarded_home):
    """By default it lies in the user's data folder, mode 0600 in a folder of mode 0700."""
    catalog("scan", portraits)
    file = guarded_home / ".local/share/catalog/catalog.sqlite3"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_a_dry_run_touches_nothing(catalog, portraits, guarded_home):
    """The plan is printed, and not even a database is made."""
    answer = catalog("scan", portraits, "--dry-run")
    assert answer.code == 0
    assert "never seen" in answer.out
    assert "costs nothing" in answer.out
    assert not list(guarded_home.rglob("*.sqlite3"))


def test_a_broken_photo_is_told_on_stderr_and_gives_exit_code_3(catalog, portraits):
    """The others are catalogued; the sentence names the file."""
    (portraits / "broken.jpg").write_bytes(b"")
    answer = catalog("scan", portraits)
    assert answer.code == 3
    assert "broken.jpg" in answer.err
    assert "0 bytes" in answer.err


def test_a_name_cannot_send_escapes_to_the_terminal(catalog, portraits):
    """Control characters of a file name are shown, not obeyed."""
    (portraits / "\x1b[31mred.jpg").write_bytes(b"")
    answer = catalog("scan", portraits)
    assert "\x1b" not in answer.err + answer.out


def test_a_missing_folder_gives_exit_code_4(catalog, tmp_path):
    """One sentence with the name, and what to look at."""
    answer = catalog("scan", tmp_path / "nowhere")
    assert answer.code == 4
    assert "nowhere" in answer.err
    assert "Traceback" not in answer.err


@pytest.mark.parametrize("arguments", [["scan"], ["scan", "--bogus"], ["scna", "."], ["scan", ".", "--limit", "0"]])
def test_a_wrong_command_line_gives_exit_code_2(catalog, arguments):
    """Usage errors are told apart from failures."""
    assert catalog(*arguments).code == 2


def test_a_setting_out_of_range_gives_exit_code_2(catalog, portraits, monkeypatch):
    """Settings from the environment are checked before anything is done."""
    monkeypatch.setenv("CATALOG_IMAGES_MAX_SIDE", "12")
    answer = catalog("scan", portraits)
    assert answer.code == 2
    assert "CATALOG_IMAGES_MAX_SIDE" in answer.err


def test_a_database_that_is_none_gives_exit_code_6(catalog, portraits):
    """A text file is not a catalogue, and stays as it was."""
    file = portraits.parent / "notes.txt"
    file.write_text("These are my notes, and they are long enough to be taken for a file of some kind." * 20)
    before = file.read_bytes()
    assert catalog("scan", portraits, "--database", file).code == 6
    assert file.read_bytes() == before


def test_the_same_folder_named_twice_is_walked_once(catalog, portraits):
    """A folder inside another that is scanned anyway adds nothing."""
    (portraits / "sub").mkdir()
    Path(portraits / "astronaut.jpg").rename(portraits / "sub" / "astronaut.jpg")
    summary = catalog("scan", portraits, portraits / "sub", portraits, "--json").json_lines[-1]
    assert (summary["discovered"], summary["new"]) == (5, 5)


def test_a_new_hit_on_the_watch_list_can_fail_the_scan(catalog, portraits):
    """With --fail-on hits a scan that finds somebody who is watched for ends with 9, and everything is recorded."""
    assert catalog("watch", "add", "The man", portraits / "obama_1.jpg").code == 0
    answer = catalog("scan", portraits, "--fail-on", "hits", "--fail-on", "churn")
    assert answer.code == 9
    assert "new hits" in answer.err
    assert catalog("scan", portraits, "--fail-on", "hits", "--fail-on", "conflicts").code == 0

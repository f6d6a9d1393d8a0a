"""`catalog scan` on real portraits, by the local engine."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

KEYS = {"uri", "sha256", "outcome", "faces", "rejected", "reason"}
COUNTS = {"discovered", "new", "unchanged", "changed", "moved", "duplicate", "skipped", "failed"}


def test_the_counts_of_a_scan_add_up(catalog, portraits):
    """The closing table has the outcomes, the faces and the persons."""
    answer = catalog("scan", portraits)
    assert answer.code == 0
    rows = dict(line.rsplit(maxsplit=1) for line in answer.out.splitlines()[:4])
    numbers = {name.strip(): int(number.replace(",", "")) for name, number in rows.items()}
    assert numbers["photos discovered"] == numbers["new"] == 5
    assert numbers["faces found"] == 5
    assert numbers["new persons"] == 3


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
    """Its default location is the user's data folder, mode 0600 in a folder of mode 0700."""
    catalog("scan", portraits)
    file = guarded_home / ".local/share/catalog/catalog.sqlite3"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_a_dry_run_writes_nothing(catalog, portraits, guarded_home):
    """The plan is printed. No database is created."""
    answer = catalog("scan", portraits, "--dry-run")
    assert answer.code == 0
    assert "new                     5" in answer.out
    assert "costs nothing" in answer.out
    assert not list(guarded_home.rglob("*.sqlite3"))


def test_a_broken_photo_is_reported_on_stderr_with_exit_code_3(catalog, portraits):
    """The other photos are catalogued. The message names the file."""
    (portraits / "broken.jpg").write_bytes(b"")
    answer = catalog("scan", portraits)
    assert answer.code == 3
    assert "broken.jpg" in answer.err
    assert "0 bytes" in answer.err


def test_a_name_cannot_send_escapes_to_the_terminal(catalog, portraits):
    """Control characters of a file name are printed escaped."""
    (portraits / "\x1b[31mred.jpg").write_bytes(b"")
    answer = catalog("scan", portraits)
    assert "\x1b" not in answer.err + answer.out


def test_a_missing_folder_gives_exit_code_4(catalog, tmp_path):
    """One message with the name and a remedy."""
    answer = catalog("scan", tmp_path / "nowhere")
    assert answer.code == 4
    assert "nowhere" in answer.err
    assert "Traceback" not in answer.err


@pytest.mark.parametrize("arguments", [["scan"], ["scan", "--bogus"], ["scna", "."], ["scan", ".", "--limit", "0"]])
def test_a_wrong_command_line_gives_exit_code_2(catalog, arguments):
    """Usage errors have their own exit code."""
    assert catalog(*arguments).code == 2


def test_a_setting_out_of_range_gives_exit_code_2(catalog, portraits, monkeypatch):
    """Settings from the environment are checked before the scan starts."""
    monkeypatch.setenv("CATALOG_IMAGES_MAX_SIDE", "12")
    answer = catalog("scan", portraits)
    assert answer.code == 2
    assert "CATALOG_IMAGES_MAX_SIDE" in answer.err


def test_a_file_that_is_no_database_gives_exit_code_6(catalog, portraits):
    """A text file is not a catalogue, and stays as it was."""
    file = portraits.parent / "notes.txt"
    file.write_text("These are my notes, and they are long enough to be taken for a file of some kind." * 20)
    before = file.read_bytes()
    assert catalog("scan", portraits, "--database", file).code == 6
    assert file.read_bytes() == before


def test_the_same_folder_given_twice_is_listed_once(catalog, portraits):
    """A folder inside another source adds no photo."""
    (portraits / "sub").mkdir()
    Path(portraits / "astronaut.jpg").rename(portraits / "sub" / "astronaut.jpg")
    summary = catalog("scan", portraits, portraits / "sub", portraits, "--json").json_lines[-1]
    assert (summary["discovered"], summary["new"]) == (5, 5)


def test_a_new_hit_on_the_watch_list_can_fail_the_scan(catalog, portraits):
    """With --fail-on hits a scan with a new hit ends with 9. All photos are recorded."""
    assert catalog("watch", "add", "The man", portraits / "obama_1.jpg").code == 0
    answer = catalog("scan", portraits, "--fail-on", "hits", "--fail-on", "churn")
    assert answer.code == 9
    assert "new hits" in answer.err
    assert catalog("scan", portraits, "--fail-on", "hits", "--fail-on", "conflicts").code == 0

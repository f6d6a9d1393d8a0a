"""An empty or absent folder may be a disk that is not mounted."""

from __future__ import annotations

import subprocess
import time
from collections import Counter

import pytest

from tests.fakes import Drawn, save_drawing

MANY = 4


@pytest.fixture(autouse=True)
def few_are_many(monkeypatch):
    monkeypatch.setattr("catalog.scanning.missing_detection.MANY", MANY)


def draw(folder, count, first=1):
    folder.mkdir(exist_ok=True)
    for number in range(first, first + count):
        save_drawing(folder / f"{number:02}.png", [Drawn("ann")], note=number)


def missing(rows):
    return rows("SELECT count(*) FROM locations WHERE missing_since IS NOT NULL")[0][0]


def test_photos_of_a_folder_that_is_suddenly_empty_are_not_missing(scanner, folder, rows, tmp_path):
    """The rest of the source is scanned, with one error and exit code 4, until the disk is back."""
    disk, aside = folder / "disk", tmp_path / "aside"
    draw(disk, 1)
    draw(disk / "deeper", MANY, first=2)
    draw(folder, 1, first=10)
    scanner()
    disk.rename(aside)
    disk.mkdir()
    draw(folder, 1, first=11)
    summary = scanner()
    assert scanner.kinds() == {"10.png": "unchanged", "11.png": "new"}
    assert summary.suspect_folders.exit_code == 4
    assert str(summary.suspect_folders) == (
        f'The folder "{disk}/" in the source "{folder}/" is empty, where {MANY + 1} photos were.'
    )
    assert "--force" in summary.suspect_folders.remedy
    assert missing(rows) == 0
    assert rows("SELECT state, exit_code FROM scans ORDER BY id DESC LIMIT 1") == [("completed", 4)]
    ((outcome, reason),) = rows("SELECT outcome, reason FROM problems")
    assert (outcome, reason) == ("skipped", str(summary.suspect_folders))
    disk.rmdir()
    aside.rename(disk)
    assert scanner().suspect_folders is None
    assert set(scanner.kinds().values()) == {"unchanged"}


def test_force_believes_that_a_folder_is_empty(scanner, folder, rows):
    """--force marks the photos of an empty folder as missing."""
    draw(folder / "disk", MANY)
    draw(folder, 1, first=10)
    scanner()
    for photo in (folder / "disk").iterdir():
        photo.unlink()
    assert scanner().suspect_folders is not None
    assert scanner(force=True).suspect_folders is None
    assert missing(rows) == MANY


def test_a_few_deleted_photos_are_believed(scanner, folder, rows):
    """A small folder may be emptied, and a large one may lose most of its photos."""
    draw(folder / "small", MANY - 1)
    draw(folder / "large", MANY + 1, first=10)
    scanner()
    for photo in [*(folder / "small").iterdir(), *list((folder / "large").iterdir())[1:]]:
        photo.unlink()
    assert scanner().suspect_folders is None
    assert missing(rows) == MANY - 1 + MANY


def test_a_folder_emptied_by_moving_its_photos_is_believed(scanner, folder, rows):
    """Photos with another present location do not count."""
    draw(folder / "inbox", MANY + 1)
    draw(folder, 1, first=10)
    scanner()
    (folder / "inbox").rename(folder / "album")
    (folder / "inbox").mkdir()
    assert scanner().suspect_folders is None
    assert Counter(scanner.kinds().values()) == {"moved": MANY + 1, "unchanged": 1}
    assert missing(rows) == MANY + 1


@pytest.mark.parametrize(("beside", "believed"), [(1, False), (MANY, True)], ids=["most", "less"])
def test_a_folder_that_is_gone_is_believed_unless_it_held_most_of_the_source(
    scanner, folder, rows, tmp_path, beside, believed
):
    """A removable disk takes its folder with it, as a deleted album does."""
    draw(folder / "stick", MANY)
    draw(folder, beside, first=10)
    scanner()
    (folder / "stick").rename(tmp_path / "pulled out")
    summary = scanner()
    assert (summary.suspect_folders is None) == believed
    assert missing(rows) == (MANY if believed else 0)
    if not believed:
        assert f'The folder "{folder}/stick/"' in str(summary.suspect_folders)
        assert f"is gone, where {MANY} photos were" in str(summary.suspect_folders)


def test_a_real_disk_is_unmounted_and_mounted_again(scanner, folder, rows):
    """With a real file system, if this user may mount one."""
    disk = folder / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)]
    try:
        done = subprocess.run(mount, check=False, capture_output=True)
    except FileNotFoundError:
        pytest.skip("there is no mount on this machine")
    if done.returncode:
        pytest.skip("this user may not mount a file system")
    try:
        draw(disk, MANY)
        draw(folder, 1, first=10)
        scanner()
    finally:
        for _ in range(50):
            if not subprocess.run(["umount", str(disk)], check=False).returncode:
                break
            time.sleep(0.1)
    assert "is empty" in str(scanner().suspect_folders)
    assert missing(rows) == 0


def test_the_summary_counts_photos_that_disappeared(scanner, folder):
    """Once, by the scan that misses them. A photo that moved, or has a copy, is not lost."""
    draw(folder, 5)
    (folder / "05 copy.png").write_bytes((folder / "05.png").read_bytes())
    assert scanner().missing == 0
    (folder / "01.png").unlink()
    (folder / "02.png").rename(folder / "02 moved.png")
    (folder / "05.png").unlink()
    assert scanner().missing == 1
    assert scanner().missing == 0


def test_a_photo_that_moved_to_a_later_source_did_not_disappear(scanner, folder, tmp_path):
    """Its old source is closed before the new one is listed."""
    first, second = folder / "first", folder / "second"
    draw(first, 2)
    draw(second, 1, first=9)
    scanner(first, second)
    (first / "01.png").rename(second / "01.png")
    assert scanner(first, second).missing == 0

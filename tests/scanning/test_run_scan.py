"""Outcomes of photos that are new, known, moved, copied, changed, damaged or missing."""

from __future__ import annotations

import os
import shutil

import pytest

from catalog.domain.charges import Operation
from catalog.domain.errors import EngineError
from tests.fakes import Drawn, FakeEngine, drawing_bytes, save_drawing


def test_a_first_scan_records_every_photo_and_face(scanner, folder, rows):
    """Each photo is new, its faces are stored with it, and the counts add up."""
    save_drawing(folder / "a.jpg", [Drawn("ann"), Drawn("bob", left=140)])
    save_drawing(folder / "sub" / "b.png", [Drawn("ann")])
    save_drawing(folder / "c.png")
    summary = scanner()
    assert scanner.kinds() == {"a.jpg": "new", "b.png": "new", "c.png": "new"}
    assert (summary.discovered, summary.faces) == (3, 3)
    assert rows("SELECT count(*) FROM photos") == [(3,)]
    assert rows("SELECT count(*) FROM faces") == [(3,)]
    assert rows("SELECT state, exit_code, discovered, faces FROM scans") == [("completed", 0, 3, 3)]


def test_a_second_scan_finds_everything_unchanged_and_asks_the_engine_nothing(scanner, folder):
    """Files with the same size, time and inode are not read again."""
    save_drawing(folder / "a.jpg", [Drawn("ann")])
    scanner()
    scanner.engine.calls.clear()
    scanner()
    assert scanner.kinds() == {"a.jpg": "unchanged"}
    assert not scanner.engine.calls


def test_a_photo_that_only_another_engine_knew_is_new(scanner, folder):
    """It is enrolled, and perhaps charged, so its outcome is new. Its copy is a duplicate."""
    save_drawing(folder / "a.png", [Drawn("ann")])
    scanner()
    scanner.engine = FakeEngine(model="other/1")
    scanner.engine.name = "other"
    (folder / "b.png").write_bytes((folder / "a.png").read_bytes())
    scanner()
    assert scanner.kinds() == {"a.png": "new", "b.png": "duplicate"}
    assert scanner.engine.calls[Operation.INDEX_FACES] == 1
    scanner()
    assert scanner.kinds() == {"a.png": "unchanged", "b.png": "unchanged"}


def test_a_touched_file_is_read_and_found_unchanged(scanner, folder, rows):
    """A new modification time alone is no change, and the next scan does not read it again."""
    photo = save_drawing(folder / "a.jpg", [Drawn("ann")])
    scanner()
    os.utime(photo, ns=(1, 1_700_000_000_000_000_000))
    scanner()
    assert scanner.kinds() == {"a.jpg": "unchanged"}
    assert rows("SELECT modified_ns FROM locations") == [(1_700_000_000_000_000_000,)]
    assert rows("SELECT count(*) FROM faces") == [(1,)]


def test_a_moved_photo_is_a_new_location_of_known_content(scanner, folder, rows):
    """Known content without its old location was moved: no face is enrolled, and the old location is missing."""
    photo = save_drawing(folder / "a.jpg", [Drawn("ann")])
    scanner()
    photo.rename(folder / "z.jpg")
    summary = scanner()
    assert scanner.kinds() == {"z.jpg": "moved"}
    assert summary.faces == 0
    assert rows("SELECT count(*) FROM faces") == [(1,)]
    assert rows("SELECT count(*) FROM locations WHERE missing_since IS NULL") == [(1,)]


def test_a_copy_is_a_duplicate(scanner, folder, rows):
    """Known content whose old location exists is a duplicate."""
    photo = save_drawing(folder / "a.jpg", [Drawn("ann")])
    scanner()
    shutil.copy(photo, folder / "z.jpg")
    scanner()
    assert scanner.kinds() == {"a.jpg": "unchanged", "z.jpg": "duplicate"}
    assert rows("SELECT count(*) FROM photos") == [(1,)]


def test_copies_in_one_scan_are_enrolled_once(scanner, folder, rows):
    """A copy waits while the engine enrolls its content."""
    data = drawing_bytes([Drawn("ann")])
    for number in range(12):
        (folder / f"{number:02}.jpg").write_bytes(data)
    summary = scanner(workers=4)
    assert sorted(scanner.kinds().values()) == ["duplicate"] * 11 + ["new"]
    assert summary.faces == 1
    assert rows("SELECT count(*) FROM faces") == [(1,)]


def test_an_edited_photo_is_changed(scanner, folder, rows):
    """New content at a known location replaces the old photo."""
    photo = save_drawing(folder / "a.jpg", [Drawn("ann")])
    scanner()
    save_drawing(photo, [Drawn("bob"), Drawn("cleo", left=140)])
    summary = scanner()
    assert scanner.kinds() == {"a.jpg": "changed"}
    assert summary.faces == 2
    assert rows("SELECT count(*) FROM locations") == [(1,)]
    assert rows("SELECT count(*) FROM faces") == [(2,)]
    assert len(scanner.gallery.faces) == 2


def test_a_broken_photo_fails_with_a_sentence_and_the_others_are_recorded(scanner, folder, rows):
    """The scan continues, and the reason is recorded."""
    whole = drawing_bytes([Drawn("ann")])
    (folder / "a.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "b.jpg").write_bytes(b"")
    (folder / "c.jpg").write_text("These are no pixels.")
    save_drawing(folder / "d.jpg", [Drawn("ann")])
    summary = scanner()
    assert scanner.kinds() == {"a.jpg": "failed", "b.jpg": "failed", "c.jpg": "failed", "d.jpg": "new"}
    reasons = [reason for (reason,) in rows("SELECT reason FROM problems")]
    assert len(set(reasons)) == 3
    assert all(reason.endswith(".") for reason in reasons)
    assert summary.failed == 3
    assert rows("SELECT exit_code FROM scans") == [(3,)]


def test_a_known_photo_that_breaks_keeps_what_was_known(scanner, folder, rows):
    """A known photo whose file is damaged now keeps its rows."""
    photo = save_drawing(folder / "a.jpg", [Drawn("ann")])
    scanner()
    photo.write_bytes(b"")
    scanner()
    assert scanner.kinds() == {"a.jpg": "failed"}
    assert rows("SELECT count(*) FROM faces") == [(1,)]
    assert rows("SELECT missing_since FROM locations") == [(None,)]


def test_a_missing_photo_that_returns_is_unchanged(scanner, folder, rows):
    """A photo that a complete listing does not show is missing. When it returns, it is unchanged."""
    photo = save_drawing(folder / "a.jpg", [Drawn("ann")])
    save_drawing(folder / "b.jpg", [Drawn("bob")])
    scanner()
    data = photo.read_bytes()
    photo.unlink()
    scanner()
    assert rows("SELECT count(*) FROM locations WHERE missing_since IS NOT NULL") == [(1,)]
    photo.write_bytes(data)
    scanner()
    assert scanner.kinds() == {"a.jpg": "unchanged", "b.jpg": "unchanged"}
    assert rows("SELECT count(*) FROM locations WHERE missing_since IS NOT NULL") == [(0,)]


def test_a_limited_scan_marks_nothing_as_missing(scanner, folder, rows):
    """Only a complete listing shows missing photos."""
    for name in "abcd":
        save_drawing(folder / f"{name}.jpg", [Drawn("ann")], note=ord(name))
    scanner()
    for name in "abcd":
        (folder / f"{name}.jpg").unlink()
    for name in "efgh":
        save_drawing(folder / f"{name}.jpg", [Drawn("ann")], note=ord(name))
    summary = scanner(limit=2)
    assert summary.discovered == 2
    assert rows("SELECT count(*) FROM locations WHERE missing_since IS NOT NULL") == [(0,)]


def test_a_scan_that_the_engine_broke_goes_on_where_it_ended(scanner, folder, rows):
    """Recorded photos stay, and the same command continues."""
    for number in range(20):
        save_drawing(folder / f"{number:02}.jpg", [Drawn("ann")], note=number + 1)

    answered = []

    def fail_later(*about: object) -> None:
        answered.append(about)
        if len(answered) > 7:
            raise EngineError("The engine fell over.")

    scanner.engine = FakeEngine(scanner.gallery, before=fail_later)
    with pytest.raises(EngineError):
        scanner(workers=1)
    assert rows("SELECT state FROM scans") == [("failed",)]
    scanner.engine = FakeEngine(scanner.gallery)
    summary = scanner()
    assert rows("SELECT count(*) FROM photos") == [(20,)]
    assert rows("SELECT count(*) FROM faces") == [(20,)]
    assert summary.discovered == 20


def test_names_of_any_bytes_are_scanned_like_others(scanner, folder):
    """Japanese, a newline and bytes that are no UTF-8 are names."""
    for number, name in enumerate(["写真.jpg".encode(), b"two\nlines.jpg", b"\xff\xfe.jpg"]):
        (folder / os.fsdecode(name)).write_bytes(drawing_bytes([Drawn("ann")], note=number + 1))
    scanner()
    assert list(scanner.kinds().values()) == ["new"] * 3


def test_a_symlink_loop_is_not_followed(scanner, folder):
    """A folder that links back to itself is listed once."""
    save_drawing(folder / "a.jpg", [Drawn("ann")])
    (folder / "loop").symlink_to(folder)
    assert scanner().discovered == 1


def test_a_lost_photo_is_missed_while_a_returned_one_cannot_be_read(scanner, folder, rows):
    """The number of seen locations equals that of present ones, and one is missing."""
    a = save_drawing(folder / "a.png", [Drawn("ann")])
    b = save_drawing(folder / "b.png", [Drawn("bob")], note=1)
    save_drawing(folder / "c.png", [Drawn("cleo")], note=2)
    scanner()
    a.unlink()
    scanner()
    a.write_bytes(b"damaged")  # it is back, and broken
    b.unlink()
    scanner()
    assert scanner.kinds() == {"a.png": "failed", "c.png": "unchanged"}
    assert rows(
        "SELECT count(*) FROM locations WHERE missing_since IS NOT NULL AND substr(uri, length(uri) - 4) = 'b.png'"
    ) == [(1,)]


@pytest.mark.parametrize("seconds", [12_000_000_000, -12_000_000_000])
def test_a_file_dated_far_away_does_not_end_the_scan(scanner, folder, seconds):
    """Its time in nanoseconds does not fit into 64 bits; it is catalogued, and known again."""
    photo = save_drawing(folder / "a.png", [Drawn("ann")])
    os.utime(photo, (0, seconds))  # about the years 2350 and 1590
    if abs(photo.stat().st_mtime - seconds) > 1:
        pytest.skip("this file system keeps no such date")
    save_drawing(folder / "b.png", [Drawn("bob")])
    assert scanner().outcomes["new"] == 2
    assert scanner().outcomes["unchanged"] == 2

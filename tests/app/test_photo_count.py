"""The count of photos in the background of a scan."""

from __future__ import annotations

import catalog
from catalog.app.photo_count import PhotoCount
from catalog.sources.folder import FolderSource


def test_photos_are_counted_by_name(tmp_path):
    """Other files are not counted. The total is None before the end."""
    for name in ("a.jpg", "b.HEIC", "notes.txt", "film.mov"):
        (tmp_path / name).write_bytes(b"content")
    count = PhotoCount([FolderSource(str(tmp_path))])
    assert count.total is None
    count.start()
    count.wait()
    assert count.total == 2


def test_a_missing_folder_has_no_total(tmp_path):
    """The scan reports the error."""
    (tmp_path / "photos").mkdir()
    source = FolderSource(str(tmp_path / "photos"))
    (tmp_path / "photos").rmdir()
    count = PhotoCount([source])
    count.start()
    count.wait()
    assert count.total is None


def test_a_count_that_never_started_can_be_stopped(tmp_path):
    """A short scan ends before the count begins."""
    PhotoCount([FolderSource(str(tmp_path))]).stop()


def test_a_run_knows_the_expected_photos(tmp_path):
    """None until the photos are counted."""
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "notes.txt").write_bytes(b"none")
    with catalog.open(tmp_path / "catalog.sqlite3", create=True) as opened:
        run = opened.scan([tmp_path / "photos"])
        assert run.expected is None
        run.count_photos()
        assert list(run) == []
        run.close()
        assert run.expected in (None, 0)

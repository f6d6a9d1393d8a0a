"""The photos of a folder, or a single file, are opened."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from catalog.domain.errors import PhotoError, SourceError
from catalog.domain.photos import PhotoRef
from catalog.domain.uri import file_uri
from catalog.sources.folder import FolderSource
from tests.sources.folders import without_root, write


def test_the_first_bytes_of_a_file_are_read_alone(tmp_path: Path) -> None:
    """They decide whether a file of unknown ending is a photo."""
    write(tmp_path / "a", b"0123456789")
    source = FolderSource(tmp_path)
    (ref,) = source.list()
    assert isinstance(ref, PhotoRef)
    assert source.head(ref, 4) == b"0123"
    (tmp_path / "a").unlink()
    with pytest.raises(PhotoError):
        source.head(ref, 4)


def test_a_single_file_is_a_source_whatever_its_name(tmp_path: Path) -> None:
    """A file that the user names is listed, and its content decides."""
    path = write(tmp_path / "portrait.old", b"x")
    write(tmp_path / "other.jpg")
    source = FolderSource(path)
    assert [entry.uri for entry in source.list()] == [source.uri] == [file_uri(os.fsencode(path))]


def test_a_missing_folder_is_an_error_of_the_source(tmp_path: Path) -> None:
    """An absent folder is not an empty one."""
    with pytest.raises(SourceError, match="does not exist") as caught:
        FolderSource(tmp_path / "absent")
    assert caught.value.exit_code == 4
    assert "mounted" in caught.value.remedy


def test_a_pipe_is_no_source(tmp_path: Path) -> None:
    """Reading a pipe would wait for ever."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SourceError, match="neither a folder nor a regular file"):
        FolderSource(tmp_path / "pipe")


def test_an_unreadable_file_fails_alone(public_path: Path) -> None:
    """It is listed, and opening it gives one sentence with its name."""
    write(public_path / "a.jpg").chmod(0)
    source = FolderSource(public_path)
    with without_root():
        (ref,) = source.list()
        assert isinstance(ref, PhotoRef)
        with pytest.raises(PhotoError, match=r'a\.jpg" cannot be read: permission denied\.$'):
            source.open(ref)


def test_a_photo_whose_state_cannot_be_asked_is_listed_and_fails_on_opening(public_path: Path) -> None:
    """In a folder that may be listed and not entered, photos are listed and fail."""
    write(public_path / "locked/a.jpg")
    (public_path / "locked").chmod(0o644)
    source = FolderSource(public_path)
    with without_root():
        (ref,) = source.list()
        assert isinstance(ref, PhotoRef)
        with pytest.raises(PhotoError, match="permission denied"):
            source.open(ref)


def test_a_file_that_vanished_after_listing_fails_alone(tmp_path: Path) -> None:
    """Photos are moved while a scan runs."""
    path = write(tmp_path / "a.jpg")
    source = FolderSource(tmp_path)
    (ref,) = source.list()
    assert isinstance(ref, PhotoRef)
    path.unlink()
    with pytest.raises(PhotoError, match="disappeared"):
        source.open(ref)


def test_a_pipe_put_in_a_photos_place_does_not_hold_up_the_scan(tmp_path: Path) -> None:
    """Opening never waits for a writer."""
    path = write(tmp_path / "a.jpg")
    source = FolderSource(tmp_path)
    (ref,) = source.list()
    assert isinstance(ref, PhotoRef)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(PhotoError, match="no longer a regular file"):
        source.open(ref)


def test_a_file_above_the_limit_is_refused_unread(tmp_path: Path) -> None:
    """A disk image named .jpg does not fill the memory."""
    path = write(tmp_path / "a.jpg")
    os.truncate(path, 1 << 40)
    source = FolderSource(tmp_path, max_bytes=1_000_000)
    (ref,) = source.list()
    assert isinstance(ref, PhotoRef)
    with pytest.raises(PhotoError, match="larger than the limit: 1,099,511,627,776 bytes of 1,000,000"):
        source.open(ref)


def test_an_empty_file_is_read_as_empty(tmp_path: Path) -> None:
    """The decoder reports that it is no photo."""
    write(tmp_path / "a.jpg", b"")
    source = FolderSource(tmp_path)
    (ref,) = source.list()
    assert isinstance(ref, PhotoRef)
    assert source.open(ref).data == b""


def test_nothing_is_written_to_the_source(tmp_path: Path) -> None:
    """A scan does not change a library."""
    path = write(tmp_path / "sub/a.jpg")
    path.chmod(0o444)
    before = sorted((p, stat.S_IMODE(p.stat().st_mode), p.stat().st_mtime_ns) for p in tmp_path.rglob("*"))
    source = FolderSource(tmp_path)
    for ref in source.list():
        assert isinstance(ref, PhotoRef)
        source.open(ref)
    assert sorted((p, stat.S_IMODE(p.stat().st_mode), p.stat().st_mtime_ns) for p in tmp_path.rglob("*")) == before

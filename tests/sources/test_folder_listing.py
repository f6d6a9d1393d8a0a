"""A folder lists every photo below it once, in a stable order."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from catalog.domain.errors import SourceError
from catalog.domain.photos import PhotoRef
from catalog.domain.source import LeftOut, OtherFile, Skipped
from catalog.domain.uri import file_path, file_uri
from catalog.sources.folder import FolderSource
from tests.sources.folders import photos, skipped, without_root, write


def test_files_that_may_be_photos_are_listed_at_any_depth(tmp_path: Path) -> None:
    """Endings of photos in any case, unknown endings, and no ending. Known other endings are counted only."""
    for name in ("a.jpg", "b/c/d/e.HEIC", "b/f.Png", "z.cr2", "notes.txt", "noending", "x.jpg.1", "b/clip.MOV"):
        write(tmp_path / name)
    source = FolderSource(tmp_path)
    assert photos(source) == [b"a.jpg", b"b/c/d/e.HEIC", b"b/f.Png", b"noending", b"x.jpg.1", b"z.cr2"]
    assert skipped(source) == []
    other_files = [entry.uri.removeprefix(source.uri) for entry in source.list() if isinstance(entry, OtherFile)]
    assert other_files == ["b/clip.MOV", "notes.txt"]


def test_hidden_files_and_folders_are_listed_like_any_other(tmp_path: Path) -> None:
    """A dot before a name makes no difference."""
    write(tmp_path / ".hidden.jpg")
    write(tmp_path / ".private/a.jpg")
    assert photos(FolderSource(tmp_path)) == [b".hidden.jpg", b".private/a.jpg"]


def test_side_files_of_macos_are_left_out_with_a_rule(tmp_path: Path) -> None:
    """Copies from a Mac to other file systems leave a '._' file beside each photo."""
    write(tmp_path / "._a.jpg")
    write(tmp_path / "a.jpg")
    source = FolderSource(tmp_path)
    assert photos(source) == [b"a.jpg"]
    assert [entry.rule for entry in source.list() if isinstance(entry, LeftOut)] == ["system file (macOS)"]


def test_the_listing_ascends_by_uri(tmp_path: Path) -> None:
    """The order depends on names only, so that a plan can be merged with what the database holds."""
    for name in ("a/x.jpg", "a.jpg", "a!.jpg", "A.jpg", "a b.jpg", "a-b/y.jpg", "é.jpg", "a/b/z.jpg", "0.jpg"):
        write(tmp_path / name)
    uris = [entry.uri for entry in FolderSource(tmp_path).list()]
    assert len(uris) == 9
    assert uris == sorted(uris)


def test_every_uri_begins_with_the_sources_own(tmp_path: Path) -> None:
    """A prefix decides which photos belong to a source; a folder of a similar name does not."""
    write(tmp_path / "photos/a/b.jpg")
    write(tmp_path / "photos 2/c.jpg")
    source = FolderSource(tmp_path / "photos")
    assert source.uri.endswith("/photos/")
    assert [entry.uri for entry in source.list()] == [source.uri + "a/b.jpg"]


@pytest.mark.parametrize(
    "name", ["名前.jpg".encode(), b"two\nlines.jpg", b"latin-\xe9-1.jpg", b"100%.jpg", b"\x1b[31m.jpg"]
)
def test_names_of_any_bytes_are_listed_and_opened(tmp_path: Path, name: bytes) -> None:
    """Japanese, a newline, bytes that are not UTF-8: all are names."""
    folder = os.fsencode(tmp_path)
    Path(os.fsdecode(folder + b"/" + name)).write_bytes(b"content")
    source = FolderSource(tmp_path)
    (ref,) = source.list()
    assert isinstance(ref, PhotoRef)
    assert file_path(ref.uri) == folder + b"/" + name
    assert source.open(ref).data == b"content"


def test_a_photo_is_listed_with_its_size_time_and_identity(tmp_path: Path) -> None:
    """They show that a photo is unchanged, without reading it."""
    path = write(tmp_path / "a.jpg", b"12345")
    status = path.stat()
    (ref,) = FolderSource(tmp_path).list()
    assert ref == PhotoRef(file_uri(os.fsencode(path)), 5, status.st_mtime_ns, str(status.st_ino))


# ------------------------------------------------------------------------------------------------------ links


def test_a_link_to_a_file_is_a_photo_of_its_own_name(tmp_path: Path) -> None:
    """A link has its own location and the content of its target."""
    write(tmp_path / "elsewhere/a.jpg", b"far")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/link.jpg").symlink_to("../elsewhere/a.jpg")
    source = FolderSource(tmp_path / "photos")
    (ref,) = source.list()
    assert isinstance(ref, PhotoRef)
    assert ref.size == 3
    assert source.open(ref).data == b"far"


def test_a_link_to_a_folder_is_followed(tmp_path: Path) -> None:
    """Libraries on several disks are often joined by links."""
    write(tmp_path / "disk/a.jpg")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/2019").symlink_to("../disk")
    assert photos(FolderSource(tmp_path / "photos")) == [b"2019/a.jpg"]


@pytest.mark.parametrize("target", [".", "..", "../..", "/"])
def test_a_loop_of_links_is_not_followed(tmp_path: Path, target: str) -> None:
    """A link to a folder on the path, or above the source, adds nothing."""
    write(tmp_path / "photos/sub/a.jpg")
    (tmp_path / "photos/sub/loop").symlink_to(target)
    source = FolderSource(tmp_path / "photos")
    assert [entry.uri for entry in source.list()] == [source.uri + "sub/a.jpg"]


def test_a_chain_of_doubled_links_is_listed_once(tmp_path: Path) -> None:
    """Thirty folders with two links each to the next have a billion paths to one photo."""
    for rung in range(30):
        (tmp_path / f"rungs/{rung}").mkdir(parents=True)
        (tmp_path / f"rungs/{rung}/left").symlink_to(f"../{rung + 1}")
        (tmp_path / f"rungs/{rung}/right").symlink_to(f"../{rung + 1}")
    write(tmp_path / "rungs/30/a.jpg")
    listed = photos(FolderSource(tmp_path / "rungs/0"))
    assert listed == [b"left/" * 30 + b"a.jpg"]


def test_a_link_that_leads_nowhere_is_skipped_with_a_reason(tmp_path: Path) -> None:
    """A dangling link and a link to itself are skipped with a reason."""
    (tmp_path / "gone.jpg").symlink_to("nothing.jpg")
    (tmp_path / "self.jpg").symlink_to("self.jpg")
    assert ["leads nowhere" in entry.reason for entry in skipped(FolderSource(tmp_path))] == [True, True]


def test_a_pipe_named_like_a_photo_is_skipped(tmp_path: Path) -> None:
    """Only regular files are opened."""
    os.mkfifo(tmp_path / "pipe.jpg")
    (entry,) = FolderSource(tmp_path).list()
    assert isinstance(entry, Skipped)
    assert "not a regular file" in entry.reason


def test_a_folder_named_like_a_photo_is_a_folder(tmp_path: Path) -> None:
    """Photo bundles have such names."""
    write(tmp_path / "album.jpg/a.jpg")
    assert photos(FolderSource(tmp_path)) == [b"album.jpg/a.jpg"]


def test_a_folder_without_rights_is_skipped_and_the_rest_listed(public_path: Path) -> None:
    """The other folders are listed; its uri ends in a slash."""
    write(public_path / "a/secret.jpg")
    write(public_path / "b.jpg")
    (public_path / "a").chmod(0)
    source = FolderSource(public_path)
    with without_root():
        entries = list(source.list())
    assert [(type(entry), entry.uri.removeprefix(source.uri)) for entry in entries] == [
        (Skipped, "a/"),
        (PhotoRef, "b.jpg"),
    ]
    assert any("permission denied" in entry.reason for entry in entries if isinstance(entry, Skipped))


def test_a_source_that_goes_away_midway_is_an_error_and_not_a_short_listing(tmp_path: Path) -> None:
    """Otherwise every photo on an unmounted disk would be marked as missing."""
    for name in ("a/1.jpg", "b/2.jpg", "c/3.jpg"):
        write(tmp_path / "photos" / name)
    source = FolderSource(tmp_path / "photos")
    listing = source.list()
    ref = next(listing)
    assert isinstance(ref, PhotoRef)
    (tmp_path / "photos").rename(tmp_path / "elsewhere")
    with pytest.raises(SourceError, match="does not exist"):
        list(listing)
    with pytest.raises(SourceError, match="does not exist"):
        source.open(ref)
    (tmp_path / "photos").mkdir()
    with pytest.raises(SourceError, match="unmounted or replaced"):
        source.open(ref)


def test_a_folder_taken_away_during_the_listing_is_no_error(tmp_path: Path) -> None:
    """The remaining folders are listed."""
    for name in ("a/1.jpg", "b/2.jpg", "c/3.jpg"):
        write(tmp_path / name)
    source = FolderSource(tmp_path)
    listing = source.list()
    next(listing)
    shutil.rmtree(tmp_path / "b")
    assert [entry.uri for entry in listing] == [source.uri + "c/3.jpg"]


def test_files_of_a_large_folder_come_in_order_with_what_is_left_out(tmp_path: Path) -> None:
    """A folder is read in parts. Names that need no rule are not looked at one by one, and others are."""
    for number in range(600):
        write(tmp_path / f"IMG_{number:04}.jpg")
    write(tmp_path / "IMG_0100.MOV")
    write(tmp_path / "IMG_0300" / "inner.png")
    write(tmp_path / "._IMG_0500.jpg")
    write(tmp_path / ".nomedia")
    listed = list(FolderSource(tmp_path).list())
    names = [entry.uri.rpartition("/")[2] for entry in listed]
    assert [entry.uri for entry in listed] == sorted(entry.uri for entry in listed)
    assert (names[0], type(listed[0])) == ("._IMG_0500.jpg", LeftOut)
    assert [type(entry) for entry in listed].count(PhotoRef) == 601
    assert [entry.uri.rpartition("/")[2] for entry in listed if isinstance(entry, OtherFile)] == ["IMG_0100.MOV"]
    assert ".nomedia" not in names

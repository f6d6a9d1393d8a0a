"""Albums, and import of names from CSV files."""

from __future__ import annotations

import subprocess
import sys

import pytest

from catalog.domain.errors import UsageError
from catalog.domain.uri import file_uri
from catalog.exchange.albums import place_photos
from catalog.exchange.names_csv import NameRow, read_names


@pytest.fixture
def uris(tmp_path):
    """Two photos with the same file name in two folders."""
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "photo.jpg").write_text(folder)
    return [file_uri(bytes(tmp_path / folder / "photo.jpg")) for folder in ("a", "b")]


@pytest.mark.parametrize("link", [False, True])
def test_photos_with_the_same_file_name_are_placed_once_and_numbered(uris, tmp_path, link):
    """Repeating the command places nothing."""
    album = tmp_path / "album"
    assert place_photos(uris, album, link=link).placed == 2
    assert sorted(path.name for path in album.iterdir()) == ["photo-2.jpg", "photo.jpg"]
    assert {path.read_text() for path in album.iterdir()} == {"a", "b"}
    assert all(path.is_symlink() == link for path in album.iterdir())
    again = place_photos(uris, album, link=link)
    assert (again.placed, again.already, again.problems) == (0, 2, ())


def test_a_photo_that_cannot_be_placed_is_reported_and_the_others_are_placed(uris, tmp_path):
    """A missing file, and a photo in S3, which cannot be linked."""
    result = place_photos(["file:///nowhere.jpg", "s3://bucket/x.jpg", *uris], tmp_path / "album", link=True)
    assert result.placed == 2
    assert len(result.problems) == 2
    copied = place_photos(["s3://bucket/x.jpg"], tmp_path / "copies", link=False, read=lambda uri: uri.encode())
    assert copied.placed == 1
    assert (tmp_path / "copies" / "x.jpg").read_text() == "s3://bucket/x.jpg"


COPY = """
import resource, sys
from pathlib import Path
from catalog.exchange.albums import place_photos

resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
print(len(place_photos([sys.argv[1]], Path(sys.argv[2]), link=False).problems))
"""


def test_a_copy_that_is_cut_short_never_gets_the_name_of_the_photo(tmp_path):
    """The file system refuses the end of the file. The next run copies the whole photo."""
    (tmp_path / "photo.jpg").write_bytes(b"x" * 50_000)
    uri, album = file_uri(bytes(tmp_path / "photo.jpg")), tmp_path / "album"
    done = subprocess.run([sys.executable, "-c", COPY, uri, album], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1"
    assert list(album.iterdir()) == []
    assert place_photos([uri], album, link=False).placed == 1
    assert (album / "photo.jpg").stat().st_size == 50_000


def test_the_partial_file_of_a_killed_process_is_deleted(uris, tmp_path):
    """No process has the number in the file's name."""
    album = tmp_path / "album"
    album.mkdir()
    (album / ".catalog-partial-4194999-x").write_bytes(b"cut")
    place_photos(uris, album, link=False)
    assert sorted(path.name for path in album.iterdir()) == ["photo-2.jpg", "photo.jpg"]


def test_names_are_read_by_person_and_by_face(tmp_path):
    """Rows without a name are skipped. Runs of spaces become one space."""
    path = tmp_path / "names.csv"
    path.write_text("\ufeffname,person_id,face_id,photos\n  Ada   Lovelace,p1,,3\n,p2,,1\n花子,,f9,\n", "utf-8")
    assert read_names(path) == [NameRow(2, "Ada Lovelace", person_id="p1"), NameRow(4, "花子", face_id="f9")]


@pytest.mark.parametrize("text", ["a,b\n1,2\n", "name,person_id\nAda,\n", "name\nAda\n"])
def test_a_csv_without_the_needed_columns_or_ids_is_refused(tmp_path, text):
    """The error names the file."""
    (tmp_path / "names.csv").write_text(text)
    with pytest.raises(UsageError, match=r"names\.csv"):
        read_names(tmp_path / "names.csv")


def test_a_csv_that_is_not_utf8_is_refused(tmp_path):
    """Other encodings are not guessed."""
    (tmp_path / "names.csv").write_bytes(b"name,person_id\nZo\xeb,p1\n")
    with pytest.raises(UsageError, match="UTF-8"):
        read_names(tmp_path / "names.csv")

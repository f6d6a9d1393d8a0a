"""A file has one uri, whatever bytes its name is made of, and a form that is safe to show."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.domain.uri import absolute_path, display, display_name, file_path, file_uri, quote_name, quote_names

NAMES = st.binary(min_size=1).filter(lambda raw: b"\0" not in raw)


@given(NAMES)
def test_every_path_survives_the_way_to_a_uri_and_back(name: bytes) -> None:
    """Names are bytes, not text, and none is lost."""
    assert file_path(file_uri(b"/" + name)) == b"/" + name


@given(NAMES)
def test_a_uri_is_printable_ascii_without_spaces(name: bytes) -> None:
    """A uri may stand in a log, a URL or a CSV as it is."""
    uri = file_uri(b"/" + name)
    assert uri.isascii()
    assert uri.isprintable()
    assert " " not in uri


@given(st.binary())
def test_a_displayed_name_is_one_printable_line(name: bytes) -> None:
    """No name can clear the screen, move the cursor or begin a new line."""
    shown = display_name(name)
    assert len(shown.splitlines()) <= 1
    assert not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in shown)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("東京 2019.jpg".encode(), "東京 2019.jpg"),
        (b"two\nlines.jpg", r"two\nlines.jpg"),
        (b"\x1b[2Jgone.jpg", r"\x1b[2Jgone.jpg"),
        (b"\xff\xfe.jpg", r"\xff\xfe.jpg"),
        ("gpj\u202e.exe".encode(), r"gpj\u202e.exe"),
        ("👩\u200d👧.jpg".encode(), "👩\u200d👧.jpg"),
    ],
)
def test_display_escapes_only_what_does_harm(name: bytes, shown: str) -> None:
    """Japanese and emoji are shown as they are; escapes, line ends and reordering marks are spelled out."""
    assert display(file_uri(b"/photos/" + name)) == f"/photos/{shown}"


def test_display_keeps_the_bucket_of_an_s3_address() -> None:
    """An S3 photo is shown with its scheme and bucket."""
    assert display("s3://family/2019/a%20b.jpg") == "s3://family/2019/a b.jpg"


def test_a_relative_path_cannot_have_a_uri() -> None:
    """Two working directories must not give one uri two meanings."""
    with pytest.raises(ValueError, match="absolute"):
        file_uri(b"photos/a.jpg")


def test_only_a_files_uri_has_a_path() -> None:
    """An S3 address is never taken for a file."""
    with pytest.raises(ValueError, match="not the uri of a file"):
        file_path("s3://family/a.jpg")


def test_absolute_path_drops_dots_and_doubled_slashes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However a folder is written, it is the same folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a").mkdir()
    root = os.fsencode(tmp_path)
    spellings: list[str] = ["a", "./a", "a/", ".//a/.", "a/../a", f"/{tmp_path}/a"]
    assert {absolute_path(spelling) for spelling in spellings} == {root + b"/a"}


def test_absolute_path_keeps_the_name_of_a_link(tmp_path: Path) -> None:
    """A folder known by its link's name stays known by it, though its disk may move."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "photos").symlink_to("disk")
    assert absolute_path(tmp_path / "photos") == os.fsencode(tmp_path) + b"/photos"


def test_the_parent_of_a_link_is_the_parent_of_where_it_leads(tmp_path: Path) -> None:
    """``link/..`` means what it means to the system, not what it looks like."""
    (tmp_path / "far" / "disk").mkdir(parents=True)
    (tmp_path / "photos").symlink_to("far/disk")
    assert absolute_path(f"{tmp_path}/photos/..") == os.fsencode(tmp_path.resolve()) + b"/far"


@pytest.mark.parametrize(
    "names",
    [
        [],
        [b"a.jpg"],
        [b"a.jpg", b"b c.jpg", b"2004/"],
        [b"a", b"b/"],
        [b"%41", b"\n", b"\xff\xfe", "\u00e4".encode()],
        [b"a/", b"#"],
    ],
)
def test_many_names_are_quoted_as_one_by_one(names: list[bytes]) -> None:
    assert quote_names(names) == [quote_name(name) for name in names]

"""Exclusion rules: built-in names and markers, patterns of the user, and ignore files."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalog.domain.photos import PhotoRef
from catalog.domain.source import LeftOut
from catalog.domain.uri import file_path
from catalog.sources.builtin_exclusions import file_rule
from catalog.sources.exclusions import Exclusions
from catalog.sources.folder import FolderSource
from tests.apple_library import UUIDS, edit, make_database, original

SIGNATURE = b"Signature: 8a477f597d28d172789f06886806bc55\n# a cache\n"


def fill(folder: Path, *names: str, **contents: bytes) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(contents.get(name, b"photo"))


def listed(folder: Path, *patterns: str, use_defaults: bool = True) -> list[str]:
    """Paths of the listed photos, below the folder."""
    source = FolderSource(folder, exclusions=Exclusions(patterns, use_defaults=use_defaults))
    refs = [entry for entry in source.list() if isinstance(entry, PhotoRef)]
    return [file_path(ref.uri).removeprefix(source.path).decode() for ref in refs]


def rules(folder: Path, *patterns: str) -> dict[str, str]:
    """The rule of each left out entry by its path below the folder."""
    source = FolderSource(folder, exclusions=Exclusions(patterns))
    left_out = [entry for entry in source.list() if isinstance(entry, LeftOut)]
    return {file_path(entry.uri).removeprefix(source.path).decode(): entry.rule for entry in left_out}


@pytest.mark.parametrize(
    "path",
    [
        "@eaDir/a.jpg/SYNOPHOTO_THUMB_XL.jpg",
        "@EADIR/b.jpg",
        "#recycle/a.jpg",
        ".@__thumb/a.jpg",
        ".@upload_cache/a.jpg",
        "@Recycle/a.jpg",
        ".zfs/snapshot/a.jpg",
        "$RECYCLE.BIN/a.jpg",
        "System Volume Information/a.jpg",
        ".Trash-1000/files/a.jpg",
        ".thumbnails/large/a.png",
        ".stversions/a.jpg",
        "._a.jpg",
        ".trashed-1690000000-a.jpg",
        "My Catalog Previews.lrdata/a.jpg",
        "CaptureOne/Cache/a.jpg",
        "appdata_oc1/preview/1/a.jpg",
        "Android/data/org.app/a.jpg",
        "iPod Photo Cache/a.jpg",
        "SYNOFILE_THUMB_M.jpg",
    ],
)
def test_junk_of_products_is_left_out(tmp_path: Path, path: str) -> None:
    """Names are compared without case. Without the defaults everything is listed."""
    fill(tmp_path, path, "kept.jpg")
    assert listed(tmp_path) == ["kept.jpg"]
    assert len(rules(tmp_path)) == 1
    assert len(listed(tmp_path, use_defaults=False)) == 2


@pytest.mark.parametrize(
    "path",
    [
        "thumbnails/wedding.jpg",
        "previews/a.jpg",
        ".hidden/a.jpg",
        "X_1_201_a.jpeg",
        "data/a.jpg",
        "cache/a.jpg",
        ".picasaoriginals/a.jpg",
        "Lightroom Catalog/a.jpg",
    ],
)
def test_plain_words_and_hidden_folders_stay(tmp_path: Path, path: str) -> None:
    """They may be a person's own."""
    fill(tmp_path, path)
    assert listed(tmp_path) == [path]


def test_a_marker_leaves_out_its_folder_except_the_root(tmp_path: Path) -> None:
    """A root that was copied from a phone would otherwise be left out as a whole."""
    fill(tmp_path, ".nomedia", "a.jpg", "x/.nomedia", "x/b.jpg", "x/deeper/c.jpg", "y/.ppstorage", "y/d.jpg")
    assert listed(tmp_path) == ["a.jpg"]
    assert rules(tmp_path) == {"x/": "folder with .nomedia", "y/": "folder with .ppstorage"}
    assert listed(tmp_path, "!x/") == ["a.jpg", "x/b.jpg", "x/deeper/c.jpg"]


def test_a_declared_cache_is_left_out_by_its_signature(tmp_path: Path) -> None:
    """A file of that name without the signature is no mark."""
    fill(tmp_path, "one/a.jpg", "two/a.jpg")
    (tmp_path / "one" / "CACHEDIR.TAG").write_bytes(SIGNATURE)
    (tmp_path / "two" / "CACHEDIR.TAG").write_bytes(b"Not that one")
    assert listed(tmp_path) == ["two/a.jpg"]


def test_of_a_photo_library_originals_and_edits_are_listed(tmp_path: Path) -> None:
    """Derivatives show the same photo again. The library may be a folder of the source, or the source."""
    library = "Lib.photoslibrary"
    fill(
        tmp_path,
        f"{library}/originals/A/1.jpg",
        f"{library}/resources/derivatives/A/1_1_105_c.jpeg",
        f"{library}/resources/renders/A/1_1_201_a.jpeg",
        f"{library}/scopes/cloudsharing/data/2.jpg",
        f"{library}/scopes/cloudsharing/resources/derivatives/2.jpg",
        f"{library}/private/3.jpg",
        f"{library}/resources/renders/A/1_1_105_c.jpeg",
        f"{library}/resources/renders/A/1_p.jpeg",
    )
    wanted = ["originals/A/1.jpg", "resources/renders/A/1_1_201_a.jpeg", "scopes/cloudsharing/data/2.jpg"]
    assert listed(tmp_path) == [f"{library}/{name}" for name in wanted]
    assert listed(tmp_path / library) == wanted


def test_hidden_and_trashed_photos_of_apple_are_left_out(tmp_path: Path) -> None:
    """By the database of the library, originals and edits; a pattern takes one back."""
    library = tmp_path / "Lib.photoslibrary"
    shown, hidden, trashed, *_ = UUIDS
    for uuid in (shown, hidden, trashed):
        for file in (original(library, uuid), edit(library, uuid)):
            fill(tmp_path, str(file.relative_to(tmp_path)))
    make_database(library, [], {}, hidden=frozenset({hidden}), trashed=frozenset({trashed}))
    names = [str(file(library, shown).relative_to(tmp_path)) for file in (original, edit)]
    assert listed(tmp_path) == names
    assert listed(library) == [name.partition("/")[2] for name in names]
    back = str(original(library, hidden).relative_to(tmp_path))
    assert listed(tmp_path, f"!{hidden}.jpeg") == sorted([*names, back])
    assert {"hidden in Apple Photos", "in the trash of Apple Photos"} <= set(rules(tmp_path).values())


def test_a_library_whose_database_is_damaged_is_listed_with_a_warning(tmp_path: Path, caplog) -> None:
    library = tmp_path / "Lib.photoslibrary"
    fill(tmp_path, str(original(library, UUIDS[0]).relative_to(tmp_path)))
    make_database(library, [], {}).write_bytes(b"SQLite format 3\0" + b"x" * 5000)
    assert len(listed(tmp_path)) == 1
    assert "Hidden photos" in caplog.text


def test_folders_of_immich_are_left_out_beside_its_uploads_only(tmp_path: Path) -> None:
    fill(tmp_path, *(f"immich/{name}/a.jpg" for name in ("upload", "thumbs", "encoded-video", "profile")))
    fill(tmp_path, "own/thumbs/a.jpg", "own/profile/b.jpg")
    assert listed(tmp_path) == ["immich/upload/a.jpg", "own/profile/b.jpg", "own/thumbs/a.jpg"]


def test_ppignore_has_rules_of_its_own(tmp_path: Path) -> None:
    """A comment needs a blank after ``#``; there is no ``!``; case is ignored."""
    fill(tmp_path, "#stash/a.jpg", "b/PRIVATE.jpg", "b/c.jpg", "b/sub/d.jpg", "e/d.jpg", "note.jpg")
    (tmp_path / ".ppignore").write_text("# note.jpg\n#stash\nprivate.*\n/b/sub/\n!c.jpg\n")
    assert listed(tmp_path) == ["b/c.jpg", "e/d.jpg", "note.jpg"]
    (tmp_path / "e" / ".ppignore").write_text("*\n")
    assert listed(tmp_path) == ["b/c.jpg", "note.jpg"]


def test_catalogignore_has_the_rules_of_git(tmp_path: Path) -> None:
    """``#`` begins a comment, the last match wins, and a slash binds to the file's folder."""
    fill(tmp_path, "#stash/a.jpg", "private/b.jpg", "x/private/c.jpg", "d.png", "keep.png")
    (tmp_path / ".catalogignore").write_text("#stash\n/private/\n*.png\n!keep.png\n")
    assert listed(tmp_path) == ["#stash/a.jpg", "keep.png", "x/private/c.jpg"]
    (tmp_path / "x" / ".catalogignore").write_text("private/\n")
    assert listed(tmp_path) == ["#stash/a.jpg", "keep.png"]
    (tmp_path / ".catalogignore").write_text("\\#stash/\n")
    assert "#stash/" in rules(tmp_path)


def test_patterns_of_the_user_are_relative_to_the_source(tmp_path: Path) -> None:
    """The source itself is never left out, whatever the patterns say."""
    fill(tmp_path, "private/a.jpg", "b/private/c.jpg", "d.jpg")
    assert listed(tmp_path, "/private/") == ["b/private/c.jpg", "d.jpg"]
    assert listed(tmp_path / "private", "/private/") == ["a.jpg"]
    assert listed(tmp_path, "*", "!d.jpg") == ["d.jpg"]
    assert rules(tmp_path, "private/") == {"private/": "pattern: private/", "b/private/": "pattern: private/"}


def test_a_later_rule_takes_back_a_folder_by_its_name(tmp_path: Path) -> None:
    """Order: built-in names, patterns, ignore files from the root downwards."""
    fill(tmp_path, "@eaDir/a.jpg", "b/@eaDir/c.jpg")
    assert listed(tmp_path, "!@eaDir/") == ["@eaDir/a.jpg", "b/@eaDir/c.jpg"]
    assert listed(tmp_path, "!@eaDir/*") == []  # the folder itself is left out and not entered
    (tmp_path / "b" / ".catalogignore").write_text("@eaDir/\n")
    assert listed(tmp_path, "!@eaDir/") == ["@eaDir/a.jpg"]


def test_a_name_that_is_not_utf_8_is_matched(tmp_path: Path) -> None:
    """File names are bytes."""
    (tmp_path / "a\udcff.jpg").write_bytes(b"photo")
    assert listed(tmp_path, "a?.jpg") == []


def test_an_ignore_file_of_any_content_ends_no_scan(tmp_path: Path) -> None:
    """Lines that cannot be used are ignored, and a folder of that name is none."""
    fill(tmp_path, "a.jpg", "b/c.jpg", "[z-a]/d.jpg")
    (tmp_path / ".catalogignore").write_bytes(b"\xff\xfe\n!\n[\n" + b"*" * 5000 + b"\nb/\n")
    (tmp_path / ".ppignore").write_bytes(b"[z-a]\n\x00\n")
    (tmp_path / "e" / ".catalogignore").mkdir(parents=True)
    assert listed(tmp_path) == ["a.jpg"]


def test_a_pattern_that_git_does_not_allow_is_refused() -> None:
    with pytest.raises(ValueError, match="!"):
        Exclusions(["!"])


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        (b"Thumbs.db", "system file (Windows)"),
        (b"desktop.INI", "system file (Windows)"),
        (b"SYNOPHOTO_THUMB_M.jpg", "system file (Synology)"),
        (b"._IMG_1.jpg", "system file (macOS)"),
        (b".DS_Store", "system file (macOS)"),
        (b"IMG_1.jpg.iCloud", "system file (macOS)"),
        (b".Trashed-12-a.jpg", "system file (Android)"),
        (b".pending-12-a.jpg", "system file (Android)"),
        *((name, None) for name in (b"", b"D", b"DSC_0001.jpg", b"thumbs.jpg", b".hidden.jpg", b"card", b"IMG_1.jpg")),
    ],
)
def test_files_of_systems_are_known_by_name_in_any_case(name: bytes, rule: str | None) -> None:
    assert file_rule(name) == rule

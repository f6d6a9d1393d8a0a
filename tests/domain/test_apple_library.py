"""The database of Apple Photos: its versions, its geometry, and files that were made to harm."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from catalog.domain import apple_library
from catalog.domain.apple_library import HIDDEN, TRASHED, AppleFace, apple_asset, read_apple_library
from catalog.domain.errors import PhotoError
from tests.apple_library import PHOTOS_5, PHOTOS_6, PHOTOS_9, UUIDS, MadeFace, edit, make_database, original

A, B, C, D, E, F = UUIDS


@pytest.mark.parametrize("schema", [PHOTOS_5, PHOTOS_6, PHOTOS_9], ids=["5", "6 to 8", "9 and later"])
def test_faces_have_the_names_of_their_persons(tmp_path: Path, schema):
    """Without a name there is no face. A merged person has the name of the other one, also through a third one."""
    faces = [
        MadeFace(A, 1),
        MadeFace(A, 2),
        MadeFace(B, 3, manual=1),
        MadeFace(B, 4),
        MadeFace(C, None),
        MadeFace(C, 9),
    ]
    persons = {1: "Ann  Apple\n", 2: None, 3: "Old", 4: " ", 5: "Ben Apple", 6: "Middle"}
    make_database(tmp_path, faces, persons, schema=schema, merged={3: 6, 6: 5}, edited=frozenset({B}))
    library = read_apple_library(tmp_path)
    assert library.faces == {
        A: (AppleFace("Ann Apple", 0.5, 0.5, 0.5),),
        B: (AppleFace("Ben Apple", 0.5, 0.5, 0.5, is_sure=True),),
    }
    assert library.edited == {B}


def test_persons_merged_in_a_circle_have_no_name(tmp_path: Path):
    make_database(tmp_path, [MadeFace(A, 1), MadeFace(A, 3)], {1: "Ann", 2: "Ben", 3: "Cid"}, merged={1: 2, 2: 1, 3: 8})
    assert read_apple_library(tmp_path).faces == {}


def test_trashed_and_hidden_photos_are_left_out_and_hidden_faces_unnamed(tmp_path: Path):
    """A hidden photo keeps its names: a user may take it back by a pattern."""
    faces = [MadeFace(A, 1), MadeFace(B, 1), MadeFace(C, 1, hidden=1), MadeFace(D, 1, trashed=1)]
    make_database(tmp_path, faces, {1: "Ann"}, trashed=frozenset({A}), hidden=frozenset({B}))
    library = read_apple_library(tmp_path)
    assert library.left_out == {A: TRASHED, B: HIDDEN}
    assert set(library.faces) == {B}


def test_drawn_faces_and_key_faces_come_first(tmp_path: Path):
    faces = [MadeFace(A, 1), MadeFace(A, 2), MadeFace(A, 3, manual=1)]
    make_database(tmp_path, faces, {1: "Ann", 2: "Ben", 3: "Cid"}, key_faces={2: 2})
    assert [face.name for face in read_apple_library(tmp_path).faces[A]] == ["Ben", "Cid", "Ann"]


def test_a_face_is_a_square_on_the_upright_image():
    """Hard case 24: X 0.25, Y 0.75, size 0.2; stored 4000 x 3000, orientation 6; the side is 800 pixels."""
    box = AppleFace("Ann", 0.25, 0.75, 0.2).box(3000, 4000)
    assert box.center == pytest.approx((0.25, 0.25))
    assert (box.width * 3000, box.height * 4000) == pytest.approx((800, 800))


def test_files_of_a_library_are_told_by_their_uuid(tmp_path: Path):
    """An original, its raw file, its edit and a shared photo; not a file that was exported."""
    library = str(tmp_path)
    assert apple_asset(str(original(tmp_path, A))).uuid == A
    assert not apple_asset(str(original(tmp_path, A))).is_edit
    assert apple_asset(str(edit(tmp_path, A))) == apple_library.AppleAsset(library, A, is_edit=True)
    assert apple_asset(f"{library}/originals/A/{A}_4.dng").uuid == A
    assert apple_asset(f"{library}/scopes/cloudsharing/data/1234/{A}.JPG").uuid == A
    assert apple_asset(f"{library}/exported/{A}_1_201_a.jpeg") is None
    assert apple_asset(f"{library}/originals/A/IMG_0001.jpeg") is None


def test_the_log_of_a_library_in_use_is_read_and_nothing_is_written(tmp_path: Path):
    """Photos is open: the newest names are in the write-ahead log. No file appears beside the database."""
    database = make_database(tmp_path, [MadeFace(A, 1)], {1: "Old name"})
    with closing(sqlite3.connect(database)) as photos:
        photos.execute("PRAGMA journal_mode = WAL")
        photos.execute("UPDATE ZPERSON SET ZFULLNAME = 'New name'")
        photos.commit()
        files = {path.name: path.read_bytes() for path in database.parent.iterdir()}
        assert len(files["Photos.sqlite-wal"]) > 0
        assert read_apple_library(tmp_path).faces[A][0].name == "New name"
        assert {path.name: path.read_bytes() for path in database.parent.iterdir()} == files


def test_a_library_on_a_read_only_disk_is_read(tmp_path: Path):
    database = make_database(tmp_path, [MadeFace(A, 1)], {1: "Ann"})
    database.chmod(0o400)
    database.parent.chmod(0o500)
    try:
        assert read_apple_library(tmp_path).faces[A][0].name == "Ann"
    finally:
        database.parent.chmod(0o700)
    assert [path.name for path in database.parent.iterdir()] == ["Photos.sqlite"]


def altered(library: Path, *statements: str) -> Path:
    database = make_database(library, [MadeFace(A, 1)], {1: "Ann"})
    with closing(sqlite3.connect(database)) as connection, connection:
        for statement in statements:
            connection.execute(statement)
    return database


RECURSION = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"


@pytest.mark.parametrize(
    "statements",
    [
        ("DROP TABLE ZASSET",),
        ("ALTER TABLE ZASSET RENAME COLUMN ZUUID TO ZNAME",),
        ("ALTER TABLE ZDETECTEDFACE RENAME COLUMN ZSIZE TO ZRADIUS",),
        ("ALTER TABLE ZPERSON RENAME COLUMN ZFULLNAME TO ZNAME",),
        ("DROP TABLE ZPERSON",),
        ("ALTER TABLE ZPERSON RENAME TO P", "CREATE VIEW ZPERSON AS SELECT * FROM P"),
        (
            "ALTER TABLE ZPERSON RENAME TO P",
            f"CREATE VIEW ZPERSON AS {RECURSION} SELECT i AS Z_PK, 'Ann' AS ZFULLNAME FROM n",
        ),
        ("DROP TABLE ZPERSON", "CREATE VIRTUAL TABLE ZPERSON USING fts5(Z_PK, ZFULLNAME)"),
        (
            "DROP TABLE ZPERSON",
            "CREATE TABLE ZPERSON (Z_PK INTEGER, X, ZFULLNAME GENERATED ALWAYS AS (hex(zeroblob(400000000))) VIRTUAL)",
            "INSERT INTO ZPERSON (Z_PK) VALUES (1)",
        ),
    ],
    ids=["no photos", "no uuid", "no size", "no names", "no persons", "view", "endless view", "virtual", "generated"],
)
def test_an_unknown_or_hostile_form_is_one_sentence(tmp_path: Path, statements):
    altered(tmp_path, *statements)
    with pytest.raises(PhotoError, match=r"^[^\n]{10,120}\.$"):
        read_apple_library(tmp_path)


def test_cells_of_wrong_types_and_endless_numbers_are_left_out(tmp_path: Path):
    """The photo and the names that are sound stay."""
    faces = [MadeFace(A, 1), MadeFace(A, 1, x="left"), MadeFace(A, 1, y=float("inf")), MadeFace(A, 1, size=-1.0)]
    faces += [MadeFace(A, 1, x=1e300), MadeFace(B, 2), MadeFace(B, 3, size=None)]
    make_database(tmp_path, faces, {1: "Ann", 2: b"\xff\xfe", 3: "Ben"})
    with closing(sqlite3.connect(tmp_path / "database" / "Photos.sqlite")) as connection, connection:
        connection.execute(
            "INSERT INTO ZASSET (Z_PK, ZUUID) VALUES (900, zeroblob(36)), (901, NULL), (902, ?)", ("x" * 99,)
        )
    assert read_apple_library(tmp_path).faces == {A: (AppleFace("Ann", 0.5, 0.5, 0.5),)}


def test_a_name_of_a_million_characters_is_cut_and_a_larger_one_refused(tmp_path: Path):
    make_database(tmp_path, [MadeFace(A, 1)], {1: "a" * 1_000_000})
    assert len(read_apple_library(tmp_path).faces[A][0].name) == 501
    (tmp_path / "database" / "Photos.sqlite").unlink()
    make_database(tmp_path, [MadeFace(A, 1)], {1: "a" * 2_000_000})
    with pytest.raises(PhotoError, match="damaged"):
        read_apple_library(tmp_path)


def test_limits_hold_for_rows_steps_and_bytes(tmp_path: Path, monkeypatch):
    make_database(tmp_path, [MadeFace(A, 1)] * 2000, {1: "Ann"})
    for name, value, sentence in (
        ("_MAX_ROWS", 100, "more than 100 rows of ZDETECTEDFACE"),
        ("_MAX_STEPS", 1000, "damaged"),
        ("_MAX_BYTES", 1000, "larger than"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(apple_library, name, value)
            patch.setattr(apple_library, "_STEPS_PER_CALL", 500)
            with pytest.raises(PhotoError, match=sentence):
                read_apple_library(tmp_path)


def test_a_link_a_folder_and_a_text_are_no_database(tmp_path: Path):
    database = make_database(tmp_path / "real", [MadeFace(A, 1)], {1: "Ann"})
    for name in ("link", "folder", "text", "empty"):
        (tmp_path / name / "database").mkdir(parents=True)
    (tmp_path / "link" / "database" / "Photos.sqlite").symlink_to(database)
    (tmp_path / "folder" / "database" / "Photos.sqlite").mkdir()
    (tmp_path / "text" / "database" / "Photos.sqlite").write_text("no database")
    (tmp_path / "empty" / "database" / "Photos.sqlite").touch()
    for name in ("link", "folder", "text", "empty"):
        with pytest.raises(PhotoError):
            read_apple_library(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        read_apple_library(tmp_path / "none")


def test_a_damaged_database_is_read_or_refused(tmp_path: Path):
    """Cut at every length and with wrong bytes anywhere: nothing but PhotoError, and no face without a name."""
    database = make_database(tmp_path, [MadeFace(A, 1), MadeFace(B, 2)], {1: "Ann", 2: "Ben"})
    data = database.read_bytes()
    chance = random.Random(24)
    damaged = [data[: chance.randrange(len(data))] for _ in range(60)]
    for _ in range(300):
        content = bytearray(data)
        for _ in range(chance.choice((1, 4, 40))):
            content[chance.randrange(len(content))] = chance.randrange(256)
        damaged.append(bytes(content))
    for content in damaged:
        database.write_bytes(content)
        try:
            library = read_apple_library(tmp_path)
        except PhotoError:
            continue
        assert all(face.name for faces in library.faces.values() for face in faces)

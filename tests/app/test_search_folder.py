"""Search files of a large gallery: their folder, and what scans, forgetting and restoring do with them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from sqlalchemy import select

import catalog
from catalog.app.search_folder import search_folder
from catalog.engines.local.replica import vectors_of
from catalog.engines.local.tables import gallery_faces
from catalog.engines.local.vector_codes import encode
from catalog.store.database import open_database

FIXTURES = Path(__file__).parents[1] / "fixtures"


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("obama_1.jpg", "obama_2.jpg", "biden.jpg"):
        shutil.copy(FIXTURES / name, folder)
    return folder


@pytest.fixture
def database_file(photos, monkeypatch):
    """A catalogue inside the folder of its photos. Every gallery is searched through a file."""
    monkeypatch.setattr("catalog.engines.local.gallery.MAPPED_FROM", 0)
    path = photos / "photos.sqlite3"
    with catalog.open(path, create=True) as opened:
        assert [outcome.kind.value for outcome in opened.scan([str(photos)])].count("new") == 3
    return path


def search_files(database_file: Path) -> list[Path]:
    return list(database_file.with_name(f"{database_file.name}.search").glob("*.vectors"))


def stored_codes(database_file: Path, sha256: str) -> bytes:
    """The bytes that a search file has of the face of a photo."""
    database = open_database(str(database_file), create=False)
    with database.read() as connection:
        query = select(gallery_faces.c.vector).where(gallery_faces.c.sha256 == sha256)
        codes = encode(vectors_of([connection.execute(query).scalar_one()])).codes.tobytes()
    database.close()
    return codes


def test_a_person_is_found_and_forgotten_through_the_file(database_file, photos):
    """A scan leaves the folder out. Forgetting overwrites the vector in the file."""
    with catalog.open(database_file) as opened:
        result = opened.find(photos / "biden.jpg")
        assert [Path(match.uri).name for match in result.matches] == ["biden.jpg"]
        (file,) = search_files(database_file)
        face = opened.face(result.matches[0].face_id)
        codes = stored_codes(database_file, face.sha256)
        assert codes in file.read_bytes()
        assert {outcome.kind.value for outcome in opened.scan([str(photos)])} <= {"unchanged", "left_out", "skipped"}
        receipt = opened.forget(face.person_id)
        assert receipt.verified
        assert codes not in file.read_bytes()
        assert opened.find(photos / "biden.jpg").matches == ()


def test_a_restore_deletes_the_files(database_file, photos, tmp_path):
    with catalog.open(database_file) as opened:
        opened.backup(tmp_path / "backup.sqlite3")
        opened.find(photos / "biden.jpg")
        (file,) = search_files(database_file)
        unfinished = file.with_name(f"{file.name}.part")
        unfinished.touch()
        opened.restore(tmp_path / "backup.sqlite3", force=True)
    assert search_files(database_file) == []
    assert not unfinished.exists()
    with catalog.open(database_file) as opened:
        assert len(opened.find(photos / "biden.jpg").matches) == 1


def test_every_database_has_a_folder_of_its_own(tmp_path):
    """Beside an SQLite file, or below the folder of the settings. A database in memory has none."""
    folders = []
    for name in ("one.sqlite3", "two.sqlite3"):
        database = open_database(str(tmp_path / name))
        assert search_folder(database, "") == tmp_path / f"{name}.search"
        folders.append(search_folder(database, str(tmp_path / "chosen")))
        database.close()
    assert len({*folders}) == 2
    assert {folder.parent for folder in folders} == {tmp_path / "chosen"}
    in_memory = open_database("sqlite://")
    assert search_folder(in_memory, str(tmp_path)) is None
    in_memory.close()


def test_a_database_on_a_server_has_a_folder_in_the_users_cache(postgresql_url):
    database = open_database(postgresql_url)
    folder = search_folder(database, "")
    assert folder is not None
    assert folder.parent.name == "search"
    assert not folder.exists()
    database.close()

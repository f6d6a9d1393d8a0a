"""Backups between both kinds of database."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from catalog.domain.errors import CatalogError, DatabaseError, UsageError
from catalog.store.backup import back_up, restore
from catalog.store.database import Database, open_database
from tests.store.named_photo import fill, name_person_on_photo


def everything(database: Database) -> dict[str, list[tuple[object, ...]]]:
    tables = ("photos", "faces", "persons", "assignments", "decisions")
    with database.read() as conn:
        return {name: sorted(tuple(row) for row in conn.execute(text(f"SELECT * FROM {name}"))) for name in tables}


def test_a_backup_restores_into_either_database(
    database: Database, database_url: str, tmp_path: Path, postgresql_url: str
) -> None:
    """It is one private SQLite file with all rows. New rows continue the sequence of row ids."""
    with database.begin() as conn:
        fill(conn)
        name_person_on_photo(conn)
    copy = tmp_path / "backup.sqlite3"
    assert back_up(database, copy) == copy.stat().st_size
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert sorted(file.name for file in tmp_path.glob("*backup*")) == ["backup.sqlite3"]
    for url in {postgresql_url, str(tmp_path / "restored" / "catalog.sqlite3")} - {database_url}:
        target = open_database(url)
        restore(target, copy)
        assert everything(target) == everything(database)
        with target.begin() as conn:
            conn.exec_driver_sql("INSERT INTO persons (person_id, hidden, created_at) VALUES ('p3', false, '')")
        target.close()


def test_a_restore_keeps_a_copy_of_the_file_that_it_replaces(tmp_path: Path) -> None:
    """A wrong restore can be reverted."""
    first, second = (open_database(str(tmp_path / name)) for name in ("a.sqlite3", "b.sqlite3"))
    with second.begin() as conn:
        fill(conn)
    back_up(second, tmp_path / "backup.sqlite3")
    with first.begin() as conn:
        fill(conn, "other")
    before = restore(first, tmp_path / "backup.sqlite3")
    assert everything(first) == everything(second)
    assert before is not None
    kept = open_database(str(before), read_only=True)
    with kept.read() as conn:
        assert conn.exec_driver_sql("SELECT face_id FROM faces").scalar() == "other"
    for opened in (first, second, kept):
        opened.close()


@pytest.mark.parametrize("content", [b"", b"not a catalogue" * 100])
def test_a_file_that_is_not_a_backup_changes_nothing(tmp_path: Path, content: bytes) -> None:
    """It is refused before the catalogue is changed."""
    database = open_database(str(tmp_path / "catalog.sqlite3"))
    with database.begin() as conn:
        fill(conn)
    (tmp_path / "bad").write_bytes(content)
    with pytest.raises(CatalogError):
        restore(database, tmp_path / "bad")
    assert len(everything(database)["faces"]) == 1
    database.close()


def spoil(kind: str, path: Path, catalogue: Database) -> None:
    """Create a file that cannot be restored."""
    if kind in ("empty", "a photo", "another program's"):
        path.write_bytes({"empty": b"", "a photo": b"\xff\xd8\xff\xe0" * 2000}.get(kind, b""))
    else:
        back_up(catalogue, path)
    if kind == "cut":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif kind == "overwritten":
        content = path.read_bytes()
        path.write_bytes(content[:8192] + b"\x55" * (len(content) - 16384) + content[-8192:])
    elif kind in ("another program's", "newer"):
        newer = "UPDATE alembic_version SET version_num = '9999'"
        with closing(sqlite3.connect(path)) as other:
            other.execute(newer if kind == "newer" else "CREATE TABLE songs (name TEXT)")
            other.commit()


@pytest.mark.parametrize("kind", ["empty", "a photo", "another program's", "cut", "overwritten", "newer"])
def test_errors_of_a_backup_name_the_backup(tmp_path: Path, kind: str) -> None:
    """They do not name the temporary copy, and the remedy fits a backup."""
    database = open_database(str(tmp_path / "catalog.sqlite3"))
    bad = tmp_path / "given.sqlite3"
    spoil(kind, bad, database)
    with pytest.raises(DatabaseError) as caught:
        restore(database, bad)
    message = f"{caught.value} {caught.value.remedy}"
    assert str(caught.value).startswith(f'The backup "{bad}" ')
    assert ".part" not in message
    assert "--database" not in message
    assert "another backup" in message
    assert ("Update catalog" in message) == (kind == "newer")
    database.close()


def test_errors_of_the_catalogue_do_not_name_the_backup(tmp_path: Path) -> None:
    """Restoring a valid backup into a damaged catalogue names the catalogue."""
    database = open_database(str(tmp_path / "catalog.sqlite3"))
    back_up(database, tmp_path / "sound.sqlite3")
    database.close()
    damaged = tmp_path / "catalog.sqlite3"
    damaged.write_bytes(damaged.read_bytes()[:4096] + b"\x55" * (damaged.stat().st_size - 4096))
    with pytest.raises(DatabaseError, match=r"catalog\.sqlite3") as caught:
        restore(database, tmp_path / "sound.sqlite3")
    assert "sound.sqlite3" not in str(caught.value)


def test_a_backup_never_overwrites(tmp_path: Path) -> None:
    """An existing file is refused."""
    database = open_database(str(tmp_path / "catalog.sqlite3"))
    (tmp_path / "existing").touch()
    with pytest.raises(UsageError, match="exists already"):
        back_up(database, tmp_path / "existing")
    database.close()

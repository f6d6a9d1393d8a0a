"""Backups between both kinds of database."""

from __future__ import annotations

import os
import resource
import sqlite3
import stat
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from alembic import command
from sqlalchemy import text

from catalog.domain.errors import CatalogError, DatabaseError, UsageError
from catalog.store.backup import back_up, restore
from catalog.store.database import Database, open_database
from catalog.store.labels_file import export_labels, labels_json
from catalog.store.migrate import alembic_config, exclusive_connection
from catalog.store.temporary_files import temporary_file
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


def test_a_catalogue_on_a_read_only_file_system_is_backed_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite cannot make its log there, and reads the file as immutable. Only the flag of the file system is false."""
    open_database(str(tmp_path / "a.sqlite3")).close()
    flags = os.statvfs(tmp_path)
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_flag=flags.f_flag | os.ST_RDONLY))
    database = open_database(str(tmp_path / "a.sqlite3"), read_only=True)
    opened = []
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda name, **options: opened.append(name) or connect(name, **options))
    back_up(database, tmp_path / "backup.sqlite3")
    assert [name for name in opened if "a.sqlite3" in name and "immutable=1" not in name] == []
    database.close()


def test_a_restore_into_a_new_catalogue_keeps_no_copy(tmp_path: Path) -> None:
    """There was nothing to keep. A catalogue with a single row is kept."""
    first, second = (open_database(str(tmp_path / name)) for name in ("a.sqlite3", "b.sqlite3"))
    with first.begin() as conn:
        fill(conn)
    back_up(first, tmp_path / "backup.sqlite3")
    assert restore(second, tmp_path / "backup.sqlite3") is None
    assert not list(tmp_path.glob("b.sqlite3.before*"))
    assert restore(second, tmp_path / "backup.sqlite3") is not None
    first.close()
    second.close()


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
    copy = open_database(str(before), read_only=True)
    with copy.read() as conn:
        assert conn.exec_driver_sql("SELECT face_id FROM faces").scalar() == "other"
    for opened in (first, second, copy):
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
        with closing(sqlite3.connect(path)) as reader:
            reader.execute(newer if kind == "newer" else "CREATE TABLE songs (name TEXT)")
            reader.commit()


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


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER spy AFTER INSERT ON photos BEGIN DELETE FROM tombstones; END",
        "CREATE VIEW v1_spy AS SELECT * FROM persons",
        "CREATE TABLE extra (id INTEGER)",
        "DROP VIEW v1_people; CREATE VIEW v1_people AS SELECT 'p1' AS person_id, 'Nobody' AS name",
        "DROP TRIGGER assignments_photo_id",
        "DROP INDEX ix_persons_name",
    ],
    ids=["trigger", "view", "table", "other view", "no trigger", "no index"],
)
def test_a_backup_with_another_schema_is_refused(tmp_path: Path, statement: str) -> None:
    """Triggers and views run in the program that opens the file. The catalogue stays as it is."""
    database = open_database(str(tmp_path / "catalog.sqlite3"))
    with database.begin() as conn:
        fill(conn)
    back_up(database, tmp_path / "backup.sqlite3")
    with closing(sqlite3.connect(tmp_path / "backup.sqlite3")) as reader:
        reader.executescript(statement)
    with pytest.raises(DatabaseError, match=r'The backup ".*backup.sqlite3" is not a catalogue of this program'):
        restore(database, tmp_path / "backup.sqlite3")
    assert len(everything(database)["faces"]) == 1
    database.close()


def test_a_backup_of_the_first_schema_is_restored(tmp_path: Path) -> None:
    """It is upgraded on the way, and no copy of it is left."""
    old = tmp_path / "old.sqlite3"
    with exclusive_connection(str(old)) as connection:
        command.upgrade(alembic_config(connection), "0001")
        fill(connection)
    database = open_database(str(tmp_path / "catalog.sqlite3"))
    restore(database, old)
    assert len(everything(database)["faces"]) == 1
    database.close()
    assert [file.name for file in tmp_path.iterdir() if ".part" in file.name] == []


def test_a_damaged_catalogue_is_not_backed_up(tmp_path: Path) -> None:
    """A backup that cannot be restored is worse than none."""
    path = tmp_path / "catalog.sqlite3"
    database = open_database(str(path))
    with database.begin() as conn:
        fill(conn)
    database.empty_log()
    database.close()
    with closing(sqlite3.connect(path)) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'faces'").fetchone()
    content = bytearray(path.read_bytes())
    content[(page - 1) * 4096 : page * 4096] = b"\x55" * 4096
    path.write_bytes(content)
    damaged = open_database(str(path), create=False)
    with pytest.raises(DatabaseError, match="damaged"):
        back_up(damaged, tmp_path / "backup.sqlite3")
    damaged.close()
    assert sorted(file.name for file in tmp_path.iterdir() if "backup" in file.name or ".part" in file.name) == []


def run(command_name: str, database: Database, folder: Path) -> None:
    if command_name == "backup":
        back_up(database, folder / "new.sqlite3")
    else:
        restore(database, folder / "good.sqlite3")


@pytest.mark.parametrize("command_name", ["backup", "restore"])
def test_a_full_disk_is_a_failure_of_the_database(tmp_path: Path, command_name: str) -> None:
    """The catalogue stays, and nothing is left over. A limit on the size of files stands for the disk.

    The message names a file that the user knows.
    """
    database = open_database(str(tmp_path / "catalog.sqlite3"))
    with database.begin() as conn:
        fill(conn)
    back_up(database, tmp_path / "good.sqlite3")
    before = everything(database)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65536, limits[1]))
    try:
        with pytest.raises(DatabaseError) as caught:
            run(command_name, database, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert any(f'"{tmp_path / name}"' in str(caught.value) for name in ("new.sqlite3", "catalog.sqlite3"))
    assert everything(database) == before
    database.close()
    assert [file.name for file in tmp_path.iterdir() if ".part" in file.name or file.name == "new.sqlite3"] == []


@pytest.mark.parametrize("command_name", ["backup", "restore"])
def test_leftovers_of_a_killed_process_are_swept(tmp_path: Path, command_name: str) -> None:
    """A file that a running process still writes stays, and so does a file of another program."""
    database = open_database(str(tmp_path / "catalog.sqlite3"))
    back_up(database, tmp_path / "good.sqlite3")
    content = (tmp_path / "good.sqlite3").read_bytes()
    for name in (
        ".x.sqlite3.abcd1234.part",
        ".x.sqlite3.abcd1234.part-wal",
        ".y.abcd1234.part-journal",
        ".y.abcd1234.part",
    ):
        (tmp_path / name).write_bytes(content)
    with database.read() as connection:
        labels = labels_json(export_labels(connection, datetime(2026, 1, 1, tzinfo=UTC))).encode()
    (tmp_path / ".labels.json.abcd1234.part").write_bytes(labels)
    (tmp_path / ".cut.json.abcd1234.part").write_bytes(labels[:64])
    (tmp_path / ".movie.abcd1234.part").write_bytes(b"not a database")
    with temporary_file(tmp_path / "busy.sqlite3") as busy:
        run(command_name, database, tmp_path)
        assert busy.exists()
    database.close()
    assert [file.name for file in tmp_path.iterdir() if ".part" in file.name] == [".movie.abcd1234.part"]

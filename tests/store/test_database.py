"""Opening a catalogue: created, upgraded, or refused."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from alembic import command
from sqlalchemy import text
from sqlalchemy.exc import OperationalError, ProgrammingError

from catalog.domain.errors import DatabaseError, SchemaError
from catalog.store import migrate
from catalog.store.connections import read_much
from catalog.store.database import SCHEMA, Database, open_database
from catalog.store.migrate import BACKUPS_KEPT, upgrade

OLDER = "UPDATE alembic_version SET version_num = '0000'"
NEWER = "UPDATE alembic_version SET version_num = '9999'"


@pytest.fixture(autouse=True)
def real_migrations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each new catalogue of this module is made by the migrations."""
    monkeypatch.setattr(migrate, "command", command)


def test_a_new_file_is_private(tmp_path: Path) -> None:
    """Faces are personal data: the folder is 0700, the file and its write-ahead log are 0600."""
    path = tmp_path / "new" / "catalog.sqlite3"
    opened = open_database(str(path))
    with opened.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO photos (sha256, size, format, width, height, orientation, recorded_at)"
                " VALUES ('a', 1, 'JPEG', 1, 1, 1, '')"
            )
        )
        assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    opened.close()


def test_a_connection_for_large_reads_is_as_the_others_afterwards(tmp_path: Path) -> None:
    database = open_database(str(tmp_path / "c.sqlite3"))
    settings = ("mmap_size", "cache_size")

    def values() -> list[int]:
        return [connection.exec_driver_sql(f"PRAGMA {setting}").scalar() or 0 for setting in settings]

    with database.read() as connection:
        before = values()
    with database.read() as connection:
        read_much(connection)
        connection.execute(text("SELECT * FROM persons")).fetchone()
        mapped, cache = values()
        assert mapped > 1 << 30  # bytes: at most what SQLite was built for
        assert cache == -131072
    with database.read() as connection:
        assert values() == before == [0, -32000]
    database.close()


def test_the_connection_that_was_used_last_is_used_again(tmp_path: Path) -> None:
    database = open_database(str(tmp_path / "c.sqlite3"))
    with database.read(), database.read(), database.read():
        pass
    used = set()
    for _ in range(8):
        with database.read() as connection:
            used.add(id(connection.connection.driver_connection))
    assert len(used) == 1
    database.close()


def test_sqlite_is_set_up_for_power_loss_and_readers(tmp_path: Path) -> None:
    """Write-ahead log, synchronous=FULL (2), foreign keys, and waiting for other writers."""
    opened = open_database(str(tmp_path / "catalog.sqlite3"))
    with opened.read() as connection:
        connection.exec_driver_sql("SELECT count(*) FROM photos").scalar()  # the mode is known once the file is read
        settings = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    opened.close()
    assert settings == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 60_000}


def test_only_later_transactions_use_synchronous_normal(tmp_path: Path) -> None:
    """``later`` uses NORMAL (1); the connection is at FULL (2) again for its next user."""
    opened = open_database(str(tmp_path / "catalog.sqlite3"))
    with opened.later.begin() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 1
        driver_connection = connection.connection.dbapi_connection
    with opened.begin() as connection:
        assert connection.connection.dbapi_connection is driver_connection
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
    opened.close()


def test_later_transactions_do_not_wait_for_the_disk_on_postgresql(postgresql_url: str) -> None:
    """The next transaction waits again."""
    opened = open_database(postgresql_url)
    with opened.later.begin() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "off"
    with opened.begin() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
    opened.close()


@pytest.mark.parametrize("name", ["photos 100%.sqlite3", "what?#.sqlite3", "写真.sqlite3"])
def test_any_file_name_is_accepted(tmp_path: Path, name: str) -> None:
    """Characters with a meaning in a url are ordinary characters of a file name."""
    open_database(str(tmp_path / name)).close()
    assert (tmp_path / name).exists()


def test_several_processes_may_create_the_same_file_at_once(tmp_path: Path) -> None:
    """They wait for each other, and each opens a complete catalogue."""
    path = tmp_path / "catalog.sqlite3"
    code = "import sys; from catalog.store.database import open_database; open_database(sys.argv[1]).close()"
    running = [subprocess.Popen([sys.executable, "-c", code, str(path)], stderr=subprocess.PIPE) for _ in range(4)]
    assert [process.communicate()[1] for process in running] == [b""] * 4


def test_an_empty_postgresql_database_gets_the_schema(blank_postgresql_url: str) -> None:
    """The first use creates it, also when several processes start at once."""
    with ThreadPoolExecutor(3) as pool:
        for opened in pool.map(open_database, [blank_postgresql_url] * 3):
            opened.close()
    open_database(blank_postgresql_url, create=False).close()


def test_an_older_postgresql_schema_is_not_upgraded(postgresql_url: str) -> None:
    """Other programs may be using it. The error names the command for the upgrade."""
    _run(postgresql_url, OLDER)
    with pytest.raises(SchemaError) as caught:
        open_database(postgresql_url)
    assert "has schema 0000" in str(caught.value) or "newer" in str(caught.value)


def test_a_newer_schema_is_refused(database_url: str) -> None:
    """An older program must not write a schema that it does not know."""
    _run(database_url, NEWER)
    with pytest.raises(SchemaError, match="schema 9999, which is newer than this program"):
        open_database(database_url)
    with pytest.raises(SchemaError, match="newer"):
        upgrade(database_url)


def test_a_database_of_another_program_is_refused(tmp_path: Path, blank_postgresql_url: str) -> None:
    """It has tables and no schema revision."""
    path = tmp_path / "other.sqlite3"
    for url in (str(path), blank_postgresql_url):
        if url == str(path):
            path.touch()
        _run(url, "CREATE TABLE other (id integer)")
        with pytest.raises(SchemaError, match="tables of another program"):
            open_database(url)
    with pytest.raises(SchemaError, match="tables of another program"):
        upgrade(str(path))


def test_an_upgrade_copies_the_file_first_and_keeps_three(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The private copy is beside the file. Older copies are removed."""
    path = tmp_path / "catalog.sqlite3"
    open_database(str(path)).close()
    for year in range(2001, 2005):
        (tmp_path / f"catalog.sqlite3.backup-0000-{year}0101T000000Z").touch()
    copy = migrate.copy_sqlite(path, "0001")
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    left = sorted(file.name for file in tmp_path.glob("*.backup-*"))
    assert len(left) == BACKUPS_KEPT
    assert left[-1] == copy.name
    opened = open_database(str(copy), create=False)
    opened.close()


def test_deleted_data_is_overwritten_in_the_file(tmp_path: Path) -> None:
    """Free pages and the log contain no data of a forgotten person."""
    path = tmp_path / "catalog.sqlite3"
    database = open_database(str(path))
    secret = "Zebulon Quux"
    with database.begin() as connection:
        for number in range(200):
            connection.exec_driver_sql(
                "INSERT INTO persons (person_id, name, hidden, created_at) VALUES (?, ?, false, '')",
                (f"p{number}", f"{secret} {number}" * 20),
            )
    with database.begin() as connection:
        connection.exec_driver_sql("DELETE FROM persons")
    assert database.empty_log()
    files = [file for file in tmp_path.iterdir() if file.name.startswith(path.name)]
    assert path in files
    assert [file for file in files if secret.encode() in file.read_bytes()] == []
    database.close()


def test_a_catalogue_on_a_read_only_file_system_can_be_read(tmp_path: Path) -> None:
    """A snapshot or a disc has no room for a log."""
    disk = tmp_path / "disk"
    disk.mkdir()
    path = disk / "catalog.sqlite3"
    try:
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(disk)], check=False)
    except FileNotFoundError:
        pytest.skip("mount is not available")
    if mounted.returncode:
        pytest.skip("this user may not mount a file system")
    try:
        open_database(str(path)).close()
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        database = open_database(str(path), read_only=True)
        with database.read() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM photos").scalar() == 0
        database.close()
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_two_copies_within_one_second_have_different_names(tmp_path: Path) -> None:
    """A second restore or upgrade must not overwrite the first copy."""
    path = tmp_path / "catalog.sqlite3"
    open_database(str(path)).close()
    first = migrate.copy_sqlite(path, "before-restore")
    saved = first.read_bytes()
    database = open_database(str(path))
    with database.begin() as connection:
        connection.exec_driver_sql("INSERT INTO persons (person_id, hidden, created_at) VALUES ('p', false, '')")
    database.close()
    second = migrate.copy_sqlite(path, "before-restore")
    assert second != first
    assert first.read_bytes() == saved != second.read_bytes()


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda path: path.write_bytes(b"not a database at all" * 100), "is not a database"),
        (lambda path: path.mkdir(), "is a folder"),
        (lambda path: path.symlink_to(path / "nowhere" / "x"), "cannot be opened"),
    ],
    ids=["text", "folder", "loop"],
)
def test_a_file_that_is_not_a_database_is_refused(tmp_path: Path, make: object, sentence: str) -> None:
    """The error is one sentence with the name, and a remedy."""
    path = tmp_path / "catalog.sqlite3"
    make(path)  # type: ignore[operator]
    with pytest.raises(DatabaseError, match=sentence) as caught:
        open_database(str(path))
    assert str(path) in str(caught.value)
    assert caught.value.remedy


def test_a_missing_catalogue_is_an_error_without_create(tmp_path: Path) -> None:
    """Reading must not create an empty catalogue."""
    with pytest.raises(DatabaseError, match="There is no catalogue"):
        open_database(str(tmp_path / "none.sqlite3"), create=False)
    assert not (tmp_path / "none.sqlite3").exists()


@pytest.mark.parametrize("address", ["mysql://x/y", "postgresql://host:notaport/x", "  "])
def test_other_addresses_are_refused(address: str) -> None:
    """The remedy lists the valid forms."""
    with pytest.raises(DatabaseError) as caught:
        open_database(address)
    assert "postgresql://" in caught.value.remedy


def test_a_password_is_never_shown() -> None:
    """No message and no repr contains it."""
    with pytest.raises(DatabaseError) as caught:
        open_database("postgresql://me:geheim@127.0.0.1:1/x?connect_timeout=2")
    assert "cannot be reached" in str(caught.value)
    assert "geheim" not in str(caught.value) + repr(caught.value)


def test_an_unknown_postgresql_database_is_an_error(postgresql_url: str) -> None:
    """The error contains the server's message."""
    with pytest.raises(DatabaseError, match="does not exist"):
        open_database(postgresql_url.replace("/test_", "/no_such_"))


def test_a_transaction_that_fails_leaves_nothing(database: Database) -> None:
    """It is rolled back."""
    with pytest.raises(ZeroDivisionError), database.begin() as connection:  # noqa: PT012
        connection.execute(text("INSERT INTO persons (person_id, hidden, created_at) VALUES ('p', false, '')"))
        raise ZeroDivisionError
    with database.read() as connection:
        assert connection.scalar(text("SELECT count(*) FROM persons")) == 0


def test_a_read_only_catalogue_refuses_to_write(database_url: str) -> None:
    """The connection refuses, for any statement."""
    opened = open_database(database_url, read_only=True)
    with pytest.raises(DatabaseError, match="is read-only"), opened.begin() as connection:
        connection.execute(text("DELETE FROM persons"))
    with opened.read() as connection:
        assert connection.scalar(text("SELECT count(*) FROM persons")) == 0
    opened.close()


def test_errors_of_statements_are_not_translated(database: Database) -> None:
    """They are bugs, or mistakes in a statement for `catalog sql`."""
    with pytest.raises((OperationalError, ProgrammingError)), database.read() as connection:
        connection.execute(text("SELECT nothing FROM nowhere"))


def test_a_server_restart_between_transactions_is_handled(postgresql_url: str) -> None:
    """Connections that died while idle are replaced."""
    opened = open_database(postgresql_url)
    with opened.read() as connection:
        own_pid = connection.scalar(text("SELECT pg_backend_pid()"))
    _end_backend(postgresql_url, own_pid)
    with opened.read() as connection:
        assert connection.scalar(text("SELECT pg_backend_pid()")) != own_pid
    opened.close()


def test_a_connection_lost_during_a_transaction_is_an_error(postgresql_url: str) -> None:
    """The remedy is to run the command again."""
    opened = open_database(postgresql_url)
    with pytest.raises(DatabaseError) as caught, opened.begin() as connection:  # noqa: PT012
        own_pid = connection.scalar(text("SELECT pg_backend_pid()"))
        _end_backend(postgresql_url, own_pid)
        connection.execute(text("SELECT 1"))
    opened.close()
    assert caught.value.exit_code == 6
    assert "same command again" in caught.value.remedy


def test_a_catalogue_in_memory_has_the_schema(tmp_path: Path) -> None:
    """Used by plans, which must not create a file."""
    opened = open_database("sqlite://")
    with opened.read() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == SCHEMA
    opened.close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write everything")
def test_missing_permissions_are_an_error(tmp_path: Path) -> None:
    """The folder is not writable."""
    tmp_path.chmod(0o500)
    with pytest.raises(DatabaseError, match="cannot be opened"):
        open_database(str(tmp_path / "catalog.sqlite3"))
    tmp_path.chmod(0o700)


def _end_backend(url: str, pid: int) -> None:
    with psycopg.connect(url, autocommit=True) as killer:
        killer.execute("SELECT pg_terminate_backend(%s)", (pid,))


def _run(url: str, statement: str) -> None:
    if url.startswith("postgresql"):
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[arg-type]
    else:
        with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
            connection.execute(statement)
        connection.close()

"""Opening a catalogue: made, upgraded, or refused with a sentence."""

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
from sqlalchemy import text
from sqlalchemy.exc import OperationalError, ProgrammingError

from catalog.domain.errors import DatabaseError, SchemaError
from catalog.store.database import SCHEMA, Database, open_database
from catalog.store.migrate import BACKUPS_KEPT, upgrade

OLDER = "UPDATE alembic_version SET version_num = '0000'"
NEWER = "UPDATE alembic_version SET version_num = '9999'"


def test_a_file_is_made_for_its_owner_only(tmp_path: Path) -> None:
    """The folder is 0700 and the file 0600, its write-ahead log too: faces are personal data."""
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


def test_sqlite_is_set_up_for_power_loss_and_readers(tmp_path: Path) -> None:
    """Write-ahead log, synchronous=FULL (2), foreign keys, and a wait instead of an error when another one writes."""
    opened = open_database(str(tmp_path / "catalog.sqlite3"))
    with opened.read() as connection:
        connection.exec_driver_sql("SELECT count(*) FROM photos").scalar()  # the mode is known once the file is read
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    opened.close()
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 60_000}


def test_what_may_wait_for_a_later_commit_does_and_nothing_else(tmp_path: Path) -> None:
    """``later`` writes at synchronous=NORMAL (1); the same connection is at FULL (2) again for whoever has it next."""
    opened = open_database(str(tmp_path / "catalog.sqlite3"))
    with opened.later.begin() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 1
        same = connection.connection.dbapi_connection
    with opened.begin() as connection:
        assert connection.connection.dbapi_connection is same
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
    opened.close()


def test_what_may_wait_does_so_on_postgresql_too(postgresql_url: str) -> None:
    """``later`` does not wait for the disk at its commit; the next transaction does."""
    opened = open_database(postgresql_url)
    with opened.later.begin() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "off"
    with opened.begin() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
    opened.close()


@pytest.mark.parametrize("name", ["photos 100%.sqlite3", "what?#.sqlite3", "写真.sqlite3"])
def test_any_file_name_will_do(tmp_path: Path, name: str) -> None:
    """Characters that mean something in a url are part of a name like any other."""
    open_database(str(tmp_path / name)).close()
    assert (tmp_path / name).exists()


def test_several_programs_may_make_the_same_file_at_once(tmp_path: Path) -> None:
    """They take turns, and each finds a whole catalogue."""
    path = tmp_path / "catalog.sqlite3"
    code = "import sys; from catalog.store.database import open_database; open_database(sys.argv[1]).close()"
    running = [subprocess.Popen([sys.executable, "-c", code, str(path)], stderr=subprocess.PIPE) for _ in range(4)]
    assert [process.communicate()[1] for process in running] == [b""] * 4


def test_an_empty_postgresql_database_gets_the_schema(blank_postgresql_url: str) -> None:
    """The first use needs no command of its own, and several first uses at once are well."""
    with ThreadPoolExecutor(3) as pool:
        for opened in pool.map(open_database, [blank_postgresql_url] * 3):
            opened.close()
    open_database(blank_postgresql_url, create=False).close()


def test_a_postgresql_schema_that_is_behind_is_left_alone(postgresql_url: str) -> None:
    """Other programs may be at work: the upgrade is a command, and the sentence names it."""
    _run(postgresql_url, OLDER)
    with pytest.raises(SchemaError) as caught:
        open_database(postgresql_url)
    assert "has schema 0000" in str(caught.value) or "newer" in str(caught.value)


def test_a_newer_schema_is_refused(database_url: str) -> None:
    """An older program must not write what it does not understand."""
    _run(database_url, NEWER)
    with pytest.raises(SchemaError, match="schema 9999, which is newer than this program"):
        open_database(database_url)
    with pytest.raises(SchemaError, match="newer"):
        upgrade(database_url)


def test_a_database_of_another_program_is_refused(tmp_path: Path, blank_postgresql_url: str) -> None:
    """Tables without a schema revision are somebody else's."""
    path = tmp_path / "other.sqlite3"
    for url in (str(path), blank_postgresql_url):
        if url == str(path):
            path.touch()
        _run(url, "CREATE TABLE theirs (id integer)")
        with pytest.raises(SchemaError, match="tables of another program"):
            open_database(url)
    with pytest.raises(SchemaError, match="tables of another program"):
        upgrade(str(path))


def test_an_upgrade_copies_the_file_first_and_keeps_three(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy lies beside the file, for its owner only; the oldest ones are removed."""
    from catalog.store import migrate

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


def test_what_is_deleted_leaves_the_file(tmp_path: Path) -> None:
    """Not only its rows: neither free pages nor the log hold a trace of whoever was forgotten."""
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
    files = [found for found in tmp_path.iterdir() if found.name.startswith(path.name)]
    assert path in files
    assert [found for found in files if secret.encode() in found.read_bytes()] == []
    database.close()


def test_a_catalogue_on_a_read_only_file_system_can_be_read(tmp_path: Path) -> None:
    """A snapshot or a disc: there is no room for a log, and nothing to write in it."""
    disk = tmp_path / "disk"
    disk.mkdir()
    path = disk / "catalog.sqlite3"
    try:
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(disk)], check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount on this machine")
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


def test_two_copies_within_one_second_are_two(tmp_path: Path) -> None:
    """The second restore, or upgrade, must not overwrite what was saved before the first."""
    from catalog.store import migrate

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
def test_what_is_no_database_is_told(tmp_path: Path, make: object, sentence: str) -> None:
    """One sentence with the name, and a remedy; never a traceback."""
    path = tmp_path / "catalog.sqlite3"
    make(path)  # type: ignore[operator]
    with pytest.raises(DatabaseError, match=sentence) as caught:
        open_database(str(path))
    assert str(path) in str(caught.value)
    assert caught.value.remedy


def test_a_missing_catalogue_is_told_where_none_may_be_made(tmp_path: Path) -> None:
    """A question must not make an empty catalogue."""
    with pytest.raises(DatabaseError, match="There is no catalogue"):
        open_database(str(tmp_path / "none.sqlite3"), create=False)
    assert not (tmp_path / "none.sqlite3").exists()


@pytest.mark.parametrize("address", ["mysql://x/y", "postgresql://host:notaport/x", "  "])
def test_other_addresses_are_refused(address: str) -> None:
    """With the forms that would do."""
    with pytest.raises(DatabaseError) as caught:
        open_database(address)
    assert "postgresql://" in caught.value.remedy


def test_a_password_is_never_shown() -> None:
    """Neither by a message nor by the object's own form."""
    with pytest.raises(DatabaseError) as caught:
        open_database("postgresql://me:geheim@127.0.0.1:1/x?connect_timeout=2")
    assert "cannot be reached" in str(caught.value)
    assert "geheim" not in str(caught.value) + repr(caught.value)


def test_an_unknown_postgresql_database_is_told(postgresql_url: str) -> None:
    """The server's own words are part of the sentence."""
    with pytest.raises(DatabaseError, match="does not exist"):
        open_database(postgresql_url.replace("/test_", "/no_such_"))


def test_a_transaction_that_fails_leaves_nothing(database: Database) -> None:
    """All or nothing."""
    with pytest.raises(ZeroDivisionError), database.begin() as connection:  # noqa: PT012
        connection.execute(text("INSERT INTO persons (person_id, hidden, created_at) VALUES ('p', false, '')"))
        raise ZeroDivisionError
    with database.read() as connection:
        assert connection.scalar(text("SELECT count(*) FROM persons")) == 0


def test_a_read_only_catalogue_refuses_to_write(database_url: str) -> None:
    """Whatever the statement says: it is the connection that cannot."""
    opened = open_database(database_url, read_only=True)
    with pytest.raises(DatabaseError, match="is read-only"), opened.begin() as connection:
        connection.execute(text("DELETE FROM persons"))
    with opened.read() as connection:
        assert connection.scalar(text("SELECT count(*) FROM persons")) == 0
    opened.close()


def test_a_wrong_statement_stays_a_wrong_statement(database: Database) -> None:
    """It is a bug, or somebody's `catalog sql`: not the database's fault."""
    with pytest.raises((OperationalError, ProgrammingError)), database.read() as connection:
        connection.execute(text("SELECT nothing FROM nowhere"))


def test_a_restarted_server_is_not_noticed(postgresql_url: str) -> None:
    """Connections that died while idle are replaced before they are used."""
    opened = open_database(postgresql_url)
    with opened.read() as connection:
        mine = connection.scalar(text("SELECT pg_backend_pid()"))
    _end_backend(postgresql_url, mine)
    with opened.read() as connection:
        assert connection.scalar(text("SELECT pg_backend_pid()")) != mine
    opened.close()


def test_a_connection_lost_within_a_transaction_is_told(postgresql_url: str) -> None:
    """The scan ends with exit code 6 and a remedy: run it again."""
    opened = open_database(postgresql_url)
    with pytest.raises(DatabaseError) as caught, opened.begin() as connection:  # noqa: PT012
        mine = connection.scalar(text("SELECT pg_backend_pid()"))
        _end_backend(postgresql_url, mine)
        connection.execute(text("SELECT 1"))
    opened.close()
    assert caught.value.exit_code == 6
    assert "same command again" in caught.value.remedy


def test_a_catalogue_in_memory_has_the_schema(tmp_path: Path) -> None:
    """For a plan that must not leave a file behind."""
    opened = open_database("sqlite://")
    with opened.read() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == SCHEMA
    opened.close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write everything")
def test_missing_rights_are_told(tmp_path: Path) -> None:
    """A folder that may not be written."""
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

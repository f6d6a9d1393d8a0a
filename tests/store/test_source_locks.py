"""Source locks."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from catalog.domain.errors import DatabaseError, LockHeld
from catalog.store.database import Database, open_database
from catalog.store.source_locks import CATALOGUE, content_lock_key, lock_sources
from tests.conftest import PostgreSQL

HOLDER = """
import sys
from catalog.store.database import open_database
from catalog.store.source_locks import lock_sources
database = open_database(sys.argv[1])
for uri in sys.argv[3:]:
    with lock_sources(database, [uri], shared=sys.argv[2] == "shared"):
        print("held", flush=True)
        sys.stdin.readline()
"""


SEEKER = """
import json, sys
from catalog.domain.errors import LockHeld
from catalog.store.database import open_database
from catalog.store.source_locks import lock_sources
for line in sys.stdin:
    url, uri = json.loads(line)
    database = open_database(url)
    try:
        with lock_sources(database, [uri]):
            state = "free"
    except LockHeld:
        state = "held"
    database.close()
    print(state, flush=True)
"""


@pytest.fixture(scope="module")
def seen_by_another_run() -> Iterator[Callable[[str, str], str]]:
    """Returns "free" or "held", as another process finds the lock of a catalogue and a source."""
    command = [sys.executable, "-c", SEEKER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def see(url: str, uri: str) -> str:
            assert process.stdout is not None
            print(json.dumps([url, uri]), file=process.stdin, flush=True)
            return process.stdout.readline().strip()

        yield see


@contextmanager
def another_run(url: str, *uris: str, mode: str = "alone") -> Iterator[subprocess.Popen[str]]:
    """Run another process that holds a lock until the end of the block. A line of input lets it take the next one."""
    command = [sys.executable, "-c", HOLDER, url, mode, *uris]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


OVERLAPS = (
    ("file:///a/b/", "file:///a/b/", False),
    ("file:///a/b/", "file:///a/", False),
    ("file:///a/", "file:///a/b/c/", False),
    ("file:///a/b/", "file:///a/bc/", True),
    ("s3://bucket/x/", "s3://bucket/y/", True),
    ("s3://bucket/x/", CATALOGUE, False),
    (CATALOGUE, "file:///a/", False),
)
"""A locked source, a wanted one, and whether it is free."""


def test_scans_of_overlapping_sources_exclude_each_other(database: Database, database_url: str) -> None:
    """Two separate folders can be scanned at once; the same folder, or a folder inside it, cannot."""
    with another_run(database_url, *(locked for locked, _, _ in OVERLAPS)) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for number, (locked, wanted, is_free) in enumerate(OVERLAPS):
            if number:
                process.stdin.write("next\n")
                process.stdin.flush()
                assert process.stdout.readline() == "held\n"
            if is_free:
                with lock_sources(database, [wanted]):
                    continue
            with pytest.raises(LockHeld) as caught, lock_sources(database, [wanted]):
                pytest.fail(f"{wanted} is free although {locked} is locked")
            assert caught.value.exit_code == 8
            assert database.url in str(caught.value)


def test_shared_locks_exclude_exclusive_locks(database: Database, database_url: str) -> None:
    """Several workers share a lock."""
    with another_run(database_url, "file:///a/", mode="shared"):
        with lock_sources(database, ["file:///a/"], shared=True):
            pass
        with pytest.raises(LockHeld), lock_sources(database, ["file:///a/"]):
            pass


def test_a_killed_holder_leaves_no_lock(database: Database, database_url: str) -> None:
    """A lock ends with its process."""
    with another_run(database_url, "file:///a/") as process:
        process.kill()
        process.wait()
        with lock_sources(database, ["file:///a/"], wait_seconds=5):
            pass


def test_waiting_ends_when_the_lock_is_released(database: Database, database_url: str) -> None:
    """A second nightly run can wait for the first one."""
    with another_run(database_url, "file:///a/") as process:
        assert process.stdin is not None
        process.stdin.close()
        with lock_sources(database, ["file:///a/"], wait_seconds=10):
            pass


END_SESSIONS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE pid <> pg_backend_pid() AND datname = current_database()"
)


def end_sessions(database: Database) -> None:
    """Close every connection to the database but this one, as a failover or an administrator does."""
    with database.begin() as connection:
        connection.exec_driver_sql(END_SESSIONS)


def test_locks_of_a_closed_connection_are_taken_again(
    postgresql_url: str, seen_by_another_run: Callable[[str, str], str]
) -> None:
    """By the next check, acquisition or release. Other processes are excluded again."""
    database = open_database(postgresql_url)
    with lock_sources(database, ["file:///a/"]) as locks:
        for use in (
            locks.check,
            lambda: locks.acquire(content_lock_key("ab" * 32), shared=False),
            lambda: locks.release(content_lock_key("ab" * 32)),
        ):
            end_sessions(database)
            use()
            assert seen_by_another_run(postgresql_url, "file:///a/b/") == "held"
        end_sessions(database)
    assert seen_by_another_run(postgresql_url, "file:///a/") == "free"
    database.close()


def test_a_lock_that_another_process_has_taken_meanwhile_ends_the_scan(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the exit code of a lock that is not free."""
    monkeypatch.setattr("catalog.store.advisory_locks._TAKE_AGAIN_SECONDS", 0.5)
    database = open_database(postgresql_url)
    with lock_sources(database, ["file:///a/"]) as locks:
        end_sessions(database)
        with (
            another_run(postgresql_url, "file:///a/"),
            pytest.raises(LockHeld, match="has taken one of them") as caught,
        ):
            locks.check()
    database.close()
    assert caught.value.exit_code == 8


def test_a_server_that_cannot_be_reached_is_an_error(postgresql: PostgreSQL, postgresql_url: str) -> None:
    """A scan must not continue without its locks."""
    database = open_database(postgresql_url)
    name = database.address.database
    with pytest.raises(DatabaseError) as caught, lock_sources(database, ["file:///a/"]) as locks:  # noqa: PT012
        postgresql.run(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        postgresql.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        locks.check()
    database.close()
    assert caught.value.exit_code == 6


def test_a_limit_on_idle_sessions_does_not_end_the_locks(
    postgresql: PostgreSQL, postgresql_url: str, seen_by_another_run: Callable[[str, str], str]
) -> None:
    """The session of the locks is idle while photos are decoded."""
    database = open_database(postgresql_url)
    postgresql.run(f"ALTER DATABASE {database.address.database} SET idle_session_timeout = '200ms'")
    database.engine.dispose()
    with lock_sources(database, ["file:///a/"]):
        time.sleep(0.6)
        assert seen_by_another_run(postgresql_url, "file:///a/") == "held"
    with database.read() as connection:
        assert connection.exec_driver_sql("SHOW idle_session_timeout").scalar() == "200ms"
    database.close()


def test_a_link_to_the_catalogue_uses_the_same_lock_file(sqlite_template, tmp_path):
    """Two names of one file do not allow two scans of one source."""
    file, link = tmp_path / "catalog.sqlite3", tmp_path / "link.sqlite3"
    file.write_bytes(sqlite_template.read_bytes())
    link.symlink_to(file)
    by_file, by_link = open_database(str(file)), open_database(str(link))
    with lock_sources(by_file, ["file:///photos/"]), lock_sources(by_link, ["file:///music/"]):
        assert [file.name for file in tmp_path.glob("*.lock")] == ["catalog.sqlite3.lock"]
    by_file.close()
    by_link.close()

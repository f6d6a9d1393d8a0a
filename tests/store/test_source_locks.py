"""Source locks."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from catalog.domain.errors import DatabaseError, LockHeld
from catalog.store.database import Database, open_database
from catalog.store.source_locks import CATALOGUE, lock_sources

HOLDER = """
import sys
from catalog.store.database import open_database
from catalog.store.source_locks import lock_sources
with lock_sources(open_database(sys.argv[1]), [sys.argv[2]], shared=sys.argv[3] == "shared"):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_run(url: str, uri: str, mode: str = "alone") -> Iterator[subprocess.Popen[str]]:
    """Run another process that holds a lock until the end of the block."""
    command = [sys.executable, "-c", HOLDER, url, uri, mode]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


@pytest.mark.parametrize(
    ("locked", "wanted", "is_free"),
    [
        ("file:///a/b/", "file:///a/b/", False),
        ("file:///a/b/", "file:///a/", False),
        ("file:///a/", "file:///a/b/c/", False),
        ("file:///a/b/", "file:///a/bc/", True),
        ("s3://bucket/x/", "s3://bucket/y/", True),
        ("s3://bucket/x/", CATALOGUE, False),
        (CATALOGUE, "file:///a/", False),
    ],
)
def test_scans_of_overlapping_sources_exclude_each_other(
    database: Database, database_url: str, locked: str, wanted: str, is_free: bool
) -> None:
    """Two separate folders can be scanned at once; the same folder, or a folder inside it, cannot."""
    with another_run(database_url, locked):
        if is_free:
            with lock_sources(database, [wanted]):
                return
        with pytest.raises(LockHeld) as caught, lock_sources(database, [wanted]):
            pass
    assert caught.value.exit_code == 8
    assert database.url in str(caught.value)


def test_shared_locks_exclude_exclusive_locks(database: Database, database_url: str) -> None:
    """Several workers share a lock."""
    with another_run(database_url, "file:///a/", "shared"):
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


def test_locks_lost_with_the_server_are_detected(postgresql_url: str) -> None:
    """A scan must not continue without its lock after a server restart."""
    database = open_database(postgresql_url)
    with pytest.raises(DatabaseError) as caught, lock_sources(database, ["file:///a/"]) as locks:  # noqa: PT012
        locks.check()
        with database.begin() as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                " AND datname = current_database()"
            )
        locks.check()
    database.close()
    assert caught.value.exit_code == 6


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

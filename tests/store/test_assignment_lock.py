"""The assignment lock."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from catalog.domain.errors import DatabaseError
from catalog.store.assignment_lock import assignment_lock
from catalog.store.database import Database, open_database
from catalog.store.source_locks import lock_sources

HOLDER = """
import sys
from catalog.store.database import open_database
from catalog.store.assignment_lock import assignment_lock
with assignment_lock(open_database(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""

SCANNER = """
import sys
from catalog.domain.errors import LockHeld
from catalog.store.database import open_database
from catalog.store.source_locks import lock_sources
try:
    with lock_sources(open_database(sys.argv[1]), ["file:///a/"]):
        print("free")
except LockHeld:
    print("held")
"""


def test_at_most_one_thread_or_process_holds_the_lock(database: Database, database_url: str) -> None:
    """A killed process releases it."""
    inside: list[int] = []
    concurrent: list[int] = []

    def work() -> None:
        with assignment_lock(database):
            inside.append(1)
            concurrent.append(len(inside))
            time.sleep(0.05)
            inside.pop()

    command = [sys.executable, "-c", HOLDER, database_url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        time.sleep(0.3)
        assert concurrent == []
        process.kill()
        for thread in threads:
            thread.join(10)
    assert concurrent == [1, 1, 1]


def test_the_assignment_lock_does_not_release_source_locks(database: Database, database_url: str) -> None:
    """They use different lock files."""
    with lock_sources(database, ["file:///a/"]):
        with assignment_lock(database):
            pass
        command = [sys.executable, "-c", SCANNER, database_url]
        assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "held\n"


def test_an_exception_releases_the_lock(database: Database) -> None:
    """The next caller does not wait."""
    with pytest.raises(ZeroDivisionError), assignment_lock(database):
        raise ZeroDivisionError
    with assignment_lock(database):
        pass


def test_a_catalogue_in_memory_has_one_user() -> None:
    """The lock does not wait."""
    opened = open_database("sqlite://")
    with assignment_lock(opened):
        pass
    opened.close()


def test_a_lock_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    """The error names the file."""
    opened = open_database(str(tmp_path / "catalog.sqlite3"))
    (tmp_path / "catalog.sqlite3.people.lock").mkdir()
    with pytest.raises(DatabaseError, match=r"people\.lock"), assignment_lock(opened):
        pass
    opened.close()


def test_the_lock_of_a_closed_connection_is_taken_again(postgresql_url: str) -> None:
    """The check waits for a process that has taken it meanwhile, and the block ends without an error."""
    opened = open_database(postgresql_url)
    command = [sys.executable, "-c", HOLDER, postgresql_url]
    with assignment_lock(opened) as check_lock:
        with opened.begin() as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND datname = current_database()"
            )
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            waiting = threading.Thread(target=check_lock)
            waiting.start()
            time.sleep(0.5)
            assert waiting.is_alive()
            process.kill()
            waiting.join(20)
            assert not waiting.is_alive()
        with opened.begin() as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND datname = current_database()"
            )
    opened.close()

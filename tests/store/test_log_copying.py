"""SQLite's log is copied beside the transactions."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select

from catalog.store import log_copying
from catalog.store.database import Database, open_database
from catalog.store.log_copying import LONGEST_LOG, LogState, copying_log, is_copying_due
from catalog.store.tables import persons


@pytest.fixture(autouse=True)
def frequent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_copying, "_SECONDS", 0.02)


def pages_before_a_commit_copies(database: Database) -> int:
    with database.read() as connection:
        return int(connection.exec_driver_sql("PRAGMA wal_autocheckpoint").scalar() or 0)


def add_persons(database: Database, first: int, count: int) -> None:
    with database.begin() as connection:
        rows = [{"person_id": f"p{first + row}", "name": "x" * 500} for row in range(count)]
        connection.execute(insert(persons), [{**row, "hidden": False, "created_at": "2024"} for row in rows])


def pages_in_the_log(path: Path, database: Database) -> int:
    """Pages that are not in the file yet. The file is as large as the catalogue when it has all of them."""
    with database.read() as connection:
        pages = int(connection.exec_driver_sql("PRAGMA page_count").scalar() or 0)
        size = int(connection.exec_driver_sql("PRAGMA page_size").scalar() or 0)
    return pages - path.stat().st_size // size


def test_a_log_that_is_written_now_is_copied_later() -> None:
    """Unless it is long: transactions may follow one another for hours."""
    empty, small, larger = LogState(0, 0), LogState(1, 5_000), LogState(2, 9_000)
    assert not is_copying_due(empty, empty, empty)
    assert not is_copying_due(empty, small, larger)
    assert is_copying_due(empty, larger, larger)
    assert not is_copying_due(larger, larger, larger)
    assert is_copying_due(empty, small, LogState(2, 60_000_000))


def test_a_thread_copies_the_log_after_a_commit(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite3"
    database = open_database(str(path))
    assert database.empty_log()
    add_persons(database, 0, 2_000)
    assert pages_in_the_log(path, database) > 100
    with copying_log(database):
        assert pages_before_a_commit_copies(database) == LONGEST_LOG
        add_persons(database, 10_000, 2_000)
        deadline = time.monotonic() + 30
        while pages_in_the_log(path, database) > 0 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert pages_in_the_log(path, database) == 0
    assert pages_before_a_commit_copies(database) == 1_000
    with database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(persons)) == 4_000
    database.close()
    assert not path.with_name("c.sqlite3-wal").exists()


def test_the_thread_waits_for_no_transaction(tmp_path: Path) -> None:
    database = open_database(str(tmp_path / "c.sqlite3"))
    with copying_log(database), database.begin() as writing:
        writing.execute(insert(persons), [{"person_id": "p1", "hidden": False, "created_at": "2024"}])
        with database.read() as reading:
            assert reading.scalar(select(func.count()).select_from(persons)) == 0
            time.sleep(0.1)
    with database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(persons)) == 1
    database.close()


def test_a_catalogue_in_memory_or_on_a_server_has_no_log_of_its_own(database_url: str) -> None:
    database = open_database(database_url)
    with copying_log(database):
        add_persons(database, 0, 1)
    database.close()

"""Scans whose connections the PostgreSQL server closes."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalog.domain.charges import Operation
from catalog.scanning import run_scan
from catalog.store.database import open_database
from tests.conftest import PostgreSQL
from tests.fakes import Drawn, FakeEngine, save_drawing
from tests.scanning.conftest import Scanner

PHOTOS = 12


@pytest.fixture
def photos(folder: Path) -> Path:
    for number in range(PHOTOS):
        save_drawing(folder / f"{number}.png", [Drawn("ann", left=20 + number)])
    return folder


def test_a_scan_survives_the_end_of_its_locks_session(
    postgresql: PostgreSQL, postgresql_url: str, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every third call of the engine, the server closes the connection that holds the locks."""
    monkeypatch.setattr(run_scan, "LOCK_CHECK_SECONDS", 0.0)
    database = open_database(postgresql_url)
    scanner = Scanner(database, photos)
    calls: list[str] = []

    def end_session_of_locks(operation: Operation, sha256: str) -> None:
        calls.append(sha256)
        if len(calls) % 3 == 0:
            postgresql.run(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
                " AND pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory')",
                database.address.database,
            )

    scanner.engine = FakeEngine(scanner.gallery, before=end_session_of_locks)
    summary = scanner(workers=1)
    assert (summary.discovered, summary.faces) == (PHOTOS, PHOTOS)
    assert set(scanner.kinds().values()) == {"new"}
    database.close()


def test_a_scan_survives_a_limit_on_idle_sessions(postgresql: PostgreSQL, postgresql_url: str, photos: Path) -> None:
    """The server closes a session that is idle for a moment; a photo takes longer.

    A busy machine may pause a scan for some tenths of a second between two statements.
    """
    for photo in sorted(photos.iterdir())[4:]:
        photo.unlink()
    database = open_database(postgresql_url)
    postgresql.run(f"ALTER DATABASE {database.address.database} SET idle_session_timeout = '400ms'")
    database.engine.dispose()
    scanner = Scanner(database, photos)

    def wait(*_: object) -> None:
        postgresql.run("SELECT pg_sleep(0.7)")

    scanner.engine = FakeEngine(scanner.gallery, before=wait)
    summary = scanner(workers=1)
    assert (summary.discovered, summary.faces) == (4, 4)
    database.close()

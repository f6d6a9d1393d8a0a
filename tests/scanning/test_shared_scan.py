"""Several workers on one source: the result of one worker, and no photo done twice."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from catalog.domain.errors import LockHeld, UsageError
from catalog.domain.photos import Outcome, PhotoRef
from catalog.images.decode import open_image
from catalog.scanning.run_scan import RunLimits, scan
from catalog.scanning.summary import Summary
from catalog.sources.folder import FolderSource
from catalog.store.database import open_database
from catalog.store.source_locks import lock_sources
from catalog.store.work_queue import add_work, any_work, claim_work
from tests.fakes import Drawn, FakeEngine, FakeGallery, save_drawing


def work(url: str, folder: Path, gallery: FakeGallery, settled: list[int]) -> tuple[list[Outcome], Summary, FakeEngine]:
    """One worker, from beginning to end, with its own connections and its own engine."""
    database = open_database(url)
    engine = FakeEngine(gallery)
    try:
        *outcomes, summary = scan(
            [FolderSource(folder)],
            database=database,
            engine=engine,
            open_photo=lambda data: open_image(data),
            after_scan=lambda scan_id, summary: settled.append(scan_id),
            gallery="catalog",
            version="test",
            workers=2,
            limits=RunLimits(shared=True),
        )
        return outcomes, summary, engine
    finally:
        database.close()


def test_each_photo_is_taken_by_exactly_one_worker(postgresql_url: str, folder: Path) -> None:
    """Three workers report each photo once and enroll each content once; one of them runs the after-scan steps."""
    for number in range(30):
        save_drawing(folder / f"{number % 3}" / f"{number:02}.png", [Drawn("ann", left=10 + number)])
    for number in range(6):
        (folder / f"copy{number}.png").write_bytes((folder / "0" / "00.png").read_bytes())
    gallery, settled = FakeGallery(), []
    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(lambda _: work(postgresql_url, folder, gallery, settled), range(3)))
    outcomes_by_uri = Counter(outcome.uri for outcomes, _, _ in done for outcome in outcomes)
    kinds = Counter(outcome.kind.value for outcomes, _, _ in done for outcome in outcomes)
    assert len(outcomes_by_uri) == 36
    assert set(outcomes_by_uri.values()) == {1}
    assert (kinds["new"], kinds["duplicate"]) == (30, 6)
    assert len(settled) == 1
    database = open_database(postgresql_url)
    with database.read() as connection:
        count = connection.exec_driver_sql
        assert count("SELECT count(*) FROM photos").scalar() == 30
        assert count("SELECT count(*) FROM faces").scalar() == 30
        assert count("SELECT count(*) FROM work").scalar() == 0
        assert count("SELECT count(*) FROM scans WHERE state = 'completed'").scalar() == 3
    database.close()


def test_workers_mark_missing_photos(postgresql_url: str, folder: Path) -> None:
    """The worker that listed the source marks missing photos, and none that others recorded meanwhile."""
    for number in range(8):
        save_drawing(folder / f"{number}.png", [Drawn("ann", left=10 + number)])
    gallery = FakeGallery()
    work(postgresql_url, folder, gallery, [])
    (folder / "3.png").unlink()
    save_drawing(folder / "9.png", [Drawn("bob")])
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: work(postgresql_url, folder, gallery, []), range(2)))
    database = open_database(postgresql_url)
    with database.read() as connection:
        missing = (
            connection.exec_driver_sql("SELECT uri FROM locations WHERE missing_since IS NOT NULL").scalars().all()
        )
    database.close()
    assert [uri.rpartition("/")[2] for uri in missing] == ["3.png"]


def test_photos_of_a_dead_worker_are_claimed_by_another(postgresql_url: str) -> None:
    """Claimed photos are locked rows. They are released with the worker's connection."""
    database = open_database(postgresql_url)
    refs = [PhotoRef(f"file:///a/{number}", 1, 1) for number in range(4)]
    with database.begin() as connection:
        add_work(connection, "file:///a/", refs)
    with pytest.raises(ZeroDivisionError), claim_work(database, "file:///a/", 3) as claimed:  # noqa: PT012
        assert len(claimed.refs) == 3
        with claim_work(database, "file:///a/", 3) as second_claim:
            assert [ref.uri for ref in second_claim.refs] == ["file:///a/3"]
        raise ZeroDivisionError
    with claim_work(database, "file:///a/", 10) as again:
        assert [ref.uri for ref in again.refs] == [ref.uri for ref in refs[:3]]
    with database.read() as connection:
        assert not any_work(connection, "file:///a/")
    database.close()


def test_two_workers_do_not_enroll_one_content_at_a_time(postgresql_url: str) -> None:
    """The second worker returns its photo to the queue until the content is known."""
    database = open_database(postgresql_url)
    with database.begin() as connection:
        add_work(connection, "file:///a/", [PhotoRef("file:///a/1", 1, 1), PhotoRef("file:///a/2", 1, 1)])
    with claim_work(database, "file:///a/", 1) as first, claim_work(database, "file:///a/", 1) as second:
        assert first.claim("file:///a/1", "ab" * 32)
        assert not second.claim("file:///a/2", "ab" * 32)
    with claim_work(database, "file:///a/", 2) as left:
        assert [ref.uri for ref in left.refs] == ["file:///a/2"]
    database.close()


def test_a_worker_and_a_scan_of_its_own_keep_apart(postgresql_url: str, folder: Path) -> None:
    """Workers share with workers only."""
    database = open_database(postgresql_url)
    with lock_sources(database, [FolderSource(folder).uri]), pytest.raises(LockHeld):
        work(postgresql_url, folder, FakeGallery(), [])
    database.close()


def test_sqlite_has_one_worker(tmp_path: Path, folder: Path) -> None:
    """An SQLite file cannot be shared, and the error says so."""
    with pytest.raises(UsageError, match="PostgreSQL only"):
        work(str(tmp_path / "catalog.sqlite3"), folder, FakeGallery(), [])

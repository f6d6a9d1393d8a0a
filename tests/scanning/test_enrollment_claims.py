"""Two scans of different sources find the same photos at the same time."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from catalog.scanning.enrollment_claims import SoloClaims
from catalog.store.database import Database
from catalog.store.source_locks import lock_sources
from tests.fakes import Drawn, save_drawing

SCAN = """
import sys, time
from catalog.domain.errors import PhotoError
from catalog.images.decode import open_image
from catalog.scanning.run_scan import scan
from catalog.sources.folder import FolderSource
from catalog.store.database import open_database
from catalog.domain.charges import Operation
from tests.fakes import FakeEngine

url, folder, broken = sys.argv[1:]

def before(operation, key):
    time.sleep(0.3)
    if broken == "broken":
        raise PhotoError("It cannot be used.")

engine = FakeEngine(before=before)
source, database = FolderSource(folder), open_database(url)
print("ready", flush=True)
sys.stdin.readline()
*outcomes, summary = scan(
    [source], database=database, engine=engine, open_photo=open_image, after_scan=lambda scan_id, summary: None,
    gallery="catalog", version="test", workers=2,
)
print(engine.calls[Operation.INDEX_FACES], summary.discovered, summary.failed)
"""
CONTENTS = 6


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """The same photos twice."""
    left, right = tmp_path / "one", tmp_path / "other"
    for number in range(CONTENTS):
        save_drawing(left / f"{number}.png", [Drawn("ann")], note=number + 1)
    shutil.copytree(left, right)
    return left, right


def scan_both(url: str, folders: tuple[Path, Path], broken: str = "") -> list[list[int]]:
    """Run scans in two processes at the same time; engine calls, photos and failures of each."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", SCAN, url, str(folder), broken if number == 0 else ""],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number, folder in enumerate(folders)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    answers = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    return [list(map(int, answer.split())) for answer in answers]


def test_each_content_is_enrolled_by_one_of_two_scans(
    database: Database, database_url: str, folders: tuple[Path, Path]
) -> None:
    """The other scan waits and finds it known. Both report all of their photos."""
    (calls, discovered, _), (other_calls, other_discovered, _) = scan_both(database_url, folders)
    assert (discovered, other_discovered) == (CONTENTS, CONTENTS)
    assert calls + other_calls == CONTENTS
    with database.read() as connection:
        counts = [
            connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar()
            for table in ("photos", "faces", "locations", "enrollments")
        ]
    assert counts == [CONTENTS, CONTENTS, 2 * CONTENTS, CONTENTS]


def test_a_content_that_one_scan_cannot_enroll_is_tried_by_the_other(
    database: Database, database_url: str, folders: tuple[Path, Path]
) -> None:
    """A claim ends with a failure, too."""
    (_, _, failed), (other_calls, _, other_failed) = scan_both(database_url, folders, "broken")
    assert (other_calls, other_failed) == (CONTENTS, 0)
    assert failed <= CONTENTS
    with database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM photos").scalar() == CONTENTS


def test_a_content_is_free_once_its_claim_is_released(database: Database) -> None:
    """Claims do not affect the locks of sources."""
    with lock_sources(database, ["file:///a/"]) as locks:
        claims = SoloClaims(locks)
        assert claims.claim("file:///a/1", "ab" * 32)
        claims.release("ab" * 32)
        assert claims.claim("file:///a/1", "ab" * 32)
        locks.check()

"""Two scans of different sources find the same photos at the same time."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from catalog.scanning.enrollment_claims import SoloClaims
from catalog.store.database import Database
from catalog.store.source_locks import lock_sources
from tests.fakes import Drawn, save_drawing

SCAN = """
import json, sys, time
from catalog.domain.errors import PhotoError
from catalog.images.decode import open_image
from catalog.scanning.run_scan import scan
from catalog.sources.folder import FolderSource
from catalog.store.database import open_database
from catalog.domain.charges import Operation
from tests.fakes import FakeEngine

def before(operation, key):
    time.sleep(0.3)
    if broken:
        raise PhotoError("It cannot be used.")

for line in sys.stdin:
    url, folder, broken = json.loads(line)
    engine = FakeEngine(before=before)
    source, database = FolderSource(folder), open_database(url)
    print("ready", flush=True)
    sys.stdin.readline()
    *outcomes, summary = scan(
        [source], database=database, engine=engine, open_photo=open_image,
        after_scan=lambda scan_id, summary: None, gallery="catalog", version="test", workers=2,
    )
    database.close()
    print(engine.calls[Operation.INDEX_FACES], summary.discovered, summary.failed, flush=True)
"""
"""Scans a folder for each line of input, when a second line comes."""
CONTENTS = 6


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """The same photos twice."""
    left, right = tmp_path / "one", tmp_path / "other"
    for number in range(CONTENTS):
        save_drawing(left / f"{number}.png", [Drawn("ann")], note=number + 1)
    shutil.copytree(left, right)
    return left, right


class ScanProcess:
    """A process that scans a folder for each test: a start takes longer than a scan."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", SCAN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def read(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the process has ended"
        return line.strip()

    def write(self, line: str) -> None:
        print(line, file=self._process.stdin, flush=True)

    def close(self) -> int:
        self._process.communicate(timeout=60)
        return self._process.returncode


@pytest.fixture(scope="module")
def processes() -> Iterator[tuple[ScanProcess, ScanProcess]]:
    """Two processes that scan at the same time."""
    pair = ScanProcess(), ScanProcess()
    yield pair
    assert [process.close() for process in pair] == [0, 0]


@pytest.fixture
def scan_both(
    processes: tuple[ScanProcess, ScanProcess], database_url: str, folders: tuple[Path, Path]
) -> Callable[..., list[list[int]]]:
    """Scans both folders at the same time; returns engine calls, photos and failures of each scan."""

    def scan(*, is_first_broken: bool = False) -> list[list[int]]:
        for process, folder in zip(processes, folders, strict=True):
            process.write(json.dumps([database_url, str(folder), is_first_broken and process is processes[0]]))
        assert [process.read() for process in processes] == ["ready", "ready"]
        for process in processes:
            process.write("")
        return [list(map(int, process.read().split())) for process in processes]

    return scan


def test_each_content_is_enrolled_by_one_of_two_scans(
    database: Database, scan_both: Callable[..., list[list[int]]]
) -> None:
    """The other scan waits and finds it known. Both report all of their photos."""
    (calls, discovered, _), (other_calls, other_discovered, _) = scan_both()
    assert (discovered, other_discovered) == (CONTENTS, CONTENTS)
    assert calls + other_calls == CONTENTS
    with database.read() as connection:
        counts = [
            connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar()
            for table in ("photos", "faces", "locations", "enrollments")
        ]
    assert counts == [CONTENTS, CONTENTS, 2 * CONTENTS, CONTENTS]


def test_a_content_that_one_scan_cannot_enroll_is_tried_by_the_other(
    database: Database, scan_both: Callable[..., list[list[int]]]
) -> None:
    """A claim ends with a failure, too."""
    (_, _, failed), (other_calls, _, other_failed) = scan_both(is_first_broken=True)
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

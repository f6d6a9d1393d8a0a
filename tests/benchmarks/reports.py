"""Time of each report and of the pages on a catalogue of a million faces.

    python -m tests.benchmarks.reports [--photos 300000] [--faces 1000000] [--people 20000] [--keep FILE] [--no-pages]

Thresholds: every report under two seconds on SQLite; the HTML index, with the pages of the persons on it, under one
minute. The catalogue is made by tests/reports/made_catalog.py, with 30
landmarks and seven emotions a face (about 2 GB, three minutes). Each report is run three times; the best counts, as
wall clock and as processor time of this process.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from catalog.images.decode import InProcessOpener
from catalog.reports.filters import ReportFilters
from catalog.reports.report_registry import reports
from catalog.reports.site.output_folder import SiteFolder
from catalog.reports.site.write_site import write_site
from catalog.store.database import Database, open_database
from tests.reports.made_catalog import fill
from tests.whole_reports import run_report

BAR, INDEX_BAR = 2.0, 60.0
TIMES = 3


def timed(work: Callable[[], object], times: int = TIMES) -> tuple[float, float]:
    """Best wall clock and best processor time, in seconds."""
    walls, processors = [], []
    for _ in range(times):
        wall, processor = time.perf_counter(), time.process_time()
        work()
        walls.append(time.perf_counter() - wall)
        processors.append(time.process_time() - processor)
    return min(walls), min(processors)


def _unread(uri: str) -> bytes:
    raise AssertionError(f"no picture is drawn, so {uri} is not read")


def pages(database: Database, folder: Path) -> None:
    write_site(
        database,
        SiteFolder(folder),
        read=_unread,
        opener=InProcessOpener(),
        workers=1,
        now=datetime.now(UTC),
        version="benchmark",
        pictures=False,
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=300_000)
    parser.add_argument("--faces", type=int, default=1_000_000)
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--keep", type=Path, help="use this file, made where it is missing, and keep it")
    parser.add_argument("--no-pages", action="store_true")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = wanted.keep or Path(folder) / "catalog.db"
        is_new = not path.exists()
        database = open_database(str(path))
        if is_new:
            fill(database, photo_count=wanted.photos, face_count=wanted.faces, person_count=wanted.people, landmarks=30)
        slow = measure(database, None if wanted.no_pages else Path(folder) / "pages")
        database.close()
    print("\nevery one is under its bar" if not slow else f"\nabove the bar: {', '.join(slow)}")
    return 1 if slow else 0


def measure(database: Database, folder: Path | None) -> list[str]:
    """Prints the table; returns what was above its bar."""
    slow = []
    print(f"{'report':32} {'wall s':>7} {'cpu s':>7} {'rows':>6}")
    for name, report in reports().items():
        for label, scope in (
            ("", ReportFilters()),
            (" --person", ReportFilters(person="Ada")),
            (" --since", ReportFilters(since="2015")),
        ):
            if set(scope.given) <= report.parameters:
                rows = len(run_report(database, report, scope, 1000).rows)
                wall, processor = timed(lambda: run_report(database, report, scope, 1000))  # noqa: B023
                print(f"{name + label:32} {wall:7.2f} {processor:7.2f} {rows:6}", flush=True)
                if wall > BAR:
                    slow.append(name + label)
    if folder is not None:
        began = time.time()
        wall, processor = timed(lambda: pages(database, folder), times=1)
        index = (folder / "index.html").stat().st_mtime - began
        print(f"{'html, until the index is there':32} {index:7.2f}", flush=True)
        print(f"{'html, all pages, no pictures':32} {wall:7.2f} {processor:7.2f}", flush=True)
        if index > INDEX_BAR:
            slow.append("html index")
    return slow


if __name__ == "__main__":
    sys.exit(main())

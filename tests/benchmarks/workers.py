"""Four workers on PostgreSQL against one, over the same photos: the same result, in less time.

    python -m tests.benchmarks.workers [--photos 600] [--workers 4] [--folder ../shared/data/lfw/photos]

Compares places, faces per photo, the company that faces keep, and calls; prints both times. Exit code 1 if they differ.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.crash import Bench, postgresql, read_state

LFW = Path(__file__).parent.parent.parent.parent / "shared" / "data" / "lfw" / "photos"


def scan_together(bench: Bench, count: int) -> float:
    """Seconds until the last of so many workers ended."""
    started = time.monotonic()
    command = bench.command("scan", str(bench.photos), "--workers", "1")
    running = [
        subprocess.Popen(
            [*command, "--worker"], env=bench.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        for _ in range(count)
    ]
    for process in running:
        _, errors = process.communicate()
        if process.returncode:
            raise SystemExit(f"a worker ended with {process.returncode}: {errors.decode()[-500:]}")
    return time.monotonic() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=600)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--folder", type=Path, default=LFW)
    arguments = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="workers"))
    environment = {**os.environ, "HOME": str(work), "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    photos = work / "photos"
    for photo in sorted(arguments.folder.rglob("*.jpg"))[: arguments.photos]:
        target = photos / photo.relative_to(arguments.folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(photo, target)
    try:
        with postgresql(work) as server:
            bench = Bench("local-postgresql", work, photos, environment, server)
            bench.reset()
            alone = scan_together(bench, 1)
            expected = read_state(bench.url)
            bench.reset()
            together = scan_together(bench, arguments.workers)
            state, differences = read_state(bench.url), bench.differences()
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print(f"photos {expected.photos}, faces {sum(expected.faces.values())}, persons {len(expected.company)}")
    print(f"one worker    {alone:7.1f} s")
    print(f"{arguments.workers} workers     {together:7.1f} s")
    comparisons = {
        "photos and places": (expected.photos, expected.places) == (state.photos, state.places),
        "faces": expected.faces == state.faces,
        "persons": expected.company == state.company,
        "calls": expected.index_calls == state.index_calls,
        "gallery agrees": differences.agree,
    }
    for name, value in comparisons.items():
        print(f"same {name}: {value}")
    if not comparisons["persons"]:
        print(f"    {len(expected.company ^ state.company)} groups differ of {len(expected.company)}")
    sys.exit(not all(comparisons.values()))


if __name__ == "__main__":
    main()

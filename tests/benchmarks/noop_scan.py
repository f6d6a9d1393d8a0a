r"""Time of a scan without new files, relative to `find` over the same files.

    python -m tests.benchmarks.noop_scan [--files 200000] [--database URL] [--folder DIR]

Threshold: at most 8 times ``find DIR -type f -printf '%s %T@\n' | wc -l`` in the same run, under 300 MB. The files are
copies of a few contents, so that the first scan is cheap. Prints a table.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

PER_FOLDER = 250
TIMES = 3


def make_files(folder: Path, count: int) -> None:
    """``count`` copies of three tiny photos, in folders of 250."""
    originals = []
    for number in range(3):
        name = folder.parent / f"original{number}.jpg"
        noise = np.random.default_rng(number).integers(0, 255, (16, 16, 3), dtype=np.uint8)
        Image.fromarray(noise).save(name, quality=50)
        originals.append(name.read_bytes())
    for start in range(0, count, PER_FOLDER):
        inside = folder / f"{start // 10_000:04}" / f"{start:08}"
        inside.mkdir(parents=True)
        for number in range(start, min(start + PER_FOLDER, count)):
            (inside / f"IMG_{number:08}.jpg").write_bytes(originals[number % 3])


def timed(command: Sequence[str], **options: object) -> tuple[float, int, str]:
    """Seconds, peak memory in MB and output of a command that must succeed."""
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options) as process:  # type: ignore[call-overload]
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command} ended with {process.returncode}")
    return time.perf_counter() - started, usage.ru_maxrss // 1024, output


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=200_000)
    parser.add_argument("--folder", type=Path, help="where to make the files; kept, and used again if there")
    parser.add_argument("--database", help="a PostgreSQL url, instead of an SQLite file")
    arguments = parser.parse_args()
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="noop"))
    photos = folder / "photos"
    try:
        if not photos.exists():
            photos.mkdir(parents=True)
            make_files(photos, arguments.files)
        database = arguments.database or str(folder / "catalog.sqlite3")
        scan = [sys.executable, "-m", "catalog", "scan", str(photos), "--database", database]
        first, memory, output = timed(scan)
        print(f"first scan        {first:8.1f} s  {memory:6} MB  {arguments.files / first:8.0f} files/s")
        find = ["sh", "-c", f"find {photos} -type f -printf '%s %T@\\n' | wc -l"]
        finds, scans = [], []
        for _ in range(TIMES):
            finds.append(timed(find)[0])
            seconds, memory, output = timed(scan)
            scans.append((seconds, memory))
        print(output)
        best_find, (best_scan, memory) = min(finds), min(scans)
        print(f"find              {best_find:8.2f} s   of {[round(run, 2) for run in finds]}")
        print(f"no-op scan        {best_scan:8.2f} s  {memory:6} MB   of {[round(run[0], 2) for run in scans]}")
        print(f"ratio             {best_scan / best_find:8.2f}   (bar: 8)")
        print(json.dumps({"files": arguments.files, "find": best_find, "scan": best_scan, "megabytes": memory}))
    finally:
        if not arguments.folder:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()

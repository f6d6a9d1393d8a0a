"""Does the charge log hold every call of scans that are killed, and is no photo charged again?

    python -m tests.benchmarks.kills [--kills 60] [--photos 40] [--latency 0.4] [--fail-rate 0.05] [--seed 1]

A scan at the endpoint is killed with SIGKILL at a random instant, and started again, until its library is whole; then
a new library begins. Exit code 1:

- The charge log holds fewer calls than the endpoint may have billed.
- It holds more than that and the calls without a recorded answer.
- A photo was enrolled more often than its response was lost.
- The gallery holds an orphan.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from PIL import Image

from catalog.endpoint.fault_injection import CallFaults, FaultPlan, Faults
from catalog.web.endpoint_server import EndpointServer, open_endpoint
from tests.benchmarks import at_endpoint
from tests.benchmarks.paid_once import BILLED, Enrollments

FIXTURES = Path(__file__).parent.parent / "fixtures"
WORKERS = 8


class CountedFaults(Faults):
    """Counts the calls of IndexFaces whose response was lost after the work."""

    lost_responses = 0

    def draw(self, operation: str) -> CallFaults:
        faults = super().draw(operation)
        self.lost_responses += operation == "IndexFaces" and faults.after is not None
        return faults


def make_photos(folder: Path, count: int) -> None:
    """Portraits in several sizes, each another content with a face."""
    folder.mkdir(parents=True)
    portraits = sorted(FIXTURES.glob("*.jpg"))
    for number in range(count):
        with Image.open(portraits[number % len(portraits)]) as image:
            scale = (300 + 3 * number) / max(image.size)
            size = (round(image.width * scale), round(image.height * scale))
            image.convert("RGB").resize(size).save(folder / f"photo{number:03}.jpg", quality=88)


def run(environment: dict[str, str], *arguments: str) -> Any:
    command = [sys.executable, "-m", "catalog", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def billed(server: EndpointServer) -> int:
    return sum(server.service.tally["IndexFaces", error] for error in BILLED)


def logged(environment: dict[str, str]) -> Counter[str]:
    """Calls of IndexFaces in the charge log, by command."""
    if not Path(environment["CATALOG_DATABASE_URL"]).exists():  # killed before the catalogue was made
        return Counter()
    costs = run(environment, "costs", "--json")
    assert costs.returncode == 0, costs.stderr
    rows = json.loads(costs.stdout)["month"]["charges"]
    return Counter({row["command"]: row["calls"] for row in rows if row["operation"] == "IndexFaces"})


def scan_until_killed(
    server: EndpointServer, environment: dict[str, str], photos: Path, chance: random.Random, latency: float
) -> bool:
    """Start a scan and kill it at a random instant after its first response. False when it ended before.

    The instant is within the time in which the workers make three rounds of calls.
    """
    command = [sys.executable, "-m", "catalog", "scan", str(photos), "--workers", str(WORKERS)]
    scan = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    before = billed(server)
    while scan.poll() is None and billed(server) == before:
        time.sleep(0.02)
    try:
        scan.wait(chance.uniform(0.0, 3 * latency))
    except subprocess.TimeoutExpired:
        os.killpg(scan.pid, signal.SIGKILL)
        scan.wait()
        return True
    return False


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--photos", type=int, default=40)
    parser.add_argument("--latency", type=float, default=0.4)
    parser.add_argument("--fail-rate", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    plan = FaultPlan(latency=options.latency, fail_rate=options.fail_rate, seed=options.seed)
    kills = libraries = logged_total = lost_total = orphans = short = 0
    with tempfile.TemporaryDirectory() as root, open_endpoint(str(Path(root, "endpoint.sqlite3")), plan=plan) as server:
        photos = Path(root, "photos")
        make_photos(photos, options.photos)
        enrollments = Enrollments(server.service._handlers["IndexFaces"])
        server.service._handlers["IndexFaces"] = enrollments
        faults = CountedFaults(plan)
        server.service.faults = faults
        with server.in_background() as url:
            while kills < options.kills:
                libraries += 1
                home = Path(root, f"home{libraries}")
                home.mkdir()
                environment = {**os.environ, **at_endpoint.environment(url, home, calls_per_second=100)}
                environment["CATALOG_ENGINE_GALLERY"] = f"library{libraries}"
                before = billed(server)
                while scan_until_killed(server, environment, photos, chance, options.latency):
                    kills += 1
                    time.sleep(2 * options.latency)  # the endpoint finishes the calls that were under way
                    short += sum(logged(environment).values()) < billed(server) - before
                    if kills == options.kills:
                        break
                final = run(environment, "scan", str(photos), "--workers", str(WORKERS))
                if final.returncode:
                    print(final.stderr)
                calls = logged(environment)
                logged_total += sum(calls.values())
                lost_total += calls["lost"]
                orphans += json.loads(run(environment, "reconcile", "--dry-run", "--json").stdout)["orphans"]
                shutil.rmtree(home)
        answers = billed(server)
        again = sum(count - 1 for count in enrollments.worked.values())
    print(f"kills {kills} in {libraries} libraries of {options.photos} photos")
    print(f"IndexFaces: endpoint may have billed {answers}, charge log {logged_total} (of them lost {lost_total})")
    print(f"charge log short after a kill: {short} times")
    print(f"in the charge log and not billed: {logged_total - answers}")
    print(f"photos worked on again: {again}; responses that were lost after the work: {faults.lost_responses}")
    print(f"orphans: {orphans}")
    is_exact = answers <= logged_total <= answers + min(lost_total, kills * WORKERS)
    return 0 if is_exact and not short and not orphans and again <= faults.lost_responses else 1


if __name__ == "__main__":
    sys.exit(main())

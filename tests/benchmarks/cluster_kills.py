"""Do scans on a cluster survive the deaths of workers, scheduler and coordinator?

    python -m tests.benchmarks.cluster_kills [--kills 200] [--photos 24] [--pairs local-sqlite endpoint-postgresql ...]

Processes are killed with SIGKILL at random instants of scans. After the death of a scheduler a new cluster is started.
The same command runs again until the library is whole; then a new library begins. Exit code 1:

- A photo, location, face, person or problem differs from those of an undisturbed scan in one process.
- The gallery holds an orphan, or a photo was enrolled more often than its response was lost.
- The charge log holds fewer calls than the endpoint may have billed, or more than that and the lost calls.
- A scan ends with another exit code than 0, or 5 after the death of a scheduler, or does not end.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from catalog.distributed.processes import ClusterProcesses
from catalog.endpoint.fault_injection import FaultPlan
from catalog.web.endpoint_server import EndpointServer, open_endpoint
from tests.benchmarks import at_endpoint
from tests.benchmarks.kills import CountedFaults, billed, make_photos, run
from tests.benchmarks.paid_once import Enrollments
from tests.benchmarks.two_machines import postgresql
from tests.recorded_rows import recorded_rows

PAIRS = ("local-sqlite", "local-postgresql", "endpoint-sqlite", "endpoint-postgresql")
TARGETS = ("worker", "workers", "scheduler", "coordinator", "coordinator", "sessions")
"""What to kill, drawn evenly: one worker, both at once, and so on. ``sessions`` are those of PostgreSQL, as a restart
ends them; on SQLite a worker is killed instead."""

WORKERS = 2
LONGEST_SECONDS = 600.0
MAX_RUNS = 50

COMPARED = ("photos", "locations", "faces", "persons", "problems")


@dataclass
class Tally:
    """Counts of one pair of engine and database."""

    kills: Counter[str] = field(default_factory=Counter)
    libraries: int = 0
    failures: list[str] = field(default_factory=list)
    orphans: int = 0
    short: int = 0
    logged: int = 0
    lost: int = 0


class Cluster:
    """A scheduler and workers, replaced after the death of the scheduler."""

    def __init__(self) -> None:
        self.processes = ClusterProcesses(WORKERS)

    def renew(self) -> None:
        self.processes.close()
        self.processes = ClusterProcesses(WORKERS)

    def kill(self, target: str, chance: random.Random) -> None:
        workers = list(self.processes.worker_ids)
        if target == "scheduler":
            assert self.processes.scheduler_id is not None
            chosen = [self.processes.scheduler_id]
        else:
            chosen = workers if target == "workers" else [chance.choice(workers)]
        for process in chosen:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)


class Library:
    """One catalogue and its gallery."""

    def __init__(self, url: str, environment: dict[str, str], photos: Path) -> None:
        self.url = url
        self.environment = {**environment, "CATALOG_DATABASE_URL": url, "CATALOG_CLUSTER_WAIT_SECONDS": "40"}
        self.photos = photos

    def start(self, *options: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "catalog", "scan", str(self.photos), *options],
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def logged(self) -> Counter[str]:
        """Calls of IndexFaces in the charge log, by command."""
        costs = run(self.environment, "costs", "--json")
        if costs.returncode:  # killed before the catalogue was made
            return Counter()
        rows = json.loads(costs.stdout)["month"]["charges"]
        return Counter({row["command"]: row["calls"] for row in rows if row["operation"] == "IndexFaces"})

    def orphans(self) -> int:
        return int(json.loads(run(self.environment, "reconcile", "--dry-run", "--json").stdout)["orphans"])


class Bench:
    """Kills scans of one pair of engine and database."""

    def __init__(self, pair: str, root: Path, photos: Path, postgres: str, url: str) -> None:
        self.engine, self.kind = pair.split("-")
        self.root, self.photos, self.postgres = root, photos, postgres
        self.environment = {**os.environ, "HOME": str(root), "OMP_NUM_THREADS": "1"}
        if self.engine == "endpoint":
            self.environment |= at_endpoint.environment(url, root, calls_per_second=100)
        self.number = 0
        self.expected: dict[str, Any] = {}
        self.length = 0.0

    def library(self) -> Library:
        self.number += 1
        name = f"{self.engine}_{self.kind}_{self.number}"
        environment = {**self.environment, "CATALOG_ENGINE_GALLERY": name}
        if self.kind == "sqlite":
            return Library(str(self.root / f"{name}.sqlite3"), environment, self.photos)
        with psycopg.connect(self.postgres, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return Library(self.postgres.replace("/postgres?", f"/{name}?"), environment, self.photos)

    def learn(self, cluster: Cluster) -> None:
        """Scan undisturbed: in one process for the rows, on the cluster for the seconds."""
        alone = self.library()
        subprocess.run(
            [sys.executable, "-m", "catalog", "scan", str(self.photos)],
            env=alone.environment,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.expected = comparable(recorded_rows(alone.url), boxes_only=self.engine == "endpoint")
        began = time.monotonic()
        self.library().start("--cluster", cluster.processes.address).communicate()
        self.length = time.monotonic() - began

    def end_sessions(self, library: Library) -> None:
        query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
        name = library.url.rpartition("/postgres:@/")[2].partition("?")[0]
        with psycopg.connect(self.postgres, autocommit=True) as connection:
            connection.execute(query, (name,))

    def differences(self, library: Library) -> list[str]:
        rows = comparable(recorded_rows(library.url), boxes_only=self.engine == "endpoint")
        return [
            f"{name}: {len(rows[name])} rows, expected {len(self.expected[name])}"
            for name in COMPARED
            if rows[name] != self.expected[name]
        ]


def comparable(rows: dict[str, Any], *, boxes_only: bool) -> dict[str, Any]:
    """Rows without the name of the gallery, which differs from library to library.

    ``boxes_only``: of a photo that was enrolled in a killed call, Amazon still tells the boxes and no attributes.
    """
    faces = []
    for row in rows["faces"]:
        sha256, engine, _, *values = row.strip("()").split(", ")
        faces.append((sha256, engine, *(values[:5] if boxes_only else values)))
    return rows | {"faces": sorted(faces)}


def disturbed_scan(
    bench: Bench, library: Library, cluster: Cluster, chance: random.Random, tally: Tally, most: int
) -> bool:
    """One run of the command, with kills. Returns True if it completed the library."""
    process = library.start("--cluster", cluster.processes.address)
    began, kills = time.monotonic(), sum(tally.kills.values())
    end = began + LONGEST_SECONDS
    allowed = {0}
    while sum(tally.kills.values()) < most and allowed == {0}:
        try:
            process.wait(chance.uniform(0, bench.length))
            if sum(tally.kills.values()) == kills:
                bench.length = time.monotonic() - began  # the machine has become less busy
            break
        except subprocess.TimeoutExpired:
            target = chance.choice(TARGETS)
            if target == "sessions" and bench.kind == "sqlite":
                target = "worker"
        tally.kills[target] += 1
        if target == "coordinator":
            os.killpg(process.pid, signal.SIGKILL)
            allowed = {-signal.SIGKILL}
        elif target == "sessions":
            bench.end_sessions(library)
            allowed = {0, 6}
        else:
            cluster.kill(target, chance)
            if target == "scheduler":
                allowed = {0, 5}
    try:
        _, errors = process.communicate(timeout=max(end - time.monotonic(), 1))
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        tally.failures.append(f"a scan did not end within {LONGEST_SECONDS:.0f} s")
    else:
        if process.returncode not in allowed:
            tally.failures.append(f"exit code {process.returncode}: {errors[-400:]}")
    if 5 in allowed:
        cluster.renew()
    return process.returncode == 0


class Round:
    """One pair with its endpoint and tally."""

    def __init__(self, bench: Bench, server: EndpointServer, faults: CountedFaults, enrollments: Enrollments) -> None:
        self.bench, self.server, self.faults, self.enrollments = bench, server, faults, enrollments
        self.tally = Tally()

    @property
    def kills(self) -> int:
        return sum(self.tally.kills.values())

    @property
    def enrolled_twice(self) -> int:
        """Photos that were enrolled again although no response was lost."""
        again = sum(count - 1 for count in self.enrollments.worked.values())
        return int(max(again - self.faults.lost_responses, 0))

    @property
    def wrong(self) -> int:
        return len(self.tally.failures) + self.tally.orphans + self.tally.short + self.enrolled_twice

    def kill_scans(self, cluster: Cluster, most: int, chance: random.Random) -> None:
        """Scan one new library until it is whole, with at most ``most`` kills; then compare and count."""
        tally, library = self.tally, self.bench.library()
        tally.libraries += 1
        before, most = billed(self.server), self.kills + most
        for _ in range(MAX_RUNS):
            if disturbed_scan(self.bench, library, cluster, chance, tally, most):
                break
            time.sleep(1)  # the endpoint finishes the calls that were under way
            tally.short += sum(library.logged().values()) < billed(self.server) - before
        else:
            tally.failures.append(f"the library is not whole after {MAX_RUNS} runs")
        tally.failures += [f"{library.url}: {difference}" for difference in self.bench.differences(library)]
        calls, answers = library.logged(), billed(self.server) - before
        tally.logged += sum(calls.values())
        tally.lost += calls["lost"]
        if not answers <= sum(calls.values()) <= answers + calls["lost"]:
            tally.failures.append(f"charge log {dict(calls)}, endpoint {answers}")
        tally.orphans += library.orphans()

    def __str__(self) -> str:
        tally = self.tally
        return (
            f"{self.bench.engine}-{self.bench.kind}: {dict(tally.kills)} in {tally.libraries} libraries; failures "
            f"{len(tally.failures)}, orphans {tally.orphans}, log short {tally.short} times, enrolled twice "
            f"{self.enrolled_twice}; charge log {tally.logged} calls (lost {tally.lost}), responses lost "
            f"{self.faults.lost_responses}"
        )


@contextlib.contextmanager
def endpoint(folder: Path, photos: int) -> Iterator[tuple[EndpointServer, CountedFaults, Enrollments, str]]:
    """An endpoint that counts how often each photo is enrolled, and how many responses are lost."""
    plan = FaultPlan(latency=0.3, fail_rate=0.05, seed=photos)
    with open_endpoint(str(folder / "endpoint.sqlite3"), plan=plan) as server:
        enrollments = Enrollments(server.service._handlers["IndexFaces"])
        server.service._handlers["IndexFaces"] = enrollments
        faults = server.service.faults = CountedFaults(plan)
        with server.in_background() as url:
            yield server, faults, enrollments, url


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kills", type=int, default=200, help="in all")
    parser.add_argument("--photos", type=int, default=24)
    parser.add_argument("--pairs", nargs="+", default=PAIRS, choices=PAIRS)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance, kills = random.Random(options.seed), 0
    with contextlib.ExitStack() as stack:
        root = stack.enter_context(tempfile.TemporaryDirectory())
        postgres = stack.enter_context(postgresql())
        photos = Path(root, "photos")
        make_photos(photos, options.photos)
        cluster = Cluster()
        stack.callback(lambda: cluster.processes.close())
        rounds = []
        for pair in options.pairs:
            folder = Path(root, pair)
            folder.mkdir()
            server, faults, enrollments, url = stack.enter_context(endpoint(folder, options.photos))
            bench = Bench(pair, folder, photos, postgres, url)
            bench.learn(cluster)
            rounds.append(Round(bench, server, faults, enrollments))
        while kills < options.kills and not any(one_round.wrong for one_round in rounds):
            for one_round in rounds:
                one_round.kill_scans(cluster, options.kills - kills, chance)
                kills = sum(counted.kills for counted in rounds)
                print(f"{kills:>4} kills: {one_round}", flush=True)
        for one_round in rounds:
            print(one_round)
            for failure in one_round.tally.failures:
                print(f"    {failure}")
        return 1 if any(one_round.wrong for one_round in rounds) else 0


if __name__ == "__main__":
    sys.exit(main())

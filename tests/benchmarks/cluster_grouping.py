"""Assignment of made faces to people: two workers of a cluster against one process on one processor.

    python -m tests.benchmarks.cluster_grouping [--faces 100000] [--more 10000] [--workers 2]

Thresholds with 1,000,000 faces: the same persons, and the neighbor graph at 0.85 of twice the speed of one process, in
less than 4 GB each; 100,000 more within 6 minutes. Prints a table.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import resource
import subprocess
import sys
import tempfile
import uuid
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter

import numpy as np
from sqlalchemy import select

import catalog
from catalog.app.cluster_means import ClusterMeansEngine, ComputingCluster
from catalog.app.grouping_rules import rules_of
from catalog.app.settings import load_settings
from catalog.domain.engine import NeighborEdges
from catalog.identities.assignment.assign_people import assign_people
from catalog.store.database import open_database
from catalog.store.tables import assignments, faces
from tests.benchmarks.identities.library import NOW, Meaning
from tests.benchmarks.identities.scale import enroll_made_faces, made_faces


@dataclass
class TimedMeaning(Meaning):
    """Adds up the time of neighbor graphs that are computed in this process."""

    graph_seconds: float = 0.0

    def neighbor_edges(self, face_ids: Sequence[str], *, per_face: int, floor: float) -> NeighborEdges:
        began = perf_counter()
        edges = super().neighbor_edges(face_ids, per_face=per_face, floor=floor)
        self.graph_seconds += perf_counter() - began
        return edges


class TimedClusterEngine(ClusterMeansEngine):
    """Adds up the time of neighbor graphs, which the workers compute."""

    graph_seconds = 0.0

    @property
    def group_means(self) -> TimedClusterEngine:  # type: ignore[override]
        return self

    def neighbor_edges(self, face_ids: Sequence[str], *, per_face: int, floor: float) -> NeighborEdges:
        means = super().group_means
        assert means is not None
        began = perf_counter()
        edges = means.neighbor_edges(face_ids, per_face=per_face, floor=floor)
        self.graph_seconds += perf_counter() - began
        return edges

    def group_vectors(self, face_ids: Sequence[str]) -> np.ndarray:
        return self.inner.group_vectors(face_ids)  # type: ignore[attr-defined,no-any-return]

    def similarities(self, values: Sequence[float]) -> list[float]:
        return self.inner.similarities(values)  # type: ignore[attr-defined,no-any-return]


def peak_megabytes(_number: int = 0) -> tuple[int, float]:
    """Id of this process, and the most memory that it had."""
    return os.getpid(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def run(path: Path, count: int, more: int, cluster: ComputingCluster | None) -> dict[str, float]:
    """Group the faces, then the further ones, in a new catalogue. Returns seconds and megabytes."""
    gc.set_threshold(20_000)  # as the command line does
    database = open_database(str(path))
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        # Another process makes the faces, which takes more memory than grouping them.
        vectors, people = pool.submit(made_faces, count + more).result()
    ids = [str(uuid.UUID(int=number + 1)) for number in range(count + more)]
    rules = rules_of(load_settings(None).identities)
    local = TimedMeaning(ids, vectors, None)
    engine = local if cluster is None else TimedClusterEngine(local, cluster)  # type: ignore[arg-type]
    figures: dict[str, float] = {}
    for night, (start, end) in enumerate([(0, count), (count, count + more)]):
        scan_id = enroll_made_faces(database, ids[start:end], people[start:end], night)
        began, graph = perf_counter(), engine.graph_seconds
        assign_people(database, engine, rules, gallery="catalog", scan_id=scan_id, now=NOW)  # type: ignore[arg-type]
        name = ("first", "more")[night]
        figures[name], figures[f"{name} graph"] = perf_counter() - began, engine.graph_seconds - graph
    if cluster is not None:
        peaks = dict(future.result() for future in [cluster.run(peak_megabytes, number) for number in range(16)])
        figures["worker"] = max(peaks.values())
    figures["process"] = peak_megabytes()[1]
    database.close()
    return figures


def groups(path: Path) -> set[frozenset[str]]:
    """The faces of each person."""
    database = open_database(str(path), read_only=True)
    faces_of: dict[int, set[str]] = defaultdict(set)
    with database.read() as connection:
        query = select(assignments.c.person_id, faces.c.face_id).join(faces, faces.c.id == assignments.c.face_id)
        for person, face in connection.execute(query):
            faces_of[person].add(face)
    database.close()
    return set(map(frozenset, faces_of.values()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", type=int, default=100_000)
    parser.add_argument("--more", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--run", nargs=2, metavar=("WAY", "DATABASE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.environ["PYTHONPATH"] = str(Path(__file__).parents[2])  # the workers import this module
    if options.run:
        way, path = options.run
        if way == "one":
            os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
            print(json.dumps(run(Path(path), options.faces, options.more, None)))
        else:
            with catalog.connect_cluster(f"local:{options.workers}", wait_seconds=120) as cluster:
                print(json.dumps(run(Path(path), options.faces, options.more, cluster)))  # type: ignore[arg-type]
        return
    with tempfile.TemporaryDirectory() as folder:
        figures = {}
        for way in ("one", "cluster"):
            command = [
                sys.executable,
                "-m",
                "tests.benchmarks.cluster_grouping",
                "--run",
                way,
                f"{folder}/{way}.sqlite3",
            ]
            sizes = [f"--faces={options.faces}", f"--more={options.more}", f"--workers={options.workers}"]
            # The threads of numpy's products start when it is imported, before the processor is chosen.
            environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"} if way == "one" else None
            output = subprocess.check_output([*command, *sizes], text=True, env=environment)
            figures[way] = json.loads(output.splitlines()[-1])
        one, many = figures["one"], figures["cluster"]
        print(f"{options.faces:,} faces, then {options.more:,} more    one process  {options.workers} workers")
        for name in ("first", "first graph", "more", "more graph"):
            print(f"{name:38} {one[name]:9.1f} s {many[name]:9.1f} s   {one[name] / max(many[name], 1e-9):5.2f} times")
        print(f"{'memory of the process':38} {one['process']:8.0f} MB {many['process']:8.0f} MB")
        print(f"{'memory of a worker':38} {'':11} {many['worker']:8.0f} MB")
        is_equal = groups(Path(folder) / "one.sqlite3") == groups(Path(folder) / "cluster.sqlite3")
        print(f"the same persons: {is_equal}")
        sys.exit(0 if is_equal else 1)


if __name__ == "__main__":
    # Workers import functions by the name of this module.
    from tests.benchmarks.cluster_grouping import main as start

    start()

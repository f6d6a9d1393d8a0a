"""Persons of a scan through the Rekognition protocol, compared with those of the local engine in process.

Run by hand: ``python -m tests.benchmarks.same_persons [--every N]`` (needs ../shared/data/lfw). Both scans see the same
photos with the same networks; once with the local engine, once with the Rekognition engine, whose calls go over HTTP
to the endpoint. They differ in what clustering may see: exact means of groups in process, lists of neighbors over
HTTP.

Prints, for the face nearest the middle of each photo, B-cubed precision and recall against the truth, the number of
pairs of photos that only one of the two scans puts together, and the paid calls. If IndexFaces was called more than
once for a photo, because the client stopped waiting, it prints those calls and their duration beside the charge log,
which counts them too.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from contextlib import closing
from itertools import combinations
from pathlib import Path
from typing import Any

from catalog.endpoint.service import Handler
from catalog.web.endpoint_server import open_endpoint

DATA = Path(__file__).parents[3] / "shared" / "data" / "lfw"
QUERY = "SELECT photo_sha256, person_id, box_left + box_width / 2, box_top + box_height / 2 FROM v1_faces"


class Calls:
    """Stands before IndexFaces and notes how long each call took, by photo."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.seconds: defaultdict[str, list[float]] = defaultdict(list)

    def __call__(self, call: Any) -> Any:
        began = time.monotonic()
        try:
            return self.handler(call)
        finally:
            self.seconds[call.members["ExternalImageId"]].append(time.monotonic() - began)

    def tell(self, ledger: int) -> None:
        every = sorted(seconds for durations in self.seconds.values() for seconds in durations)
        print(
            f"IndexFaces {len(every)} for {len(self.seconds)} photos, in the charge log {ledger}; "
            f"median {every[len(every) // 2]:.2f} s, longest {every[-1]:.1f} s"
        )
        for durations in self.seconds.values():
            if len(durations) > 1:
                print(f"  called {len(durations)} times: {', '.join(f'{seconds:.1f} s' for seconds in durations)}")


Persons = dict[str, str]
"""Name or person id of the centre face, by the photo's SHA-256."""


def scan(folder: Path, home: Path, **variables: str) -> Persons:
    database = home / "catalog.sqlite3"
    environment = {
        **os.environ,
        "HOME": str(home),
        "XDG_STATE_HOME": str(home),
        "CATALOG_DATABASE_URL": str(database),
        **variables,
    }
    command = [sys.executable, "-m", "catalog.cli.main", "scan", str(folder)]
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    return in_the_middle(database)


def in_the_middle(database: Path) -> Persons:
    middle: dict[str, tuple[float, str]] = {}
    with closing(sqlite3.connect(database)) as connection:
        for place, (sha256, person, x, y) in enumerate(connection.execute(QUERY)):
            by_group = ((x - 0.5) ** 2 + (y - 0.5) ** 2, person or f"alone-{place}")
            middle[sha256] = min(middle.get(sha256, by_group), by_group)
    return {sha256: person for sha256, (_, person) in middle.items()}


def groups(persons: Persons) -> dict[str, set[str]]:
    by_group = defaultdict(set)
    for sha256, person in persons.items():
        by_group[person].add(sha256)
    return by_group


def pairs(persons: Persons) -> set[tuple[str, str]]:
    return {pair for group in groups(persons).values() for pair in combinations(sorted(group), 2)}


def b_cubed(persons: Persons, truth: Persons) -> tuple[float, float]:
    """Precision and recall; a photo without a face is a group of its own."""
    predicted = {sha256: persons.get(sha256, sha256) for sha256 in truth}
    joint = Counter((predicted[sha256], truth[sha256]) for sha256 in truth)
    by_group, people = Counter(predicted.values()), Counter(truth.values())
    precision = sum(n * n / by_group[group] for (group, _), n in joint.items()) / len(truth)
    return precision, sum(n * n / people[name] for (_, name), n in joint.items()) / len(truth)


def main() -> None:
    parser = argparse.ArgumentParser(description="Does a scan through Amazon's protocol find the same persons?")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="take the photos of every N-th person")
    options = parser.parse_args()
    with (DATA / "people.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    names = sorted({row["person"] for row in rows})[:: options.every]
    chosen = [row for row in rows if row["person"] in set(names)]
    with tempfile.TemporaryDirectory() as root:
        photos, local, remote = (Path(root, name) for name in ("photos", "local", "remote"))
        for folder in (photos, local, remote):
            folder.mkdir()
        truth = {}
        for row in chosen:
            source = DATA / "photos" / row["photo"]
            shutil.copyfile(source, photos / source.name)
            truth[hashlib.sha256(source.read_bytes()).hexdigest()] = row["person"]
        print(f"{len(truth)} photos of {len(names)} people")
        local_persons = scan(photos, local, CATALOG_ENGINE_NAME="local")
        with open_endpoint() as server, server.in_background() as url:
            handlers = server.service._handlers
            calls = handlers["IndexFaces"] = Calls(handlers["IndexFaces"])  # type: ignore[index]
            remote_persons = scan(
                photos,
                remote,
                CATALOG_ENGINE_NAME="rekognition",
                CATALOG_REKOGNITION_REGION="us-east-1",
                CATALOG_REKOGNITION_ENDPOINT_URL=url,
                CATALOG_REKOGNITION_CALLS_PER_SECOND="1000",
                AWS_ACCESS_KEY_ID="a",
                AWS_SECRET_ACCESS_KEY="b",
            )
            searches = server.service.tally["SearchFaces", ""]
        with closing(sqlite3.connect(remote / "catalog.sqlite3")) as connection:
            (ledger,) = connection.execute("SELECT sum(calls) FROM charges WHERE operation = 'IndexFaces'").fetchone()
    for label, persons in (("local", local_persons), ("through the endpoint", remote_persons)):
        precision, recall = b_cubed(persons, truth)
        print(f"{label:21} {len(groups(persons)):5} persons, B-cubed precision {precision:.4f} recall {recall:.4f}")
    local_pairs, remote_pairs, true_pairs = pairs(local_persons), pairs(remote_persons), pairs(truth)
    print(
        f"pairs of photos of one person: {len(true_pairs)} in truth, "
        f"{len(local_pairs)} local, {len(remote_pairs)} through the endpoint"
    )
    for label, only in (("local", local_pairs - remote_pairs), ("through the endpoint", remote_pairs - local_pairs)):
        print(f"only {label}: {len(only)} pairs, {len(only & true_pairs)} of them right")
    print(f"SearchFaces {searches}")
    calls.tell(ledger)


if __name__ == "__main__":
    main()

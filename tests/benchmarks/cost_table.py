"""Costs three times: the plan before a scan, the charge log after it, and the tally of the endpoint.

    python -m tests.benchmarks.cost_table [--photos 120]        (needs ../shared/data/lfw)

Prints a row for each paid operation of each scan. Exit code 1: the charge log differs from the tally; a tally is
outside the planned range; a plan that must be exact is not; the dollars of a plan and of the charge log differ
by more than 15 %.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import shutil
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from catalog.cli.main import run
from catalog.domain.charges import Operation
from catalog.web.endpoint_server import EndpointServer, open_endpoint
from tests.benchmarks import at_endpoint
from tests.cli.photos_of_nobody import save_photos_without_faces

DATA = Path(__file__).parents[3] / "shared" / "data" / "lfw"
TOLERANCE = 0.15
PAID = {operation.value for operation in Operation}
Calls = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """Exit code and output of a command."""

    code: int
    out: str
    err: str


class Library:
    """One catalogue with a gallery of its own at the endpoint."""

    def __init__(self, server: EndpointServer, url: str, root: Path, name: str, **variables: str) -> None:
        self.server = server
        self.photos = root / name / "photos"
        self.photos.mkdir(parents=True)
        self.environment = {
            **os.environ,
            **at_endpoint.environment(url, root / name, calls_per_second=500),
            "CATALOG_ENGINE_GALLERY": name,
            "CATALOG_REKOGNITION_USER_VECTOR_MIN_FACES": "2",
            **variables,
        }

    def run(self, *arguments: str | Path) -> Answer:
        """Run one command in this process."""
        out, err = io.StringIO(), io.StringIO()
        with patch.dict(os.environ, self.environment), redirect_stdout(out), redirect_stderr(err):
            code = run([str(argument) for argument in arguments])
        return Answer(code, out.getvalue(), err.getvalue())

    def json(self, *arguments: str | Path) -> Any:
        done = self.run(*arguments, "--json")
        assert done.code == 0, done.err
        return json.loads(done.out)

    def add(self, photos: Sequence[Path], prefix: str = "") -> None:
        for photo in photos:
            shutil.copyfile(photo, self.photos / f"{prefix}{photo.name}")

    def logged(self) -> tuple[Counter[str], float]:
        """Calls by operation, and dollars, of this month."""
        calls: Counter[str] = Counter()
        rows = self.json("costs")["month"]["charges"]
        for row in rows:
            calls[row["operation"]] += row["calls"]
        return calls, sum(row["dollars"] for row in rows)

    def answered(self) -> Counter[str]:
        counts: Counter[str] = Counter()
        for (operation, error), number in self.server.service.tally.items():
            if operation in PAID and not error:
                counts[operation] += number
        return counts


class Table:
    """Prints rows and counts what is not proven."""

    def __init__(self) -> None:
        self.failures = 0
        head = ("scan", "operation", "plan", "range", "charge log", "endpoint")
        print("{:34} {:20} {:>6} {:>12} {:>10} {:>8}".format(*head))

    def fail(self, sentence: str) -> None:
        self.failures += 1
        print(f"    NOT PROVEN: {sentence}")

    def compare(self, name: str, library: Library, *options: str, exact: Sequence[str] = ("IndexFaces",)) -> None:
        """Plan and run one scan. ``exact`` are the operations whose plan must equal the calls."""
        plan = library.json("scan", library.photos, "--dry-run", *options)
        calls_before, dollars_before = library.logged()
        answered_before = library.answered()
        done = library.run("scan", library.photos, *options)
        if done.code:
            self.fail(f"exit code {done.code}: {done.err}")
        calls, dollars = library.logged()
        calls, answered = calls - calls_before, library.answered() - answered_before
        planned: dict[str, Calls] = {call["operation"]: call for call in plan["calls"]}
        nothing = {"calls": 0, "calls_lowest": 0, "calls_highest": 0}
        for operation in sorted(planned.keys() | calls.keys() | answered.keys()):
            row = planned.get(operation, nothing)
            bounds = f"{row['calls_lowest']}-{row['calls_highest']}"
            print(
                f"{name:34} {operation:20} {row['calls']:6} {bounds:>12} {calls[operation]:10} {answered[operation]:8}"
            )
            if calls[operation] != answered[operation]:
                self.fail("the charge log differs from the endpoint's tally")
            if not row["calls_lowest"] <= calls[operation] <= row["calls_highest"]:
                self.fail("the calls are outside the planned range")
            if operation in exact and calls[operation] != row["calls"]:
                self.fail("the plan must be exact")
        spent = dollars - dollars_before
        error = abs(plan["dollars"] - spent) / spent if spent else float(plan["dollars"] > 0)
        print(f"{name:34} {'dollars':20} {plan['dollars']:.4f} {'':>9} {spent:10.4f} {f'{error:.1%} off':>12}")
        if error > TOLERANCE:
            self.fail(f"the plan is {error:.0%} off")

    def refused(self, name: str, library: Library) -> None:
        """Both the plan and the scan must be refused with exit code 5, without a paid call."""
        before = library.answered()
        codes = [library.run("scan", library.photos, *options).code for options in ((), ("--dry-run",))]
        print(f"{name:34} exit codes {codes}, {sum((library.answered() - before).values())} paid calls")
        if codes != [5, 5] or library.answered() != before:
            self.fail("a plan that the scan refuses")


def choose(count: int) -> list[Path]:
    """Half of the photos show persons with several photos, half show persons with one."""
    with (DATA / "people.csv").open(newline="") as file:
        photos_by_person = defaultdict(list)
        for row in csv.DictReader(file):
            photos_by_person[row["person"]].append(DATA / "photos" / row["photo"])
    several = [photo for photos in photos_by_person.values() if len(photos) >= 3 for photo in photos[:5]]
    single = [photos[0] for photos in photos_by_person.values() if len(photos) == 1]
    return [photo for pair in zip(several[: count // 2], single[: count // 2], strict=True) for photo in pair]


def confirm_persons(library: Library, count: int) -> None:
    """Confirm the faces of the first persons with several faces, which gives them user vectors."""
    people = [person for person in library.json("people", "list") if person["faces"] >= 2][:count]
    for person in people:
        for face in library.json("people", "show", person["person"])["faces"]:
            assert library.run("people", "confirm", face["face"], person["person"]).code == 0


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--photos", type=int, default=120)
    options = parser.parse_args()
    if not DATA.is_dir():
        print(f"{DATA} is not there")
        return 0
    photos = choose(options.photos)
    half = len(photos) // 2
    table = Table()
    with tempfile.TemporaryDirectory() as folder, open_endpoint() as server, server.in_background() as url:
        root = Path(folder)
        library = Library(server, url, root, "nights")
        library.add(photos[:half])
        table.compare("first scan", library)
        table.compare("second night, nothing new", library, exact=("IndexFaces", "SearchFaces"))
        library.add(photos[half:])
        table.compare("half-known library", library)
        library.add(photos[: half // 2], prefix="copy of ")
        table.compare("copies of known photos", library, exact=("IndexFaces", "SearchFaces"))

        library.environment["CATALOG_REKOGNITION_USER_VECTORS"] = "true"
        confirm_persons(library, 3)
        table.compare("first user vectors", library, exact=("AssociateFaces", "IndexFaces", "SearchFaces"))
        for number, photo in enumerate(photos[:2]):
            assert library.run("watch", "add", f"person {number}", photo).code == 0
        after = ("SearchFacesByImage", "AssociateFaces", "IndexFaces")
        table.compare("watch list of two", library, exact=after)
        table.compare("watch list, nothing new", library, exact=after)

        describe = server.service._handlers["DescribeCollection"]
        server.service._handlers["DescribeCollection"] = lambda call: {**describe(call), "FaceModelVersion": "99.0"}
        table.refused("model change, same collection", library)
        server.service._handlers["DescribeCollection"] = describe
        library.environment["CATALOG_ENGINE_GALLERY"] = "after-the-model-change"
        table.compare("model change, new collection", library)

        library = Library(server, url, root, "prefilter")
        library.add(photos[:half])
        save_photos_without_faces(library.photos, half)
        table.compare("prefilter", library, "--prefilter", exact=())
        table.compare("prefilter, second night", library, "--prefilter", exact=("IndexFaces", "SearchFaces"))
        table.compare("without the prefilter after it", library)
    print("proven" if not table.failures else f"{table.failures} NOT PROVEN")
    return 1 if table.failures else 0


if __name__ == "__main__":
    sys.exit(main())

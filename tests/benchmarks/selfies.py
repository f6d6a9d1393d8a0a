"""Ranking of find-person: the four selfies of every synthetic person come before other people's photos.

    python -m tests.benchmarks.selfies

Needs ../shared/data/synthetic_people. Scans the 125 photos with the product, runs `catalog find-person` with
--threshold 0 for the 25 references, and counts references whose first four matches after themselves are their own
selfies.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import sys
import tempfile
from pathlib import Path

from catalog.cli.main import run

DATA = Path(__file__).parents[3] / "shared" / "data" / "synthetic_people"


def run_command(*arguments: object) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        code = run([str(argument) for argument in arguments])
    assert code == 0, f"{arguments} ended with {code}"
    return out.getvalue()


def main() -> None:
    if not DATA.is_dir():
        sys.exit(print("../shared/data/synthetic_people does not exist: nothing was measured"))
    with (DATA / "people.csv").open(newline="") as file:
        people = {row["photo"]: row for row in csv.DictReader(file)}
    right = 0
    with tempfile.TemporaryDirectory() as folder:
        database = ("--database", Path(folder) / "catalog.sqlite3")
        summary = json.loads(run_command("scan", DATA / "photos", "--json", *database).splitlines()[-1])
        print(f"scanned {summary['discovered']} photos, {summary['failed']} failed, {summary['faces']} faces")
        references = [photo for photo, row in people.items() if row["role"] == "reference"]
        for photo in references:
            options = ("--threshold", 0, "--limit", 5, "--json", *database)
            result = json.loads(run_command("find-person", DATA / "photos" / photo, *options))
            matches = [match["uri"].rpartition("/")[2] for match in result["matches"]]
            expected = {name for name, row in people.items() if row["person"] == people[photo]["person"]}
            right += matches[0] == photo and set(matches) == expected
    print(f"references whose first four matches after themselves are their own selfies: {right} of {len(references)}")


if __name__ == "__main__":
    main()

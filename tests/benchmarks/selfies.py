"""Does find-person find each synthetic person's four selfies before anybody else's?

Run by hand: python -m tests.benchmarks.selfies (needs ../shared/data/synthetic_people). Scans the 125 photos with the
product, asks `catalog find-person` with --threshold 0 for each of the 25 references, and counts those whose first four
matches after the reference itself are its own selfies.
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


def answered(*arguments: object) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        code = run([str(argument) for argument in arguments])
    assert code == 0, f"{arguments} ended with {code}"
    return out.getvalue()


def main() -> None:
    if not DATA.is_dir():
        sys.exit(print("../shared/data/synthetic_people is not here: nothing was measured"))
    with (DATA / "people.csv").open(newline="") as file:
        people = {row["photo"]: row for row in csv.DictReader(file)}
    right = 0
    with tempfile.TemporaryDirectory() as folder:
        database = ("--database", Path(folder) / "catalog.sqlite3")
        summary = json.loads(answered("scan", DATA / "photos", "--json", *database).splitlines()[-1])
        print(f"scanned {summary['discovered']} photos, {summary['failed']} failed, {summary['faces']} faces")
        references = [photo for photo, row in people.items() if row["role"] == "reference"]
        for photo in references:
            answer = json.loads(
                answered("find-person", DATA / "photos" / photo, "--threshold", 0, "--limit", 5, "--json", *database)
            )
            found = [match["uri"].rpartition("/")[2] for match in answer["matches"]]
            wanted = {name for name, row in people.items() if row["person"] == people[photo]["person"]}
            right += found[0] == photo and set(found) == wanted
    print(f"references whose first four matches after themselves are their own selfies: {right} of {len(references)}")


if __name__ == "__main__":
    main()

"""Paid calls with and without comparing new faces with user vectors first.

Run by hand: ``python -m tests.benchmarks.users_first [--people N] [--certain SIMILARITY]`` (needs ../shared/data/lfw).
The first night scans half of the photos of some people, and as many strangers. A user then confirms those people's
faces, and they get user vectors. The second night scans the other half and other strangers, twice from a copy of the
catalogue and the collection: with ``rekognition.search_user_vectors_first`` off and on.

Printed: the second night's paid calls, B-cubed precision and recall against the truth, and how many pairs of photos
only one of the two puts together.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import hashlib
import io
import json
import os
import shutil
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from catalog.cli.main import run
from catalog.web.endpoint_server import open_endpoint
from tests.benchmarks import at_endpoint
from tests.benchmarks.same_persons import DATA, Persons, b_cubed, groups, in_the_middle, pairs

OF_EACH = 8
"""Photos of each person, half of them for each night."""


def catalog(*arguments: object) -> str:
    """Output of a command. Raises RuntimeError if the command fails."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = run([str(argument) for argument in arguments])
    if code:
        raise RuntimeError(f"catalog {arguments[0]}: exit code {code}")
    return out.getvalue()


def put(photos: Sequence[Path], folder: Path, truth: Persons, name: str) -> None:
    for photo in photos:
        truth[hashlib.sha256(photo.read_bytes()).hexdigest()] = name
        shutil.copyfile(photo, folder / photo.name)


def choose(number: int, nights: tuple[Path, Path]) -> tuple[Persons, list[str]]:
    """Put the photos in the folders of two nights; who is on each, and who is to be confirmed."""
    people = defaultdict(list)
    with (DATA / "people.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            people[row["person"]].append(DATA / "photos" / row["photo"])
    names = [name for name in sorted(people) if len(people[name]) >= OF_EACH][:number]
    strangers = [name for name in sorted(people) if len(people[name]) < 3][: 2 * number * OF_EACH // 2]
    truth: Persons = {}
    for name in names:
        photos = people[name][:OF_EACH]
        put(photos[: OF_EACH // 2], nights[0], truth, name)
        put(photos[OF_EACH // 2 :], nights[1], truth, name)
    for place, name in enumerate(strangers):
        put(people[name][:1], nights[place % 2], truth, name)
    return truth, names


def confirm(truth: Persons, names: Sequence[str], home: Path) -> int:
    """Confirm the faces of each person's largest group."""
    persons = in_the_middle(home / "catalog.sqlite3")
    confirmed = 0
    for name in names:
        votes = Counter(person for sha256, person in persons.items() if truth[sha256] == name and "alone" not in person)
        if not votes:
            continue
        person = votes.most_common(1)[0][0]
        for face in json.loads(catalog("people", "show", person, "--json"))["faces"]:
            if name in face["uri"]:
                catalog("people", "confirm", face["face"], person)
                confirmed += 1
    return confirmed


def night(home: Path, photos: Path, **variables: str) -> tuple[Counter[str], Persons]:
    """A scan against the collection in ``home``: the answered calls by operation, and the assignment of people."""
    with open_endpoint(str(home / "endpoint.sqlite3")) as server, server.in_background() as url:
        os.environ |= at_endpoint.environment(url, home, calls_per_second=1000)
        os.environ |= {"CATALOG_REKOGNITION_USER_VECTORS": "true", **variables}
        catalog("scan", photos)
        calls = Counter({operation: n for (operation, error), n in server.service.tally.items() if not error})
    return calls, in_the_middle(home / "catalog.sqlite3")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--people", type=int, default=25)
    parser.add_argument("--certain", type=float, nargs="+", default=[99.0, 99.9])
    options = parser.parse_args()
    if not DATA.is_dir():
        print(f"{DATA} is not there")
        return 0
    with tempfile.TemporaryDirectory() as root:
        first, second, home = (Path(root, name) for name in ("first", "second", "home"))
        for folder in (first, second, home):
            folder.mkdir()
        truth, names = choose(options.people, (first, second))
        night(home, first)
        confirmed = confirm(truth, names, home)
        calls, _ = night(home, first)
        print(f"{len(truth)} photos, {len(names)} people confirmed with {confirmed} faces; {calls['CreateUser']} users")
        answers = {}
        for label, variables in {
            "neighbors only": {},
            **{
                f"users from {certain:g}": {
                    "CATALOG_REKOGNITION_SEARCH_USER_VECTORS_FIRST": "true",
                    "CATALOG_REKOGNITION_USER_CERTAIN": str(certain),
                }
                for certain in options.certain
            },
        }.items():
            copy = Path(root, label.replace(" ", "-"))
            shutil.copytree(home, copy)
            calls, persons = night(copy, second, **variables)
            answers[label] = persons
            paid = {operation: calls[operation] for operation in ("IndexFaces", "SearchUsers", "SearchFaces")}
            precision, recall = b_cubed(persons, truth)
            plain_pairs, user_pairs, true_pairs = pairs(answers["neighbors only"]), pairs(persons), pairs(truth)
            added, missing = user_pairs - plain_pairs, plain_pairs - user_pairs
            print(
                f"{label:16} {paid}, {sum(paid.values())} in all; {len(groups(persons))} persons, B-cubed precision "
                f"{precision:.4f} recall {recall:.4f}; pairs only here {len(added)} "
                f"({len(added & true_pairs)} right), without users {len(missing)} ({len(missing & true_pairs)} right)"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Are people found better by their user vectors than by single faces?

Run by hand: ``python -m tests.benchmarks.user_vectors`` (needs ../shared/data/lfw). Of each person with enough photos
some are associated with a user and the others are probes; people with few photos are strangers whose probes must find
nobody. The same faces, probes and similarity for both: SearchFaces answers with the best face, SearchUsers with the
best user.

Told are the share of probes whose best answer is the right person (rank 1), and how many are found when the threshold
lets one stranger in a hundred, or in a thousand, find somebody.
"""

# ruff: noqa: T201 - a table is what this is for
from __future__ import annotations

import csv
import random
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from catalog.endpoint.database import open_data
from catalog.endpoint.sight import Floats, Sight
from catalog.endpoint.user_vectors import user_vector
from catalog.images.decode import open_image

DATA = Path(__file__).parents[3] / "shared" / "data" / "lfw"
PROBES_OF_EACH = 10


def embedded() -> dict[str, list[Floats]]:
    """The vector of the face nearest to the middle of each photo, by person; the photos' own order."""
    people = defaultdict(list)
    with (DATA / "people.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            people[row["person"]].append(DATA / "photos" / row["photo"])
    with open_data(":memory:") as database, ThreadPoolExecutor(2) as pool:
        sight = Sight(database)

        def vector(path: Path) -> Floats | None:
            faces = sight.faces(open_image(path.read_bytes()))
            if not faces:
                return None
            middle = min(faces, key=lambda face: sum((c - 0.5) ** 2 for c in face.face.box.center))
            found: Floats = sight.vectors([middle])[0]
            return found

        vectors = {name: pool.map(vector, paths) for name, paths in people.items()}
        return {name: [v for v in found if v is not None] for name, found in vectors.items()}


def main() -> None:
    began = time.monotonic()
    people = embedded()
    print(f"{sum(map(len, people.values()))} faces of {len(people)} people in {time.monotonic() - began:.0f} s")
    chance = random.Random(1)
    for vectors in people.values():
        chance.shuffle(vectors)
    strangers = np.stack([v for vectors in people.values() if len(vectors) <= 3 for v in vectors[:1]])
    print(f"{len(strangers)} strangers\n")
    print("faces  people  probes   search  rank 1    found at 1 in 100   found at 1 in 1,000")
    for count in (2, 3, 5, 10):
        known = {name: vectors for name, vectors in people.items() if len(vectors) > max(count, 3)}
        names = np.array(list(known))
        probes = np.stack([v for vectors in known.values() for v in vectors[count:][:PROBES_OF_EACH]])
        truth = np.concatenate([[name] * len(vectors[count:][:PROBES_OF_EACH]) for name, vectors in known.items()])
        faces = np.stack([v for vectors in known.values() for v in vectors[:count]])
        users = np.stack([user_vector(np.stack(vectors[:count])) for vectors in known.values()])
        for label, gallery, owners in (("faces", faces, np.repeat(names, count)), ("users", users, names)):
            scores = probes @ gallery.T
            right = owners[scores.argmax(axis=1)] == truth
            best, false = scores.max(axis=1), np.sort((strangers @ gallery.T).max(axis=1))
            found = [float(np.mean(right & (best > false[-max(1, len(false) // odds)]))) for odds in (100, 1000)]
            print(
                f"{count:5d} {len(known):7d} {len(probes):7d}   {label}  {right.mean():7.2%} "
                f"{found[0]:15.2%} {found[1]:20.2%}"
            )


if __name__ == "__main__":
    main()

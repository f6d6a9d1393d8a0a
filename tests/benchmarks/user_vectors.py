"""Search by user vectors compared with search by single faces.

Run by hand: ``python -m tests.benchmarks.user_vectors`` (needs ../shared/data/lfw). Of each person with enough photos
some are associated with a user and the others are probes. People with few photos are strangers: their probes must have
no match. The same faces, probes and similarity for both: SearchFaces answers with the best face, SearchUsers with the
best user.

Printed: the share of probes whose best match is the right person; the share found at the threshold at which one
stranger's probe in 100 or in 1,000 has a match; the share of true pairs accepted at one false pair in 100,000.
"""

from __future__ import annotations

import csv
import random
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from catalog.endpoint.database import open_data
from catalog.endpoint.local_engine_access import Floats, LocalEngineAccess
from catalog.endpoint.user_vectors import user_vector
from catalog.images.decode import open_image

DATA = Path(__file__).parents[3] / "shared" / "data" / "lfw"
PROBES_OF_EACH = 10
FEW = 3
"""People with no more photos than this are the strangers."""

DRAWS = 10


def embedded() -> dict[str, list[Floats]]:
    """The vector of the face nearest to the middle of each photo, by person; the photos' own order."""
    people = defaultdict(list)
    with (DATA / "people.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            people[row["person"]].append(DATA / "photos" / row["photo"])
    with open_data(":memory:") as database, ThreadPoolExecutor(2) as pool:
        sight = LocalEngineAccess(database)

        def vector(path: Path) -> Floats | None:
            faces = sight.faces(open_image(path.read_bytes()))
            if not faces:
                return None
            middle = min(faces, key=lambda face: sum((c - 0.5) ** 2 for c in face.face.box.center))
            vector: Floats = sight.probes([middle])[0]
            return vector

        vectors = {name: pool.map(vector, paths) for name, paths in people.items()}
        return {name: [v for v in vector if v is not None] for name, vector in vectors.items()}


def main() -> None:
    began = time.monotonic()
    people = embedded()
    print(
        f"{sum(map(len, people.values()))} faces of {len(people)} people in {time.monotonic() - began:.0f} s; ", end=""
    )
    print(f"means of {DRAWS} draws of the faces that make a user\n")
    print("faces  people  probes   search  right first   found at 1 in 100   at 1 in 1,000   pairs at 1 in 100,000")
    for count in (2, 3, 5, 10):
        drawn = [measured(people, count, random.Random(draw)) for draw in range(DRAWS)]
        for label in ("faces", "users"):
            shares = np.mean([shares for _, results in drawn for shares in [results[label]]], axis=0)
            enrolled, probes = drawn[0][0]
            print(
                f"{count:5d} {enrolled:7d} {probes:7d}   {label}  {shares[0]:12.2%} {shares[1]:19.2%} "
                f"{shares[2]:15.2%} {shares[3]:23.2%}"
            )


def measured(
    people: dict[str, list[Floats]], count: int, chance: random.Random
) -> tuple[tuple[int, int], dict[str, list[float]]]:
    """Numbers of people and probes; by kind of search the shares that are right first and found at each threshold."""
    shuffled = {name: chance.sample(vectors, len(vectors)) for name, vectors in people.items()}
    strangers = np.stack([v for vectors in shuffled.values() if len(vectors) <= FEW for v in vectors])
    enrolled = [vectors for vectors in shuffled.values() if len(vectors) > max(count, FEW)]
    probes = np.stack([v for vectors in enrolled for v in vectors[count:][:PROBES_OF_EACH]])
    truth = np.repeat(np.arange(len(enrolled)), [len(vectors[count:][:PROBES_OF_EACH]) for vectors in enrolled])
    faces = np.stack([np.stack(vectors[:count]) for vectors in enrolled])
    users = np.stack([user_vector(vectors) for vectors in faces])
    results = {}
    for label, score in (
        ("faces", lambda q: np.einsum("qd,nkd->qnk", q, faces).max(axis=2)),
        ("users", lambda q: q @ users.T),
    ):
        scores = score(probes)
        right = scores.argmax(axis=1) == truth
        true = scores[np.arange(len(probes)), truth]
        false = np.sort(score(strangers).max(axis=1))
        other_scores = np.sort(scores[np.arange(len(enrolled)) != truth[:, None]])
        results[label] = [
            float(right.mean()),
            *(float(np.mean(right & (true > false[-1 - len(false) // odds]))) for odds in (100, 1000)),
            float(np.mean(true > other_scores[-1 - len(other_scores) // 100_000])),
        ]
    return (len(enrolled), len(probes)), results


if __name__ == "__main__":
    main()

"""100,000 made faces: time and memory of settling, of a night's new faces, and of naming a person."""

from __future__ import annotations

import gc
import resource
import uuid
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import insert, select

from catalog.domain.timestamps import utc_text
from catalog.identities.assignment.assign_people import assign_people
from catalog.identities.assignment.gallery_clustering import GroupingRules
from catalog.identities.decisions.log import DecisionStamp
from catalog.identities.decisions.verbs import name_person
from catalog.store.database import Database, open_database
from catalog.store.people import find_person, list_people
from catalog.store.tables import assignments, faces, photos, scans
from tests.benchmarks.identities.library import NOW, Meaning

_ROWS = 20_000
"""Rows that are inserted at a time."""


def made_faces(
    count: int, *, biggest: int = 2000, dimension: int = 128
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Unit vectors of people whose numbers of faces are heavy-tailed, in random order, and who each is.

    Two faces of one person have a dot product of about 0.634, strangers one of 0.037: they share a direction a little.
    Both are LFW's means, by person, of faces as they are compared.
    """
    rng = np.random.default_rng(0)
    sizes: list[int] = []
    left = count
    while left:
        sizes.append(min(biggest, left, int((1 - rng.random()) ** (-1 / 1.15))))
        left -= sizes[-1]
    people = np.repeat(np.arange(len(sizes)), sizes)
    centers = rng.standard_normal((len(sizes), dimension)) / np.sqrt(dimension)
    common = rng.standard_normal(dimension)
    centers += 0.249 * common / np.linalg.norm(common)
    centers /= np.linalg.norm(centers, axis=1, keepdims=True)
    centrality = np.clip(rng.normal(0.634**0.5, 0.05, count), 0.5, 0.95)[:, None]
    noise = rng.standard_normal((count, dimension))
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    vectors = centers[people] * centrality + noise * np.sqrt(1 - centrality**2)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    order = rng.permutation(count)
    return vectors[order].astype(np.float32), people[order]


def enroll_made_faces(database: Database, ids: list[str], people: NDArray[np.int64], night: int) -> int:
    """Faces on dated photos; each person has a year of birth and a gender, and the apparent values agree."""
    time_text = utc_text(NOW)
    with database.begin() as connection:
        scan = {
            "started_at": time_text,
            "state": "running",
            "engine": "local",
            "gallery": "catalog",
            "model": "benchmark",
            "version": "0",
            "host": "",
            "pid": 1,
        }
        scan_id = int(connection.execute(insert(scans).returning(scans.c.id), scan).scalar_one())
        before = connection.scalar(select(photos.c.id).order_by(photos.c.id.desc()).limit(1)) or 0
        box = {"box_left": 0.3, "box_top": 0.3, "box_width": 0.3, "box_height": 0.4}
        for start in range(0, len(ids), _ROWS):
            numbers = range(start, min(start + _ROWS, len(ids)))
            connection.execute(
                insert(photos),
                [
                    {
                        "id": before + n + 1,
                        "sha256": uuid.uuid5(uuid.NAMESPACE_OID, f"{night}/{n}").hex * 2,
                        "size": 1,
                        "format": "JPEG",
                        "width": 4000,
                        "height": 3000,
                        "orientation": 1,
                        "taken_at": f"{2000 + n % 25}-06-01T12:00:00.000000Z",
                        "recorded_at": time_text,
                    }
                    for n in numbers
                ],
            )
            connection.execute(
                insert(faces),
                [
                    {
                        "face_id": ids[n],
                        "photo_id": before + n + 1,
                        "engine": "local",
                        "gallery": "catalog",
                        "model": "b",
                        **box,
                        "confidence": 99.0,
                        "sharpness": 60.0,
                        "yaw": 0.0,
                        "age_low": 15 + people[n].item() % 40 + n % 25,
                        "age_high": 30 + people[n].item() % 40 + n % 25,
                        "gender": ("Female", "Male")[people[n] % 2],
                        "gender_confidence": 99.0,
                        "not_a_face": False,
                        "enrolled_at": time_text,
                        "scan_id": scan_id,
                    }
                    for n in numbers
                ],
            )
    return scan_id


def measure_scale(work: Path, rules: GroupingRules, count: int) -> None:
    gc.set_threshold(20_000)  # as the command line does
    path = work / "scale.sqlite3"
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    database = open_database(str(path))
    vectors, people = made_faces(count + 100)
    ids = [str(uuid.UUID(int=n + 1)) for n in range(count + 100)]
    engine = Meaning(ids, vectors, None)
    scan_id = enroll_made_faces(database, ids[:count], people[:count], 0)
    start, busy = perf_counter(), process_time()
    result = assign_people(database, engine, rules, gallery="catalog", scan_id=scan_id, now=NOW)  # type: ignore[arg-type]
    took, busy = perf_counter() - start, process_time() - busy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(
        f"{count:,} faces of {len(np.unique(people[:count])):,} people: {result.persons_new:,} persons, "
        f"{took:.1f} s ({busy:.1f} s of processor), peak {peak:.2f} GB"
    )
    scan_id = enroll_made_faces(database, ids[count:], people[count:], 1)
    start, busy = perf_counter(), process_time()
    result = assign_people(database, engine, rules, gallery="catalog", scan_id=scan_id, now=NOW)  # type: ignore[arg-type]
    print(
        f"100 more: {result.faces_assigned} placed, {result.persons_new} new, {perf_counter() - start:.2f} s "
        f"({process_time() - busy:.2f} s of processor)"
    )
    with database.read() as connection:
        largest = find_person(connection, list_people(connection)[0].person_id)
        size = len(connection.execute(select(assignments).where(assignments.c.person_id == largest.id)).all())
    start = perf_counter()
    with database.begin() as connection:
        name_person(connection, largest, "Ann", DecisionStamp("benchmark", NOW))
    print(f"naming a person of {size:,} faces: {1000 * (perf_counter() - start):.1f} ms")
    database.close()

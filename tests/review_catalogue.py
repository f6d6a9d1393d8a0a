"""A large catalogue for the review pages, made by script: faces, photos, persons, names, questions and decisions.

``make_catalogue`` writes rows, no photos but a few: the crops and images that a benchmark asks for are of these photos,
which are 12 megapixel JPEG files. The sizes of persons follow a power law: at 1,000,000 faces and 50,000 persons the
largest person has 15,700 faces, and 30 % of the persons have one or two. The gallery holds no vectors, because no page
but the search by a photo reads them.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from sqlalchemy import Connection, Table, func, insert, select

from catalog.app.settings import load_settings
from catalog.domain.content_hash import sha256_of
from catalog.domain.decisions import NamePayload, Verb
from catalog.domain.face_key import FaceKey
from catalog.domain.faces import BoundingBox
from catalog.identities.assignment import review_queue
from catalog.store import person_summaries, review_rows
from catalog.store.database import Database, open_database
from catalog.store.decision_rows import append_decision, last_decision_number
from catalog.store.review_rows import QuestionRow
from catalog.store.tables import (
    assignments,
    faces,
    locations,
    persons,
    photos,
    review_questions,
    scans,
)
from catalog.store.tables import (
    person_summaries as summary_table,
)

START = datetime(2004, 1, 1, 12, tzinfo=UTC)
SECONDS = 20 * 365 * 86_400
"""The photos were taken in so many seconds from ``START`` on."""
REAL_PHOTOS = 48
MEGAPIXELS = (4000, 3000)
EMOTIONS = ("CALM", "HAPPY", "SAD", "SURPRISED", "ANGRY")
_BATCH = 20_000
_DECIDED = (persons, assignments, summary_table, review_questions)
"""Tables that the decisions of the review change."""


def person_sizes(count: int, total: int) -> list[int]:
    """Faces of each person, largest first: at least one each, ``total`` in all."""
    weights = (np.arange(count) + 11.0) ** -1.1
    sizes = np.maximum(1, np.floor(weights / weights.sum() * total)).astype(int)
    sizes[0] += total - sizes.sum()
    return [int(size) for size in sizes]


def make_photos(folder: Path, count: int, size: tuple[int, int]) -> list[str]:
    """Write real photos of ``size`` pixels. Returns their content hashes; the files are named by them."""
    folder.mkdir(parents=True, exist_ok=True)
    existing = sorted(path.stem for path in folder.glob("*.jpg"))
    if len(existing) == count:
        return existing
    random_source = np.random.default_rng(1)
    hashes = []
    for _ in range(count):
        small = Image.fromarray(random_source.integers(0, 255, (size[1] // 10, size[0] // 10, 3), dtype=np.uint8))
        path = folder / "new.jpg"
        small.resize(size, Image.Resampling.BICUBIC).save(path, quality=88)
        sha256 = sha256_of(path.read_bytes())
        path.rename(folder / f"{sha256}.jpg")
        hashes.append(sha256)
    return sorted(hashes)


def make_catalogue(
    address: str,
    folder: Path,
    count: int,
    *,
    real_photos: int = REAL_PHOTOS,
    size: tuple[int, int] = MEGAPIXELS,
    questions: int = 4,
) -> None:
    """Make a catalogue of ``count`` faces, 0.3 times as many photos and 0.05 times as many persons, at ``address``.

    The first ``real_photos`` of the photos are files of ``size`` pixels in ``folder``. There are at most ``questions``
    times as many questions as persons.
    """
    random.seed(1)
    engine = load_settings().engine
    gallery = {"engine": engine.name, "gallery": engine.gallery}
    database = open_database(address)
    try:
        photo_count, person_count = int(count * 0.3), int(count * 0.05)
        hashes = make_photos(folder / "photos", real_photos, size)
        hashes += [f"{random.getrandbits(256):064x}" for _ in range(photo_count - len(hashes))]
        with database.begin() as connection:
            _insert(connection, scans, iter([_scan()]))
            _insert(connection, photos, _photos(hashes, size))
            _insert(connection, locations, _locations(folder, hashes, real_photos))
            _insert(connection, persons, _persons(person_count))
            sizes = person_sizes(person_count, count)
            _insert(connection, faces, _faces(gallery, count, photo_count))
            _insert(connection, assignments, _assignments(sizes, photo_count))
        _analyze(database)
        with database.begin() as connection:
            _decide(connection, hashes, person_count)
            person_summaries.refresh_summaries(connection, **gallery)
            review_rows.replace_questions(connection, list(_questions(connection, questions * person_count)))
            newest_face = review_rows.newest_assigned_face(connection)
            state = review_rows.ReviewState(
                **gallery, newest_face=newest_face, decision=last_decision_number(connection)
            )
            review_rows.write_review_state(connection, state)
        _analyze(database)
    finally:
        database.close()


def _insert(connection: Connection, table: Table, rows: Iterator[dict[str, Any]]) -> None:
    batch: list[dict[str, Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == _BATCH:
            connection.execute(insert(table), batch)
            batch = []
    if batch:
        connection.execute(insert(table), batch)


def _analyze(database: Database) -> None:
    """PostgreSQL analyzes tables by itself, some minutes later. An SQLite catalogue is never analyzed."""
    if database.dialect == "postgresql":
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("ANALYZE")


def _scan() -> dict[str, Any]:
    texts = {"state": "completed", "engine": "local", "gallery": "catalog", "model": "benchmark", "version": "1"}
    return {"id": 1, "started_at": "2024-01-01T00:00:00Z", **texts, "host": "host", "pid": 1}


def _taken(number: int, total: int) -> str:
    return (START + timedelta(seconds=number * SECONDS // total)).strftime("%Y-%m-%dT%H:%M:%S")


def _photos(hashes: Sequence[str], size: tuple[int, int]) -> Iterator[dict[str, Any]]:
    for number, sha256 in enumerate(hashes):
        taken = None if number % 25 == 7 else _taken(number, len(hashes))
        yield {
            "id": number + 1,
            "sha256": sha256,
            "size": 4_000_000,
            "format": "JPEG",
            "width": size[0],
            "height": size[1],
            "orientation": 1,
            "recorded_at": "2024-01-01T00:00:00Z",
            "taken_at": None if taken is None else f"{taken}Z",
            "taken_at_precision": None if taken is None else "second",
            "taken_local": taken,
            "taken_local_end": taken,
        }


def _locations(folder: Path, hashes: Sequence[str], real_photos: int) -> Iterator[dict[str, Any]]:
    """Present files of the real photos, and addresses in folders of 60 photos for the others."""
    for number, sha256 in enumerate(hashes):
        path = folder / "photos" / f"{sha256}.jpg"
        name = path if number < real_photos else folder / "library" / f"{number // 60:05}" / f"IMG_{number:06}.jpg"
        stat = path.stat() if number < real_photos else None
        yield {
            "photo_id": number + 1,
            "uri": name.absolute().as_uri(),
            "path": str(name.absolute()),
            "size": 4_000_000 if stat is None else stat.st_size,
            "modified_ns": 0 if stat is None else stat.st_mtime_ns,
            "etag": "" if stat is None else str(stat.st_ino),
            "first_seen": "2024-01-01T00:00:00Z",
        }


def _persons(count: int) -> Iterator[dict[str, Any]]:
    """Every 25th person has a name and every 40th is hidden, large and small ones alike."""
    for number in range(count):
        yield {
            "id": number + 1,
            "person_id": f"p{number:08}",
            "name": f"Person {number:05}" if number % 25 == 3 else None,
            "hidden": number % 40 == 9,
            "created_at": "2024-01-01T00:00:00Z",
        }


def _faces(gallery: dict[str, str], count: int, photo_count: int) -> Iterator[dict[str, Any]]:
    """Faces spread over the photos; the persons of one photo are neighbors in ``_assignments``."""
    for number in range(count):
        yield {
            **gallery,
            "id": number + 1,
            "face_id": str(uuid.UUID(int=random.getrandbits(128))),
            "photo_id": number % photo_count + 1,
            "model": "benchmark",
            "box_left": 0.1 + 0.2 * (number // photo_count),
            "box_top": 0.3,
            "box_width": 0.02 + 0.1 * random.random(),
            "box_height": 0.1,
            "confidence": 99.0,
            "sharpness": random.randrange(100),
            "yaw": random.uniform(-60, 60),
            "emotion": EMOTIONS[number % len(EMOTIONS)],
            "emotion_confidence": 50 + 50 * random.random(),
            "not_a_face": False,
            "enrolled_at": "2024-01-01T00:00:00Z",
            "scan_id": 1,
        }


def _assignments(sizes: Sequence[int], photo_count: int) -> Iterator[dict[str, Any]]:
    """Each face belongs to one person, who is on a photo once. The photos of a person are anywhere in the catalogue."""
    owners = np.repeat(np.arange(len(sizes)) + 1, sizes)
    on_photos = np.random.default_rng(2).permutation(photo_count)
    layers = -(-len(owners) // photo_count)
    order = np.concatenate([on_photos + layer * photo_count for layer in range(layers)])
    order = order[order < len(owners)]
    for face, owner in zip(order.tolist(), owners.tolist(), strict=True):
        yield {
            "face_id": face + 1,
            "person_id": owner,
            "by": "cluster",
            "similarity": 90 + 10 * random.random(),
            "assigned_at": "2024-01-01T00:00:00Z",
        }


def _decide(connection: Connection, hashes: Sequence[str], person_count: int) -> None:
    """A decision for each name, with the exemplars that it keeps."""
    key = FaceKey(hashes[0], BoundingBox(0.1, 0.3, 0.1, 0.1))
    for number in range(3, person_count, 25):
        append_decision(
            connection,
            Verb.NAME,
            decided_at=START,
            decided_by="login",
            person_id=f"p{number:08}",
            name=f"Person {number:05}",
            payload=NamePayload(exemplars=(key,) * 8),
        )


def _questions(connection: Connection, count: int) -> Iterator[QuestionRow]:
    """Questions about named persons, and about two persons without a name; ``count`` less those drawn twice."""
    counts = person_summaries.person_summaries
    summaries = {row.person_id: row.faces for row in connection.execute(select(counts.c.person_id, counts.c.faces))}
    last = int(connection.scalar(select(func.max(persons.c.id))) or 0)
    open_rows = [row for row in range(1, last + 1) if (row - 1) % 25 != 3 and (row - 1) % 40 != 9]
    named_rows = [row for row in range(1, last + 1) if (row - 1) % 25 == 3 and (row - 1) % 40 != 9]
    seen: set[tuple[int, int]] = set()
    for number in range(count):
        is_named = number % 3 == 0
        pool = named_rows if is_named else open_rows
        person = pool[int(len(pool) * random.random() ** 3)]
        other = open_rows[int(len(open_rows) * random.random() ** 0.7)]
        chance = 0.3 + 0.69 * random.random()
        if person == other or (person, other) in seen or (other, person) in seen:
            continue
        seen.add((person, other))
        decided = min(summaries.get(person, 1), summaries.get(other, 1))
        worth = review_queue.pair_worth(decided, chance, is_named=is_named, has_conflict=False)
        yield QuestionRow(person, other, None, 98.5, chance, decided, worth, None)


def decided_rows(path: Path) -> dict[str, Any]:
    """The rows that decisions change, and what the pages count from them."""
    database = open_database(str(path))
    try:
        with database.read() as connection:
            rows = {table.name: sorted(connection.execute(select(table)).all(), key=str) for table in _DECIDED}
            rows["not_a_face"] = list(connection.scalars(select(faces.c.id).where(faces.c.not_a_face)))
            return rows
    finally:
        database.close()

"""A catalogue made by a script: any number of photos, faces and people, with the shape of a real one.

A few people are on very many photos and most on a few; people of one album know one another; faces outnumber photos.
The same seed gives the same catalogue.
"""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice

from sqlalchemy import Table, insert

from catalog.store.database import Database
from catalog.store.photo_dates import date_columns
from catalog.store.tables import (
    assignments,
    charges,
    decisions,
    emotions,
    employee_references,
    employees,
    faces,
    locations,
    named_appearances,
    persons,
    photos,
    problems,
    scan_sources,
    scans,
    verifications,
    watch_hits,
    watch_references,
    watches,
)

EMOTIONS = ("HAPPY", "CALM", "SAD", "SURPRISED", "ANGRY", "FEAR", "DISGUSTED")
NAMES = ("Ada", "Grace", "Katherine", "Mae", "Sally", "Eileen", "花子", "Zoë", "O'Hara, Jr.", "=cmd()", "<b>Bo</b>")
START = datetime(2008, 1, 1, tzinfo=UTC)
SCANNED_AT = "2026-01-01T00:00:00.000000Z"


def fill(
    database: Database, *, photo_count: int, face_count: int, person_count: int, seed: int = 1, landmarks: int = 5
) -> None:
    """Write the catalogue in a few large transactions."""
    dice = random.Random(seed)
    with database.begin() as connection:
        for scan in range(1, 31):
            connection.execute(insert(scans).values(_scan(scan, photo_count)))
            connection.execute(
                insert(scan_sources).values(
                    scan_id=scan, source_uri="file:///photos/", discovered=photo_count, completed_at=SCANNED_AT
                )
            )
    rows: list[tuple[Table, Iterator[dict[str, object]]]] = [
        (photos, _photos(dice, photo_count)),
        (locations, _locations(photo_count)),
        (persons, _persons(person_count)),
        (faces, _faces(dice, photo_count, face_count, landmarks)),
        (emotions, _emotions(dice, face_count)),
        (assignments, _assignments(dice, photo_count, face_count, person_count)),
        (named_appearances, _named_appearances()),
        (problems, _problems()),
        (charges, _charges()),
        *_screening(face_count),
    ]
    for table, values in rows:
        while batch := list(islice(values, 50_000)):
            with database.begin() as connection:
                connection.execute(insert(table), batch)
    with database.begin() as connection:
        connection.execute(
            insert(decisions).values(
                decided_at=SCANNED_AT, decided_by="ada", verb="name", person_id=person_id(1), name=NAMES[0]
            )
        )
        connection.exec_driver_sql("ANALYZE")


def _screening(face_count: int) -> list[tuple[Table, Iterator[dict[str, object]]]]:
    """A watch list of two entries with hits, two employees, and a verification log with a forgotten entry."""
    by = {"created_at": SCANNED_AT, "created_by": "guard"}
    contents: list[dict[str, object] | None] = [
        {"what": "enroll", "employee_id": "e-1", "by": "guard", "verdict": "enrolled", "photo_sha256": sha256(1)},
        {
            "what": "verify",
            "employee_id": "e-2 \u201cé\u201d",
            "by": "guard",
            "verdict": "cannot tell",
            "similarity": 91.25,
            "accept": 99.0,
            "refuse": 80.0,
            "photo_sha256": sha256(2),
            "reasons": ['It shows "no" face.', "The face is blurred."],
            "engine": "local",
            "model": "networks/1",
        },
        None,
        {"what": "remove", "by": "guard", "emptied": [3]},
    ]
    return [
        (watches, iter([{"id": row, "name": f"Person {row}", "threshold": 99.0, **by} for row in (1, 2)])),
        (
            watch_references,
            iter([{"watch_id": 1, "negative": row > 1, "image": b"jpeg", "sha256": sha256(row)} for row in (1, 2)]),
        ),
        (
            watch_hits,
            iter(
                [
                    {
                        "watch_id": 1,
                        "face_id": row,
                        "similarity": 99.5,
                        "margin": 3.25 if row > 2 else None,
                        "state": "confirmed" if row == 1 else "open",
                        "found_at": SCANNED_AT,
                        "scan_id": 1,
                        "reviewed_at": SCANNED_AT if row == 1 else None,
                        "reviewed_by": "guard" if row == 1 else None,
                    }
                    for row in range(1, min(4, face_count) + 1)
                ]
            ),
        ),
        (
            employees,
            iter(
                [
                    {"id": row, "employee_id": f"e-{row}", "enrolled_at": SCANNED_AT, "enrolled_by": "guard"}
                    for row in (1, 2)
                ]
            ),
        ),
        (
            employee_references,
            iter([{"employee_id": 1, "image": b"jpeg", "sha256": sha256(row)} for row in (1, 2)]),
        ),
        (
            verifications,
            iter(
                [
                    {
                        "at": SCANNED_AT,
                        "content": None if content is None else json.dumps(content, ensure_ascii=False),
                        "content_sha256": sha256(row),
                        "previous": sha256(row),
                        "chain": sha256(row + 1),
                    }
                    for row, content in enumerate(contents)
                ]
            ),
        ),
    ]


def person_id(number: int) -> str:
    return f"p{number:06d}"


def sha256(number: int) -> str:
    return f"{number:064x}"


def photo_of(face: int, photo_count: int, face_count: int) -> int:
    """Assign faces to photos in order: one photo in five has none, others have one, a few or many."""
    position = (face - 1) * max(1, photo_count * 4 // 5) / face_count
    block, within = divmod(position, 10)
    return int(block * 10 + (within / 10) ** 0.5 * 10) + 1


def _photos(dice: random.Random, count: int) -> Iterator[dict[str, object]]:
    for number in range(1, count + 1):
        taken_at = START + timedelta(seconds=number * 600_000_000 // count)
        dated = number % 50 != 0
        yield {
            "id": number,
            "sha256": sha256(number),
            "size": 2_000_000 + number,
            "format": "JPEG",
            "width": 4000,
            "height": 3000,
            "orientation": dice.choice((1, 1, 1, 6)),
            **date_columns(
                taken_at if dated else None, dice.choice((None, 0, 60, -480, 540)) if dated else None, None, None
            ),
            "camera_make": "Canon",
            "camera_model": dice.choice(("EOS R5", "IXUS 70")),
            "gps_latitude": None,
            "gps_longitude": None,
            "gps_altitude": None,
            "recorded_at": SCANNED_AT,
        }


def album_of(photo: int) -> int:
    return photo // 250


def _named_appearances() -> Iterator[dict[str, object]]:
    """Persons on the first photos without a face there, with and without a position."""
    box = {"box_left": 0.1, "box_top": 0.2, "box_width": 0.1, "box_height": 0.2}
    for photo, position in ((1, box), (2, dict.fromkeys(box))):
        yield {"photo_id": photo, "person_id": 1, "source": "/photos/a.xmp", "named_at": SCANNED_AT, **position}


def _locations(count: int) -> Iterator[dict[str, object]]:
    for number in range(1, count + 1):
        for copy in range(2 if number % 20 == 0 else 1):
            folder = f"album%20{album_of(number):04d}" if copy == 0 else "copies"
            yield {
                "photo_id": number,
                "uri": f"file:///photos/{folder}/img_{number:07d}.jpg",
                "size": 2_000_000 + number,
                "modified_ns": number,
                "etag": "",
                "version": None,
                "first_seen": SCANNED_AT,
                "missing_since": SCANNED_AT if number % 97 == 0 and copy == 0 else None,
            }


def name_of(person: int) -> str | None:
    """Name the first persons plainly, others with a number, and leave every third unnamed."""
    if person <= 2:
        return NAMES[person - 1]
    return f"{NAMES[person % len(NAMES)]} {person}" if person % 3 else None


def _persons(count: int) -> Iterator[dict[str, object]]:
    for number in range(1, count + 1):
        yield {
            "id": number,
            "person_id": person_id(number),
            "name": name_of(number),
            "hidden": number % 41 == 0,
            "birth_date": None,
            "merged_into": 1 if number == count else None,
            "created_at": SCANNED_AT,
        }


def _faces(dice: random.Random, photo_count: int, count: int, landmarks: int) -> Iterator[dict[str, object]]:
    points = {f"point{number}": [0.123456, 0.654321] for number in range(landmarks)}
    spread = json.dumps(points)
    ids = random.Random(7)
    for number in range(1, count + 1):
        measured = number % 25 != 0
        yield {
            "id": number,
            "face_id": str(uuid.UUID(int=ids.getrandbits(128), version=4)),
            "photo_id": photo_of(number, photo_count, count),
            "engine": "local",
            "gallery": "default",
            "model": "yunet+sface",
            "box_left": dice.random() * 0.8,
            "box_top": dice.random() * 0.8,
            "box_width": 0.1 + dice.random() * 0.1,
            "box_height": 0.1 + dice.random() * 0.1,
            "confidence": 80 + dice.random() * 20,
            "roll": 0.0,
            "yaw": dice.random() * 30,
            "pitch": 0.0,
            "brightness": dice.random() * 100,
            "sharpness": dice.random() * 100,
            "age_low": 20,
            "age_high": 35,
            "gender": dice.choice(("Male", "Female")),
            "gender_confidence": 90.0,
            "smile": number % 2 == 0,
            "smile_confidence": 90.0,
            "emotion": strongest(number) if measured else None,
            "emotion_confidence": 60.0 if measured else None,
            "landmarks": spread,
            "not_a_face": number % 211 == 0,
            "enrolled_at": SCANNED_AT,
            "scan_id": 1,
        }


def strongest(face: int) -> str:
    """Return the emotion of a face, which the slow counts use, too."""
    return EMOTIONS[(face * 7919 // 13) % len(EMOTIONS)] if face % 3 else "HAPPY"


def _emotions(dice: random.Random, count: int) -> Iterator[dict[str, object]]:
    for number in range(1, count + 1):
        if number % 25:
            for kind in EMOTIONS:
                confidence = 60.0 if kind == strongest(number) else dice.random() * 40
                yield {"face_id": number, "type": kind, "confidence": confidence}


def _assignments(
    dice: random.Random, photo_count: int, face_count: int, person_count: int
) -> Iterator[dict[str, object]]:
    alive = person_count - 1
    for number in range(1, face_count + 1):
        if number % 19 == 0:
            continue
        album = album_of(photo_of(number, photo_count, face_count))
        yield {
            "face_id": number,
            "person_id": _person(dice, album, alive),
            "by": "human" if number % 100 == 0 else "cluster",
            "similarity": None if number % 100 == 0 else 80 + dice.random() * 20,
            "assigned_at": SCANNED_AT,
        }


def _person(dice: random.Random, album: int, alive: int) -> int:
    """Return a family member, a guest of the album, or a stranger."""
    roll = dice.random()
    if roll < 0.4:
        return 1 + int(min(20, alive) * dice.random() ** 2)
    if roll < 0.8:
        return 1 + (album * 37 + int(25 * dice.random())) % alive
    return 1 + int(alive * dice.random())


def _problems() -> Iterator[dict[str, object]]:
    for scan in (29, 30):
        for number in range(5):
            yield {
                "scan_id": scan,
                "uri": f"file:///photos/broken/{number}.jpg",
                "outcome": "failed" if number else "skipped",
                "sha256": None,
                "reason": 'The photo "broken" is cut short.',
                "at": SCANNED_AT,
            }


def _charges() -> Iterator[dict[str, object]]:
    for scan in range(1, 31):
        for operation, dollars in (("IndexFaces", 1000), ("SearchFaces", 1000)):
            yield {
                "charged_at": f"2026-01-{scan:02d}T02:00:00.000000Z",
                "scan_id": scan,
                "command": "scan",
                "engine": "rekognition",
                "region": "eu-west-1",
                "operation": operation,
                "calls": scan,
                "microdollars": scan * dollars,
            }


def _scan(number: int, photo_count: int) -> dict[str, object]:
    started_at = f"2026-01-{number:02d}T02:00:00.000000Z"
    return {
        "id": number,
        "started_at": started_at,
        "finished_at": started_at,
        "state": "completed",
        "exit_code": 0,
        "engine": "local",
        "gallery": "default",
        "model": "yunet+sface",
        "version": "0.1.0",
        "host": "here",
        "pid": 1,
        "discovered": photo_count,
        "new": photo_count if number == 1 else 0,
        "unchanged": 0 if number == 1 else photo_count,
    }

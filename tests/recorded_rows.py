"""The rows that a scan recorded, without the ids and times that differ from scan to scan."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from catalog.store.database import open_database

ROWS = {
    "photos": "SELECT sha256, size, width, height, format, taken_at, camera_make FROM photos",
    "locations": "SELECT uri, sha256, missing_since FROM locations JOIN photos ON photos.id = photo_id",
    "faces": "SELECT sha256, faces.engine, faces.gallery, faces.model, box_left, box_top, box_width, box_height,"
    " confidence, yaw, sharpness, age_low, age_high, gender, cast(smile as integer), emotion, landmarks"
    " FROM faces JOIN photos ON photos.id = photo_id",
    "problems": "SELECT uri, outcome, sha256, reason FROM problems",
    "charges": "SELECT operation, command, cast(sum(calls) as integer), cast(sum(microdollars) as integer) FROM charges"
    " GROUP BY operation, command",
}

PERSONS = (
    "SELECT faces.id, sha256, box_left, assignments.person_id FROM faces JOIN photos ON photos.id = faces.photo_id"
    " LEFT JOIN assignments ON assignments.face_id = faces.id"
)


def recorded_rows(url: str) -> dict[str, Any]:
    """Photos, locations, faces, problems, charges and persons of a catalogue, as values that can be compared.

    A person is the set of its faces. A face is the SHA-256 of its photo and the left edge of its box.
    """
    database = open_database(url)
    try:
        with database.read() as connection:
            recorded: dict[str, Any] = {
                name: sorted(map(repr, map(tuple, connection.execute(text(query))))) for name, query in ROWS.items()
            }
            groups: dict[int, set[tuple[str, float]]] = {}
            for _, sha256, left, person in connection.execute(text(PERSONS)):
                groups.setdefault(person, set()).add((sha256, round(left, 6)))
        recorded["persons"] = sorted(map(repr, map(sorted, groups.values())))
        return recorded
    finally:
        database.close()

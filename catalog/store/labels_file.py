"""Names and decisions in a small portable file: what humans put into a catalogue, and nothing that an engine made.

Faces are named by photo content and box, so that the file restores onto any engine, any model and any database, before
or after the photos were scanned there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from catalog.domain.errors import UsageError
from catalog.domain.timestamps import utc_text
from catalog.store.tables import BOX_COLUMNS, assignments, decisions, faces, persons, photos, tombstones

FORMAT = "catalog labels"
VERSION = 1

PERSON = ("person_id", "name", "hidden", "birth_date", "created_at")


def read_labels(conn: Connection, now: datetime) -> dict[str, Any]:
    """The content of a labels file: everybody about whom a human said something, and all that was said."""
    said = [dict(row) for row in conn.execute(select(decisions).order_by(decisions.c.id)).mappings()]
    ids = {row.id: row.person_id for row in conn.execute(select(persons.c.id, persons.c.person_id))}
    touched = {row[key] for row in said for key in ("person_id", "other_person_id") if row[key]}
    by_human = select(assignments.c.person_id).where(assignments.c.by == "human")
    human = {ids[row_id] for row_id in conn.scalars(by_human.distinct())}
    # Whom others lead to must be there too: a scan merges persons about whom nobody said anything.
    led_to = set(conn.scalars(select(persons.c.merged_into).where(persons.c.merged_into.is_not(None))))
    people = []
    for row in conn.execute(select(persons).order_by(persons.c.id)).mappings():
        said_of = row["name"] or row["hidden"] or row["person_id"] in touched | human
        if said_of or row["merged_into"] or row["id"] in led_to:
            merged = ids.get(row["merged_into"]) if row["merged_into"] else None
            people.append({**{key: row[key] for key in PERSON}, "merged_into": merged, "faces": []})
    _add_faces(conn, {person["person_id"]: person["faces"] for person in people})
    return {
        "format": FORMAT,
        "version": VERSION,
        "made_at": utc_text(now),
        "persons": people,
        "decisions": said,
        "tombstones": [
            {key: row[key] for key in ("photo_sha256", *BOX_COLUMNS, "forgotten_at")}
            for row in conn.execute(select(tombstones).order_by(tombstones.c.id)).mappings()
        ],
    }


def _add_faces(conn: Connection, lists: Mapping[str, list[Any]]) -> None:
    query = (
        select(persons.c.person_id, photos.c.sha256, assignments.c.by, *(faces.c[edge] for edge in BOX_COLUMNS))
        .select_from(assignments)
        .join(persons, persons.c.id == assignments.c.person_id)
        .join(faces, faces.c.id == assignments.c.face_id)
        .join(photos, photos.c.id == faces.c.photo_id)
        # The best faces first: they are what a person is found by where there are no rows yet.
        .order_by(assignments.c.by.desc(), faces.c.confidence.desc(), faces.c.id)
    )
    for person_id, sha256, by, *box in conn.execute(query):
        if person_id in lists:
            lists[person_id].append([sha256, *(round(edge, 6) for edge in box), by])


def parse_labels(data: str, name: str) -> dict[str, Any]:
    """Raises ``UsageError`` for what is no labels file."""
    try:
        content = json.loads(data)
    except ValueError:
        content = None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise UsageError(f'"{name}" is not a file of labels.', remedy="Make one with `catalog backup --labels-only`.")
    if content["version"] != VERSION:
        raise UsageError(f'"{name}" was made by a newer program.', remedy="Update catalog.")
    if _holds_nul(content):
        raise UsageError(f'"{name}" holds a NUL character, which no name and no database may.', remedy="Take it out.")
    return content


def _holds_nul(value: object) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(_holds_nul(each) for each in value.values())
    return isinstance(value, list) and any(_holds_nul(each) for each in value)

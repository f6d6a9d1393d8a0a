"""The rows as they were before a decision, keyed so that they can be put back after any restore."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from catalog.identities.ledger import place_of, place_row
from catalog.store.appearances import Place, faces_at
from catalog.store.people import PersonRow
from catalog.store.tables import assignments, faces, persons, photos
from catalog.store.upsert import batches
from catalog.vocabulary import BoundingBox


class Before:
    """Collects rows before they are changed; ``details`` is what goes into the ledger."""

    def __init__(self) -> None:
        self._persons: list[dict[str, object]] = []
        self._faces: list[dict[str, object]] = []

    @property
    def details(self) -> dict[str, Any]:
        return {"before": {"persons": self._persons, "faces": self._faces}}

    def person(self, connection: Connection, person: PersonRow) -> Before:
        leads_to = None
        if person.merged_into is not None:
            leads_to = connection.scalar(select(persons.c.person_id).where(persons.c.id == person.merged_into))
        self._persons.append(
            {
                "person_id": person.person_id,
                "name": person.name,
                "hidden": person.hidden,
                "birth_date": person.birth_date,
                "merged_into": leads_to,
                "created_at": person.created_at,
            }
        )
        return self

    def new_person(self, person: PersonRow) -> Before:
        self._persons.append({"person_id": person.person_id, "new": True})
        return self

    def faces(self, connection: Connection, rows: Sequence[int]) -> Before:
        for some in batches(rows):
            query = (
                select(
                    photos.c.sha256,
                    faces.c.box_left,
                    faces.c.box_top,
                    faces.c.box_width,
                    faces.c.box_height,
                    faces.c.engine,
                    faces.c.gallery,
                    faces.c.not_a_face,
                    persons.c.person_id,
                    assignments.c.by,
                    assignments.c.similarity,
                    assignments.c.assigned_at,
                )
                .select_from(
                    faces.join(photos)
                    .outerjoin(assignments, assignments.c.face_id == faces.c.id)
                    .outerjoin(persons, persons.c.id == assignments.c.person_id)
                )
                .where(faces.c.id.in_(some))
                .order_by(faces.c.id)
            )
            for row in connection.execute(query):
                place = Place(row.sha256, BoundingBox(row.box_left, row.box_top, row.box_width, row.box_height))
                self._faces.append(
                    {
                        "place": place_row(place),
                        "in": [row.engine, row.gallery],
                        "not_a_face": bool(row.not_a_face),
                        "person": row.person_id,
                        "by": row.by,
                        "similarity": row.similarity,
                        "at": row.assigned_at,
                    }
                )
        return self


def again(connection: Connection, before: Mapping[str, Any]) -> Before:
    """The same rows as they are now: what an undo needs in order to be undone."""
    now = Before()
    for row in before.get("persons", ()):
        found = connection.execute(select(persons).where(persons.c.person_id == row["person_id"])).first()
        if found is not None:
            now.person(
                connection,
                PersonRow(
                    found.id,
                    found.person_id,
                    found.name,
                    bool(found.hidden),
                    found.birth_date,
                    found.merged_into,
                    found.created_at,
                ),
            )
    now.faces(connection, [row for each in before.get("faces", ()) if (row := _row(connection, each)) is not None])
    return now


def put_back(connection: Connection, before: Mapping[str, Any]) -> None:
    """Make the rows what they were. Faces that are gone since are left out; a person made by the decision goes too."""
    for saved in before.get("persons", ()):
        if not saved.get("new"):
            _put_person(connection, saved)
    ids = _ids(connection)
    for saved in before.get("faces", ()):
        row = _row(connection, saved)
        if row is None:
            continue
        connection.execute(update(faces).where(faces.c.id == row).values(not_a_face=saved["not_a_face"]))
        connection.execute(delete(assignments).where(assignments.c.face_id == row))
        if saved["person"] in ids:
            connection.execute(
                insert(assignments),
                {
                    "face_id": row,
                    "person_id": ids[saved["person"]],
                    "by": saved["by"],
                    "similarity": saved["similarity"],
                    "assigned_at": saved["at"],
                },
            )
    for saved in before.get("persons", ()):
        if saved.get("new"):
            _take_away(connection, saved["person_id"])


def _put_person(connection: Connection, saved: Mapping[str, Any]) -> None:
    leads_to = None
    if saved["merged_into"] is not None:
        leads_to = connection.scalar(select(persons.c.id).where(persons.c.person_id == saved["merged_into"]))
    values = {
        "name": saved["name"],
        "hidden": saved["hidden"],
        "birth_date": saved["birth_date"],
        "merged_into": leads_to,
    }
    known = persons.c.person_id == saved["person_id"]
    if connection.execute(update(persons).where(known).values(**values)).rowcount == 0:
        row = {**values, "person_id": saved["person_id"], "created_at": saved["created_at"]}
        connection.execute(insert(persons), row)


def _take_away(connection: Connection, person_id: str) -> None:
    """Remove a person whom nothing but the decision brought, unless faces came to it since."""
    row = connection.scalar(select(persons.c.id).where(persons.c.person_id == person_id))
    if row is None:
        return
    held = connection.scalar(select(assignments.c.face_id).where(assignments.c.person_id == row).limit(1))
    led = connection.scalar(select(persons.c.id).where(persons.c.merged_into == row).limit(1))
    if held is None and led is None:
        connection.execute(delete(persons).where(persons.c.id == row))


def _ids(connection: Connection) -> dict[str, int]:
    return {row.person_id: row.id for row in connection.execute(select(persons.c.person_id, persons.c.id))}


def _row(connection: Connection, saved: Mapping[str, Any]) -> int | None:
    engine, gallery = saved["in"]
    near = faces_at(connection, place_of(saved["place"]))
    return next((each.row for each in near if (each.engine, each.gallery) == (engine, gallery)), None)

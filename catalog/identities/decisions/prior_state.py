"""The rows as they were before a decision, keyed so that they can be put back after any restore."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from catalog.domain.face_key import FaceKey
from catalog.domain.faces import BoundingBox
from catalog.identities.decisions.log import place_of, place_row
from catalog.store.catalogued_faces import faces_by_content
from catalog.store.people import move_redirected_assignments, unassign
from catalog.store.person_index import PersonRow, canonical_person, persons_where
from catalog.store.tables import assignments, faces, persons, photos
from catalog.store.upsert import batches


class PriorState:
    """Collects rows before they are changed; ``details`` is what goes into the ledger."""

    def __init__(self) -> None:
        self._persons: list[dict[str, object]] = []
        self._faces: list[dict[str, object]] = []

    @property
    def details(self) -> dict[str, Any]:
        return {"before": {"persons": self._persons, "faces": self._faces}}

    def person(self, person: PersonRow) -> PriorState:
        """A person whose own row changes, but for where it leads."""
        self._persons.append(
            {
                "person_id": person.person_id,
                "name": person.name,
                "hidden": person.hidden,
                "birth_date": person.birth_date,
                "created_at": person.created_at,
            }
        )
        return self

    def redirected(self, connection: Connection, person: PersonRow) -> PriorState:
        """A person that will lead elsewhere. Only merges say so: a machine may redirect ids between other decisions."""
        leads_to = None
        if person.merged_into is not None:
            leads_to = connection.scalar(select(persons.c.person_id).where(persons.c.id == person.merged_into))
        self.person(person)._persons[-1]["merged_into"] = leads_to
        return self

    def stays(self, person: PersonRow) -> PriorState:
        """A person that is decided on, and whose own row stays as it is."""
        self._persons.append({"person_id": person.person_id, "stays": True})
        return self

    def new_person(self, person: PersonRow) -> PriorState:
        self._persons.append({"person_id": person.person_id, "new": True})
        return self

    def faces(self, connection: Connection, rows: Sequence[int]) -> PriorState:
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
                place = FaceKey(row.sha256, BoundingBox(row.box_left, row.box_top, row.box_width, row.box_height))
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


def capture_current(connection: Connection, before: Mapping[str, Any]) -> PriorState:
    """The same rows as they are now: what an undo needs in order to be undone."""
    now = PriorState()
    for saved in before.get("persons", ()):
        for person in persons_where(connection, select(persons).where(persons.c.person_id == saved["person_id"])):
            if saved.get("stays"):
                now.stays(person)
            elif "merged_into" in saved:
                now.redirected(connection, person)
            else:
                now.person(person)
    now.faces(connection, [row for row in _rows(connection, before) if row is not None])
    return now


def restore_prior_state(connection: Connection, before: Mapping[str, Any]) -> list[int]:
    """Make the rows what they were. Faces that are gone since are left out; a person made by the decision goes too.

    A face whose person was merged into another since goes where that leads, and so do those that came to a person who
    is merged again. Returns the row ids of the faces.
    """
    for saved in before.get("persons", ()):
        if not (saved.get("new") or saved.get("stays")):
            _put_person(connection, saved)
    leads = _leads(connection, {saved["person"] for saved in before.get("faces", ()) if saved["person"]})
    there = {
        row: saved
        for saved, row in zip(before.get("faces", ()), _rows(connection, before), strict=True)
        if row is not None
    }
    for flag in (False, True):
        for some in batches([row for row, saved in there.items() if saved["not_a_face"] == flag]):
            connection.execute(update(faces).where(faces.c.id.in_(some)).values(not_a_face=flag))
    unassign(connection, list(there))
    again = [
        {
            "face_id": row,
            "person_id": leads[saved["person"]],
            "by": saved["by"],
            "similarity": saved["similarity"],
            "assigned_at": saved["at"],
        }
        for row, saved in there.items()
        if saved["person"] in leads
    ]
    if again:
        connection.execute(insert(assignments), again)
    move_redirected_assignments(connection)
    for saved in before.get("persons", ()):
        if saved.get("new"):
            _take_away(connection, saved["person_id"])
    return list(there)


def _put_person(connection: Connection, saved: Mapping[str, Any]) -> None:
    values = {"name": saved["name"], "hidden": saved["hidden"], "birth_date": saved["birth_date"]}
    if "merged_into" in saved:
        leads = _leads(connection, {saved["merged_into"]} - {None})
        values["merged_into"] = leads.get(saved["merged_into"])
    known = persons.c.person_id == saved["person_id"]
    if connection.execute(update(persons).where(known).values(**values)).rowcount == 0:
        row = {**values, "person_id": saved["person_id"], "created_at": saved["created_at"]}
        connection.execute(insert(persons), row)


def _take_away(connection: Connection, person_id: str) -> None:
    """Remove a person whom nothing but the decision brought; with faces that came since it stays, without a name."""
    row = connection.scalar(select(persons.c.id).where(persons.c.person_id == person_id))
    if row is None:
        return
    held = connection.scalar(select(assignments.c.face_id).where(assignments.c.person_id == row).limit(1))
    led = connection.scalar(select(persons.c.id).where(persons.c.merged_into == row).limit(1))
    if held is None and led is None:
        connection.execute(delete(persons).where(persons.c.id == row))
    else:
        connection.execute(update(persons).where(persons.c.id == row).values(name=None, hidden=False, birth_date=None))


def _leads(connection: Connection, public: set[str]) -> dict[str, int]:
    """The row ids of the persons that public ids stand for by now."""
    return {
        each.person_id: canonical_person(connection, each.id).id
        for some in batches(sorted(public))
        for each in persons_where(connection, select(persons).where(persons.c.person_id.in_(some)))
    }


def _rows(connection: Connection, before: Mapping[str, Any]) -> list[int | None]:
    """The row ids of the faces at the saved places, each in its gallery."""
    saved = before.get("faces", ())
    found = faces_by_content(connection, {each["place"][0] for each in saved})
    rows: list[int | None] = []
    for each in saved:
        place = place_of(each["place"])
        near = [one for one in found.get(place.sha256, ()) if [one.engine, one.gallery] == list(each["in"])]
        best = max(near, key=lambda one: one.box.iou(place.box), default=None)
        rows.append(best.row if best is not None and best.place.same(place) else None)
    return rows

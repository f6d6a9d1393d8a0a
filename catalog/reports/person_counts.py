"""How many persons the catalogue knows, and how many of them have a name."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from catalog.store.tables import assignments, persons


@dataclass(frozen=True, slots=True)
class PersonCounts:
    """Counts of persons that have a face or a name. Hidden persons are not counted."""

    people: int
    named_people: int


def read_person_counts(connection: Connection) -> PersonCounts:
    """Count the persons of all galleries."""
    has_face = (
        select(assignments.c.face_id)
        .where(assignments.c.person_id == persons.c.id, assignments.c.photo_id.is_not(None))
        .exists()
    )
    query = select(func.count(), func.count(persons.c.name)).where(
        persons.c.merged_into.is_(None), persons.c.hidden.is_(False), persons.c.name.is_not(None) | has_face
    )
    return PersonCounts(*connection.execute(query).one())

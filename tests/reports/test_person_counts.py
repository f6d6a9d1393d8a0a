"""Counts of persons, with and without a name."""

from __future__ import annotations

from sqlalchemy import update

from catalog.reports.person_counts import PersonCounts, read_person_counts
from catalog.store.database import Database
from catalog.store.tables import assignments, persons
from tests.reports.made_catalog import fill


def test_persons_with_a_face_or_a_name_are_counted(database: Database) -> None:
    """Persons that are hidden, merged, or have neither are not."""
    fill(database, photo_count=20, face_count=60, person_count=6)
    with database.begin() as connection:
        every = read_person_counts(connection)
        ids = connection.scalars(persons.select().with_only_columns(persons.c.id).order_by(persons.c.id)).all()
        connection.execute(update(persons).values(name=None, merged_into=None, hidden=False))
        assert read_person_counts(connection) == PersonCounts(every.people, 0)
        connection.execute(update(persons).where(persons.c.id == ids[0]).values(name="Ann"))
        connection.execute(update(persons).where(persons.c.id == ids[1]).values(hidden=True))
        connection.execute(update(persons).where(persons.c.id == ids[2]).values(merged_into=ids[3]))
        assert read_person_counts(connection) == PersonCounts(every.people - 2, 1)
        connection.execute(assignments.delete())
        assert read_person_counts(connection) == PersonCounts(1, 1)

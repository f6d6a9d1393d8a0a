"""Rows that the import of a labels file adds or changes: persons, names and redirects."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, or_, select, update

from catalog.store.labels_file import LabeledPerson
from catalog.store.person_index import end_of_redirects
from catalog.store.tables import assignments, faces, persons, photos
from catalog.store.upsert import batches


def add_persons(connection: Connection, people: Sequence[LabeledPerson]) -> int:
    """Add the persons that the catalogue does not have, without redirects. Returns how many."""
    person_ids = set(connection.scalars(select(persons.c.person_id)))
    rows = [
        {
            "person_id": person.person_id,
            "name": person.name,
            "hidden": person.hidden,
            "birth_date": person.birth_date,
            "created_at": person.created_at,
        }
        for person in people
        if person.person_id not in person_ids
    ]
    if rows:
        connection.execute(insert(persons), rows)
    return len(rows)


def name_persons(connection: Connection, people: Sequence[LabeledPerson]) -> None:
    """Give persons without a name the name of the file. A birth date and a hidden mark that are there stay."""
    unnamed = {row.person_id: row for row in connection.execute(select(persons).where(persons.c.name.is_(None)))}
    for person in people:
        row = unnamed.get(person.person_id)
        if row is not None and person.name:
            values = {
                "name": person.name,
                "hidden": row.hidden or person.hidden,
                "birth_date": row.birth_date or person.birth_date,
            }
            connection.execute(update(persons).where(persons.c.id == row.id).values(values))


def add_redirects(connection: Connection, people: Sequence[LabeledPerson], undone: Collection[str]) -> None:
    """Redirect persons as the file says, with their faces and the persons that redirect to them.

    A person that redirects already stays, and so does one whose merge was undone here (``undone``). A redirect that
    would lead back to the person is left out: the merge was made in the other direction since.
    """
    redirects = _Redirects.of(connection)
    for person in people:
        row = redirects.rows[person.person_id]
        target = person.merged_into
        if target not in redirects.rows or row in redirects.merged_into or person.person_id in undone:
            continue
        canonical_row = redirects.canonical(target)
        if canonical_row == row:
            continue
        connection.execute(update(assignments).where(assignments.c.person_id == row).values(person_id=canonical_row))
        connection.execute(
            update(persons)
            .where(or_(persons.c.id == row, persons.c.merged_into == row))
            .values(merged_into=canonical_row)
        )
        redirects.merged_into.update({old: canonical_row for old, to in redirects.merged_into.items() if to == row})
        redirects.merged_into[row] = canonical_row


def face_rows_of(connection: Connection, contents: Collection[str], public_ids: Collection[str]) -> list[int]:
    """Return row ids of the faces on these photos and of these persons, in ascending order."""
    rows: set[int] = set()
    for batch in batches(sorted(contents)):
        on_photos = select(faces.c.id).join(photos, photos.c.id == faces.c.photo_id)
        rows |= set(connection.scalars(on_photos.where(photos.c.sha256.in_(batch))))
    for batch in batches(sorted(public_ids)):
        of_persons = select(assignments.c.face_id).join(persons, persons.c.id == assignments.c.person_id)
        rows |= set(connection.scalars(of_persons.where(persons.c.person_id.in_(batch))))
    return sorted(rows)


@dataclass(frozen=True, slots=True)
class _Redirects:
    """Row ids of persons by public id, and the redirects by row id."""

    rows: dict[str, int]
    merged_into: dict[int, int]

    @classmethod
    def of(cls, connection: Connection) -> _Redirects:
        rows = connection.execute(select(persons.c.person_id, persons.c.id, persons.c.merged_into)).all()
        return cls(
            {row.person_id: row.id for row in rows},
            {row.id: row.merged_into for row in rows if row.merged_into is not None},
        )

    def canonical(self, person_id: str) -> int:
        """Return the row id of the canonical person."""
        return end_of_redirects(self.rows[person_id], self.merged_into.get)

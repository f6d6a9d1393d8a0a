"""Rows of persons, faces and assignments that decisions change: read as prior state, changed, and restored."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, delete, insert, select, update

from catalog.domain.box_columns import BOX_COLUMNS
from catalog.domain.decisions import ChangedPerson, PriorFace
from catalog.domain.errors import PersonError
from catalog.domain.face_key import FaceKey
from catalog.domain.faces import BoundingBox
from catalog.domain.people import AssignedBy
from catalog.domain.taken_at import DateSource
from catalog.store.among import among, among_parameter
from catalog.store.person_index import PersonRow, canonical_row_ids, persons_where
from catalog.store.tables import assignments, faces, persons, photos
from catalog.store.upsert import batches

_PRIOR_ROWS = 2_000
"""Faces of one query."""

_BY: dict[str | None, AssignedBy | None] = {None: None, **{by.value: by for by in AssignedBy}}


def refuse_id_as_name(connection: Connection, name: str | None) -> None:
    """Raise ``PersonError`` for a name that is the id of a person: commands would take it for that person."""
    if name is not None and persons_by_public_id(connection, [name]):
        raise PersonError(
            f'"{name}" is the id of a person, and no name.', remedy="To make two persons one: catalog people merge."
        )


def set_name(connection: Connection, person: PersonRow, name: str | None) -> None:
    connection.execute(update(persons).where(persons.c.id == person.id).values(name=name))


def set_hidden(connection: Connection, person: PersonRow, hidden: bool) -> None:
    connection.execute(update(persons).where(persons.c.id == person.id).values(hidden=hidden))


def hide_all(connection: Connection, person_rows: Sequence[int]) -> None:
    connection.execute(update(persons).where(among(persons.c.id, person_rows)).values(hidden=True))


def set_birth_date(connection: Connection, person: PersonRow, day: str | None) -> None:
    connection.execute(update(persons).where(persons.c.id == person.id).values(birth_date=day))


def set_not_a_face(connection: Connection, rows: Sequence[int], value: bool) -> None:
    """Mark faces as no face, or as a face. Rows that have the value are not written: a row of ``faces`` is long."""
    if rows:
        is_other = faces.c.not_a_face.is_(not value)
        connection.execute(update(faces).where(among(faces.c.id, rows), is_other).values(not_a_face=value))


def mark_human(connection: Connection, rows: Sequence[int]) -> None:
    """Record that a user, not a machine, made these assignments."""
    if rows:
        human = update(assignments).values(by=AssignedBy.HUMAN.value)
        connection.execute(human.where(among(assignments.c.face_id, rows)))


def faces_held_by(connection: Connection, person: PersonRow, rows: Sequence[int]) -> list[int]:
    """Return those of these faces that are assigned to the person, in the given order."""
    query = select(assignments.c.face_id).where(among(assignments.c.face_id, rows))
    own = set(connection.scalars(query.where(assignments.c.person_id == person.id)))
    return [row for row in rows if row in own]


def machine_faces_before(connection: Connection, person: PersonRow, day: str | None) -> list[int]:
    """Return row ids of the person's faces that a machine assigned, on photos taken before a day (YYYY-MM-DD).

    A photo counts if its whole span is before the day. The date of a camera whose clock was not set proves nothing.
    """
    if day is None:
        return []
    query = (
        select(faces.c.id)
        .select_from(assignments.join(faces).join(photos))
        .where(assignments.c.person_id == person.id, assignments.c.by == AssignedBy.CLUSTER.value)
        .where(photos.c.taken_local_end < day, photos.c.taken_at_source.is_distinct_from(DateSource.CLOCK_NOT_SET))
    )
    return list(connection.scalars(query.order_by(faces.c.id)))


def machine_faces_before_birth(connection: Connection, contents: Sequence[str]) -> list[int]:
    """Return row ids of faces on these photos that a machine assigned to a person who was born after the photo."""
    return sorted(
        row
        for batch in batches(sorted(set(contents)))
        for row in connection.scalars(
            select(faces.c.id)
            .select_from(faces.join(photos).join(assignments, assignments.c.face_id == faces.c.id).join(persons))
            .where(
                photos.c.sha256.in_(batch),
                photos.c.taken_local_end < persons.c.birth_date,
                assignments.c.by == AssignedBy.CLUSTER.value,
            )
        )
    )


def persons_redirecting_to(connection: Connection, person: PersonRow) -> list[PersonRow]:
    """Return the persons that were merged into this one, in one step."""
    return persons_where(connection, _merged_into(), {"row": person.id})


@cache
def _merged_into() -> Select[Any]:
    return select(persons).where(persons.c.merged_into == bindparam("row"))


def public_id_of(connection: Connection, row: int | None) -> str | None:
    return None if row is None else connection.scalar(select(persons.c.person_id).where(persons.c.id == row))


def persons_by_public_id(connection: Connection, public_ids: Collection[str]) -> dict[str, PersonRow]:
    """Return the rows of these public ids; a merged person is its own row here."""
    return {row.person_id: row for row in persons_where(connection, _by_public_ids(), {"ids": sorted(public_ids)})}


@cache
def _by_public_ids() -> Select[Any]:
    return select(persons).where(among_parameter(persons.c.person_id, "ids"))


def canonical_rows(connection: Connection, public_ids: Collection[str]) -> dict[str, int]:
    """Return the row id of the canonical person for every public id that the catalogue has."""
    rows = persons_by_public_id(connection, public_ids)
    canonical = canonical_row_ids(connection, [row.id for row in rows.values()])
    return {public_id: canonical[row.id] for public_id, row in rows.items()}


def prior_faces(connection: Connection, rows: Sequence[int]) -> list[PriorFace]:
    """Return faces and their assignments as they are now, in the order of their row ids."""
    return [
        PriorFace(
            FaceKey(sha256, BoundingBox(left, top, width, height)),
            engine,
            gallery,
            bool(not_a_face),
            person_id,
            _BY[by],
            similarity,
            assigned_at,
        )
        for batch in batches(sorted(set(rows)), _PRIOR_ROWS)
        for (
            sha256,
            left,
            top,
            width,
            height,
            engine,
            gallery,
            not_a_face,
            person_id,
            by,
            similarity,
            assigned_at,
        ) in connection.execute(_prior_faces(), {"rows": batch}).all()
    ]


@cache
def _prior_faces() -> Select[Any]:
    return (
        select(
            photos.c.sha256,
            *(faces.c[edge] for edge in BOX_COLUMNS),
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
        .where(among_parameter(faces.c.id, "rows"))
        .order_by(faces.c.id)
    )


def restore_assignments(connection: Connection, restored: Iterable[tuple[int, int, PriorFace]]) -> None:
    """Insert assignments of faces that have none: row id of the face, row id of the person, prior state."""
    rows = [
        {
            "face_id": row,
            "person_id": person,
            "by": None if face.by is None else face.by.value,
            "similarity": face.similarity,
            "assigned_at": face.assigned_at,
        }
        for row, person, face in restored
    ]
    if rows:
        connection.execute(insert(assignments), rows)


def restore_persons(connection: Connection, prior: Sequence[ChangedPerson]) -> None:
    """Give person rows their prior values, redirects last. A row that is missing is added."""
    existing = persons_by_public_id(connection, {person.person_id for person in prior})
    columns = ("name", "hidden", "birth_date")
    values = [{name: getattr(person, name) for name in columns} | {"public_id": person.person_id} for person in prior]
    changed = [row for row in values if row["public_id"] in existing]
    if changed:
        query = update(persons).where(persons.c.person_id == bindparam("public_id"))
        connection.execute(query.values({name: bindparam(name) for name in columns}), changed)
    missing = [person for person in prior if person.person_id not in existing]
    if missing:
        rows = [{name: getattr(person, name) for name in (*columns, "person_id", "created_at")} for person in missing]
        connection.execute(insert(persons), rows)
    for person in prior:
        if person.has_redirect:
            target = person.merged_into
            canonical = None if target is None else canonical_rows(connection, {target}).get(target)
            row = persons.c.person_id == person.person_id
            connection.execute(update(persons).where(row).values(merged_into=canonical))


def remove_new_persons(connection: Connection, public_ids: Collection[str]) -> None:
    """Delete persons without faces and without persons that redirect to them. The others lose their name and the like.

    Persons of the list that redirect to one another are deleted together.
    """
    rows = {row.id: row for row in persons_by_public_id(connection, public_ids).values()}
    if not rows:
        return
    with_faces = select(assignments.c.person_id).where(among(assignments.c.person_id, rows)).distinct()
    target_rows = set(connection.scalars(with_faces))
    redirects = select(persons.c.id, persons.c.merged_into).where(among(persons.c.merged_into, rows))
    target_rows |= {target for row, target in connection.execute(redirects) if row not in rows}
    cleared = {"name": None, "hidden": False, "birth_date": None, "merged_into": None}
    connection.execute(update(persons).where(among(persons.c.id, rows)).values(**cleared))
    connection.execute(delete(persons).where(among(persons.c.id, rows.keys() - target_rows)))

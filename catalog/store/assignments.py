"""Assignments: which person each face belongs to, and who decided it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Connection, Delete, Select, Update, bindparam, delete, func, insert, or_, select, update

from catalog.domain.people import AssignedBy
from catalog.store.among import among, among_parameter
from catalog.store.person_index import canonical_person
from catalog.store.tables import assignments, faces, persons, photos
from catalog.store.upsert import batches, insert_into

_INSERT_ROWS = 2000


@dataclass(frozen=True, slots=True)
class Assignment:
    """One face and its person, by row id. ``assigned_at`` is the stored text."""

    face: int
    person: int
    by: AssignedBy
    similarity: float | None
    assigned_at: str


def assign(
    connection: Connection,
    rows: Sequence[tuple[int, float | None]],
    person_row: int,
    by: AssignedBy,
    assigned_at: str,
) -> None:
    """Assign faces to a person and replace their assignments. ``rows`` has row ids, and similarities to the person."""
    unassign(connection, [row for row, _ in rows])
    insert_assignments(
        connection, [Assignment(row, person_row, by, similarity, assigned_at) for row, similarity in rows]
    )


def insert_assignments(connection: Connection, new: Sequence[Assignment]) -> None:
    """Insert assignments of faces without one. Raises IntegrityError for a face that has one."""
    if new:
        connection.execute(insert(assignments), [_values(assignment) for assignment in new])


def insert_missing(connection: Connection, new: Sequence[Assignment]) -> int:
    """Insert the assignments of faces without one; returns how many."""
    statement = insert_into(connection, assignments).on_conflict_do_nothing()
    return sum(
        connection.execute(statement, [_values(assignment) for assignment in batch]).rowcount
        for batch in batches(new, _INSERT_ROWS)
    )


def unassign(connection: Connection, rows: Sequence[int]) -> None:
    if rows:
        connection.execute(_unassign(), {"rows": rows})


@cache
def _unassign() -> Delete:
    return delete(assignments).where(among_parameter(assignments.c.face_id, "rows"))


def read_assignments(connection: Connection, rows: Sequence[int]) -> dict[int, Assignment]:
    """The assignments of faces, by row id of the face."""
    columns = [assignments.c[name] for name in ("face_id", "person_id", "by", "similarity", "assigned_at")]
    return {
        face: Assignment(face, person, AssignedBy(by), similarity, assigned_at)
        for batch in batches(rows)
        for face, person, by, similarity, assigned_at in connection.execute(
            select(*columns).where(assignments.c.face_id.in_(batch))
        )
    }


def persons_on_photos(connection: Connection, contents: Collection[str]) -> set[int]:
    """Row ids of the persons with a face on photos, by content hash."""
    query = (
        select(assignments.c.person_id).distinct().join_from(assignments, photos, photos.c.id == assignments.c.photo_id)
    )
    return {
        row
        for batch in batches(sorted(contents))
        for row in connection.scalars(query.where(photos.c.sha256.in_(batch)))
    }


def move_assignments(connection: Connection, person_row: int, target_row: int) -> int:
    """Assign all faces of one person to another; returns how many."""
    return connection.execute(_move(), {"person": person_row, "target": target_row}).rowcount


@cache
def _move() -> Update:
    query = update(assignments).where(assignments.c.person_id == bindparam("person"))
    return query.values(person_id=bindparam("target"))


def move_redirected_assignments(connection: Connection) -> int:
    """Move faces of merged persons to the canonical persons; returns how many."""
    # From the few merged persons: a catalogue has many more assignments.
    has_face = select(assignments.c.face_id).where(assignments.c.person_id == persons.c.id).exists()
    merged = connection.scalars(select(persons.c.id).where(persons.c.merged_into.is_not(None), has_face)).all()
    return sum(move_assignments(connection, row, canonical_person(connection, row).id) for row in merged)


def face_rows_of_person(connection: Connection, person_row: int) -> list[int]:
    """Row ids of all faces of a person, in every gallery."""
    return list(connection.scalars(_rows_of_person(), {"person": person_row}).all())


@cache
def _rows_of_person() -> Select[Any]:
    return select(assignments.c.face_id).where(assignments.c.person_id == bindparam("person"))


def has_faces(connection: Connection, person_row: int) -> bool:
    query = select(assignments.c.face_id).where(assignments.c.person_id == person_row).limit(1)
    return connection.scalar(query) is not None


def persons_with_faces(connection: Connection, person_rows: Iterable[int]) -> set[int]:
    return {
        row
        for batch in batches(sorted(person_rows))
        for row in connection.scalars(
            select(assignments.c.person_id).where(assignments.c.person_id.in_(batch)).distinct()
        )
    }


def persons_with_photo_twice(connection: Connection, person_rows: Collection[int]) -> set[int]:
    """Those of these persons that may have two faces on one photo, by row id. Only an index is read."""
    # A face marked as no face has no photo in the index.
    query = (
        select(assignments.c.person_id)
        .where(among(assignments.c.person_id, person_rows))
        .group_by(assignments.c.person_id, assignments.c.photo_id)
        .having(or_(func.count() > 1, assignments.c.photo_id.is_(None)))
    )
    return set(connection.scalars(query))


def faces_on_shared_photos(connection: Connection, person_row: int, other_row: int) -> list[tuple[int, int]]:
    """Row ids of pairs of faces, one of each person, on one photo, in any gallery."""
    # The photos of the person with fewer faces are looked up: the other one may be on tens of thousands.
    counts = [connection.scalar(_count_of_person(), {"person": row}) or 0 for row in (person_row, other_row)]
    is_other_smaller = counts[1] < counts[0]
    few, many = (other_row, person_row) if is_other_smaller else (person_row, other_row)
    pairs = [(face, other) for face, other in connection.execute(_shared_photos(), {"few": few, "many": many})]
    return [(other, face) for face, other in pairs] if is_other_smaller else pairs


@cache
def _count_of_person() -> Select[Any]:
    return select(func.count()).select_from(assignments).where(assignments.c.person_id == bindparam("person"))


@cache
def _shared_photos() -> Select[Any]:
    few, many = assignments.alias(), assignments.alias()
    query = select(few.c.face_id, many.c.face_id).join(many, many.c.photo_id == few.c.photo_id)
    # The added number hides the index of the faces of ``many``.
    return query.where(few.c.person_id == bindparam("few"), many.c.person_id + 0 == bindparam("many"))


def rows_beside_person(connection: Connection, rows: Sequence[int], person_row: int) -> list[tuple[int, int]]:
    """Each of the faces with each other face of the person on its photo, in the same gallery, by row id."""
    beside = faces.alias()
    is_beside = (
        (beside.c.photo_id == faces.c.photo_id)
        & (beside.c.engine == faces.c.engine)
        & (beside.c.gallery == faces.c.gallery)
        & (beside.c.id != faces.c.id)
    )
    query = (
        select(faces.c.id, beside.c.id)
        .join(beside, is_beside)
        .join(assignments, assignments.c.face_id == beside.c.id)
        .where(assignments.c.person_id == person_row)
    )
    return [
        (row, namesake_row)
        for batch in batches(rows)
        for row, namesake_row in connection.execute(query.where(faces.c.id.in_(batch)))
    ]


@dataclass(frozen=True, slots=True)
class FaceBeside:
    """Two faces of one person on one photo, in one gallery, by row id, and how each was assigned."""

    row: int
    by: AssignedBy
    other_row: int
    other_by: AssignedBy


def faces_beside(connection: Connection, rows: Sequence[int]) -> list[FaceBeside]:
    """Each of the faces with each other face of its person on its photo, in the order of the row ids."""
    own, other = assignments.alias(), assignments.alias()
    own_face, other_face = faces.alias(), faces.alias()
    is_beside = (other.c.photo_id == own.c.photo_id) & (other.c.person_id == own.c.person_id)
    is_in_gallery = (own_face.c.engine == other_face.c.engine) & (own_face.c.gallery == other_face.c.gallery)
    query = (
        select(own.c.face_id, own.c.by, other.c.face_id, other.c.by)
        .join(other, is_beside & (other.c.face_id != own.c.face_id))
        .join(own_face, own_face.c.id == own.c.face_id)
        .join(other_face, (other_face.c.id == other.c.face_id) & is_in_gallery)
        .order_by(own.c.face_id, other.c.face_id)
    )
    return [
        FaceBeside(row, AssignedBy(by), other_row, AssignedBy(other_by))
        for row, by, other_row, other_by in connection.execute(query.where(among(own.c.face_id, rows)))
    ]


def machine_pairs_on_photos(connection: Connection, *, engine: str, gallery: str) -> list[tuple[int, int, int]]:
    """Pairs of faces of one person on one photo of which a machine assigned at least one.

    Each is the row id of the person and of both faces.
    """
    left, right = assignments.alias(), assignments.alias()
    on_photo = (
        select(left.c.person_id, left.c.face_id, right.c.face_id)
        .join(
            right,
            (right.c.photo_id == left.c.photo_id)
            & (right.c.person_id == left.c.person_id)
            & (right.c.face_id > left.c.face_id),
        )
        .where(or_(left.c.by == AssignedBy.CLUSTER.value, right.c.by == AssignedBy.CLUSTER.value))
    )
    face_pair = [faces.alias(), faces.alias()]
    query = on_photo.join(face_pair[0], face_pair[0].c.id == left.c.face_id).join(
        face_pair[1], face_pair[1].c.id == right.c.face_id
    )
    for face in face_pair:
        query = query.where(face.c.engine == engine, face.c.gallery == gallery)
    return [(person, row, beside) for person, row, beside in connection.execute(query)]


def confirmed_face_ids(connection: Connection, *, engine: str, gallery: str) -> list[tuple[str, str]]:
    """Person id and face id of every face that a user assigned, by person id, the largest face first."""
    query = (
        select(persons.c.person_id, faces.c.face_id)
        .join(assignments, assignments.c.person_id == persons.c.id)
        .join(faces, faces.c.id == assignments.c.face_id)
        .where(
            assignments.c.by == AssignedBy.HUMAN.value,
            faces.c.engine == engine,
            faces.c.gallery == gallery,
            faces.c.not_a_face.is_(False),
        )
        .order_by(persons.c.person_id, (faces.c.box_width * faces.c.box_height).desc(), faces.c.id)
    )
    return [(person_id, face_id) for person_id, face_id in connection.execute(query)]


def _values(assignment: Assignment) -> dict[str, object]:
    return {
        "face_id": assignment.face,
        "person_id": assignment.person,
        "by": assignment.by.value,
        "similarity": assignment.similarity,
        "assigned_at": assignment.assigned_at,
    }

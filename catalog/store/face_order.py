"""The faces of a person in an order for display."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select

from catalog.domain.people import AssignedBy
from catalog.store.catalogued_faces import CataloguedFace, catalogued_in_order, clearness, in_gallery
from catalog.store.person_index import PersonRow
from catalog.store.tables import assignments, faces, photos


class FaceOrder(StrEnum):
    """Orders of a person's faces for display."""

    CLEAREST = "clearest"
    DOUBTFUL = "doubtful"
    OLDEST = "oldest"
    NEWEST = "newest"


def ordered_faces(
    connection: Connection,
    person: PersonRow,
    order: FaceOrder,
    limit: int,
    *,
    engine: str,
    gallery: str,
    unconfirmed: bool = False,
    offset: int = 0,
) -> list[CataloguedFace]:
    """Faces of a person in one gallery.

    ``unconfirmed`` leaves out faces that a user assigned. ``offset`` is the number of faces skipped first.

    CLEAREST: large, sharp and frontal first. DOUBTFUL: least similar to the person first, confirmed faces last.
    """
    keys: dict[FaceOrder, list[Any]] = {
        FaceOrder.CLEAREST: [clearness(connection).desc()],
        FaceOrder.DOUBTFUL: [assignments.c.by == AssignedBy.HUMAN, func.coalesce(assignments.c.similarity, 100.0)],
        FaceOrder.OLDEST: [photos.c.taken_local.is_(None), photos.c.taken_local],
        FaceOrder.NEWEST: [photos.c.taken_local.is_(None), photos.c.taken_local.desc()],
    }
    query = (
        select(faces.c.id)
        .select_from(assignments.join(faces, faces.c.id == assignments.c.face_id).join(photos))
        .where(assignments.c.person_id == person.id, *in_gallery(engine, gallery))
    )
    if unconfirmed:
        query = query.where(assignments.c.by == AssignedBy.CLUSTER.value)
    rows = list(connection.scalars(query.order_by(*keys[order], faces.c.id).limit(limit).offset(offset)))
    return catalogued_in_order(connection, rows)


class FaceRank(NamedTuple):
    """The values by which the faces of a person are ordered, for one face. ``taken`` is local time, or None.

    A named tuple, because a card ranks all faces of a person.
    """

    row: int
    clearness: float
    is_confirmed: bool
    similarity: float
    taken: str | None


def face_ranks(connection: Connection, person: PersonRow, *, engine: str, gallery: str) -> list[FaceRank]:
    """The ranks of all faces of a person in one gallery, in the order of their row ids."""
    query = (
        select(
            faces.c.id,
            clearness(connection),
            assignments.c.by == AssignedBy.HUMAN.value,
            func.coalesce(assignments.c.similarity, 100.0),
            photos.c.taken_local,
        )
        .select_from(assignments.join(faces, faces.c.id == assignments.c.face_id).join(photos))
        .where(assignments.c.person_id == person.id, *in_gallery(engine, gallery))
        .order_by(faces.c.id)
    )
    return [FaceRank._make(row) for row in connection.execute(query).all()]

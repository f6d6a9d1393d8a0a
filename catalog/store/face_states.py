"""Faces with their assignments, as far as replaying decisions and importing labels need them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, select

from catalog.domain.box_columns import BOX_COLUMNS
from catalog.domain.face_key import FaceKey
from catalog.domain.faces import BoundingBox
from catalog.domain.people import AssignedBy
from catalog.store.tables import assignments, faces, photos
from catalog.store.upsert import batches


@dataclass(slots=True, eq=False)
class FaceState:
    """A face and its assignment. ``person`` is a row id; None for an unassigned face."""

    row: int
    gallery: tuple[str, str]
    """Engine and gallery."""
    key: FaceKey
    not_a_face: bool
    person: int | None
    by: AssignedBy | None


def face_states(
    connection: Connection, contents: Collection[str], *, gallery: tuple[str, str] | None = None
) -> dict[str, list[FaceState]]:
    """Return the faces of these photos by content hash, in the order of their row ids.

    ``gallery`` limits them to one engine and gallery.
    """
    states: dict[str, list[FaceState]] = defaultdict(list)
    query = select(
        faces.c.id,
        faces.c.engine,
        faces.c.gallery,
        faces.c.not_a_face,
        photos.c.sha256,
        assignments.c.person_id,
        assignments.c.by,
        *(faces.c[edge] for edge in BOX_COLUMNS),
    ).select_from(faces.join(photos).outerjoin(assignments, assignments.c.face_id == faces.c.id))
    if gallery is not None:
        query = query.where(faces.c.engine == gallery[0], faces.c.gallery == gallery[1])
    for batch in batches(sorted(contents)):
        rows = connection.execute(query.where(photos.c.sha256.in_(batch)).order_by(faces.c.id))
        for row, engine, name, not_a_face, sha256, person, by, *box in rows:
            key = FaceKey(sha256, BoundingBox(*box))
            known_by = None if by is None else AssignedBy(by)
            states[sha256].append(FaceState(row, (engine, name), key, bool(not_a_face), person, known_by))
    return states


def best_state(key: FaceKey, states: Iterable[FaceState]) -> FaceState | None:
    """Return the face that ``key`` means: the one with the highest overlap among those that are the same face."""
    accepted = [state for state in states if state.key.same(key)]
    return max(accepted, key=lambda state: state.key.box.iou(key.box), default=None)


def contents_in_several_galleries(
    connection: Connection, *, engine: str, gallery: str, include_machine: bool
) -> set[str]:
    """Return content hashes of photos with unassigned faces in this gallery and faces in another gallery.

    With ``include_machine`` also photos whose faces a machine assigned.
    """
    in_other = (faces.c.engine != engine) | (faces.c.gallery != gallery)
    shared = select(faces.c.photo_id).where(in_other).distinct().subquery()
    unassigned = assignments.c.face_id.is_(None)
    by_machine = assignments.c.by == AssignedBy.CLUSTER.value
    query = (
        select(photos.c.sha256)
        .join(faces, faces.c.photo_id == photos.c.id)
        .outerjoin(assignments, assignments.c.face_id == faces.c.id)
        .where(faces.c.engine == engine, faces.c.gallery == gallery, faces.c.not_a_face.is_(False))
        .where(faces.c.photo_id.in_(select(shared.c.photo_id)))
        .where(unassigned | by_machine if include_machine else unassigned)
    )
    return set(connection.scalars(query))

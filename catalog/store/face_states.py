"""Faces with their assignments, as far as replaying decisions and importing labels need them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from catalog.domain.box_columns import BOX_COLUMNS
from catalog.domain.face_key import FaceKey
from catalog.domain.faces import BoundingBox
from catalog.domain.people import AssignedBy
from catalog.store.among import among
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


def find_face_rows(connection: Connection, wanted: Sequence[tuple[FaceKey, tuple[str, str]]]) -> list[int | None]:
    """Return the row id of each face key in an engine and gallery: of the same face with the highest overlap, or None.

    Of equal ones the first.
    """
    query = select(
        faces.c.id, photos.c.sha256, faces.c.engine, faces.c.gallery, *(faces.c[edge] for edge in BOX_COLUMNS)
    ).select_from(faces.join(photos))
    boxes: dict[tuple[str, str, str], dict[tuple[float, ...], int]] = defaultdict(dict)
    for batch in batches(sorted({key.sha256 for key, _ in wanted}), 5_000):
        rows = connection.execute(query.where(among(photos.c.sha256, batch)).order_by(faces.c.id))
        for row, sha256, engine, gallery, *box in rows.all():
            boxes[sha256, engine, gallery].setdefault(tuple(box), row)
    return [_row_of_face(key, boxes.get((key.sha256, *gallery), {})) for key, gallery in wanted]


def _row_of_face(key: FaceKey, rows: Mapping[tuple[float, ...], int]) -> int | None:
    """The row of the face with the highest overlap. ``rows`` are row ids by left, top, width and height."""
    box = key.box
    row = rows.get((box.left, box.top, box.width, box.height))
    if row is not None:  # nearly every face has the box that it had
        return row
    others = [(FaceKey(key.sha256, BoundingBox(*edges)), row) for edges, row in rows.items()]
    same = [(other, row) for other, row in others if other.same(key)]
    return max(same, key=lambda pair: pair[0].box.iou(box))[1] if same else None


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

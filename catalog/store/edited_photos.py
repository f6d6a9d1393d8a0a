"""Edited photos: decisions and assignments are carried from the previous photo of a location to the edited one.

A face of the previous photo and a face of the edited photo are the same face if their boxes overlap enough. The
previous photo keeps its decisions, because other locations may show it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping, delete, exists, insert, or_, select

from catalog.domain.faces import BoundingBox
from catalog.domain.same_face import EDITED_PHOTO, best_match
from catalog.domain.timestamps import utc_text
from catalog.store.decision_copies import copy_decisions
from catalog.store.tables import BOX_COLUMNS, assignments, decisions, faces, locations, photos
from catalog.store.tombstones import copy_tombstones


@dataclass(frozen=True, slots=True)
class CarriedDecisions:
    """Row ids of the faces and of the copied decisions of an edited photo, for :func:`revert_carried`.

    ``assigned`` faces received an assignment, ``no_faces`` were marked as not a face.
    """

    assigned: tuple[int, ...]
    no_faces: tuple[int, ...]
    decisions: tuple[int, ...]


def carry_decisions_over(conn: Connection, photo_id: int, edited_id: int) -> CarriedDecisions | None:
    """Carry decisions, assignments and tombstones to the faces of an edited photo, which must be new.

    Returns None if one of the photos does not exist, or both are the same.
    """
    old = _content_hash(conn, photo_id)
    new = _content_hash(conn, edited_id)
    if old is None or new is None or photo_id == edited_id:
        return None
    assigned, no_faces = _carry_assignments(conn, photo_id, edited_id)
    copies = copy_decisions(conn, old, new, [_box(face) for face in _faces_of(conn, edited_id)])
    copy_tombstones(conn, old, new)
    return CarriedDecisions(tuple(assigned), tuple(no_faces), tuple(copies))


def revert_carried(conn: Connection, carried: CarriedDecisions) -> None:
    """Revert :func:`carry_decisions_over`: the photo is not an edit of the previous one.

    Tombstones stay. A face that is left out by mistake is less harm than a forgotten face that is enrolled again.
    """
    conn.execute(delete(assignments).where(assignments.c.face_id.in_(carried.assigned)))
    conn.execute(faces.update().where(faces.c.id.in_(carried.no_faces)).values(not_a_face=False))
    # A copy that was undone later stays, because its undo names it. The undo of a copy made undone is older than it.
    unused = or_(decisions.c.undone_by.is_(None), decisions.c.undone_by < decisions.c.id)
    conn.execute(delete(decisions).where(decisions.c.id.in_(carried.decisions), unused))


def appeared_elsewhere(conn: Connection, photo_id: int, since: datetime) -> bool:
    """Return whether a present location of the photo was first seen at ``since`` or later: it was moved or copied."""
    return bool(
        conn.scalar(
            select(
                exists().where(
                    locations.c.photo_id == photo_id,
                    locations.c.missing_since.is_(None),
                    locations.c.first_seen >= utc_text(since),
                )
            )
        )
    )


def _content_hash(conn: Connection, photo_id: int) -> str | None:
    return conn.scalar(select(photos.c.sha256).where(photos.c.id == photo_id))


def _faces_of(conn: Connection, photo_id: int) -> list[RowMapping]:
    query = select(
        faces.c.id, faces.c.engine, faces.c.gallery, faces.c.not_a_face, *(faces.c[edge] for edge in BOX_COLUMNS)
    ).where(faces.c.photo_id == photo_id)
    return list(conn.execute(query.order_by(faces.c.id)).mappings())


def _carry_assignments(conn: Connection, photo_id: int, edited_id: int) -> tuple[list[int], list[int]]:
    """Copy assignments and not-a-face marks, within each gallery.

    Returns row ids of the edited photo's faces: those that received an assignment, and those marked as not a face.
    """
    copied: list[int] = []
    no_faces: list[int] = []
    new_faces = _faces_of(conn, edited_id)
    query = select(assignments.c.face_id).where(assignments.c.face_id.in_([face["id"] for face in new_faces]))
    assigned = set(conn.scalars(query))
    for face in _faces_of(conn, photo_id):
        candidates = [
            row
            for row in new_faces
            if (row["engine"], row["gallery"]) == (face["engine"], face["gallery"]) and row["id"] not in assigned
        ]
        match = _best_match(candidates, _box(face))
        if match is None:
            continue
        assignment = conn.execute(select(assignments).where(assignments.c.face_id == face["id"])).mappings().first()
        if assignment is not None:
            conn.execute(insert(assignments), {**assignment, "face_id": match["id"]})
            assigned.add(match["id"])
            copied.append(match["id"])
        if face["not_a_face"]:
            conn.execute(faces.update().where(faces.c.id == match["id"]).values(not_a_face=True))
            no_faces.append(match["id"])
    return copied, no_faces


def _box(row: RowMapping) -> BoundingBox:
    return BoundingBox(*(row[edge] for edge in BOX_COLUMNS))


def _best_match(candidates: Sequence[RowMapping], box: BoundingBox) -> RowMapping | None:
    """The candidate with the highest overlap, or None if the rule accepts none."""
    return best_match(box, candidates, EDITED_PHOTO, key=_box)

"""The faces that a review card shows of a person."""

from __future__ import annotations

from dataclasses import dataclass

from catalog.app.resources import Resources
from catalog.store.catalogued_faces import CataloguedFace, FaceOrder, ordered_faces
from catalog.store.people import find_person

ROW_LENGTH = 8
ALL_SHOWN = 3 * ROW_LENGTH
"""A person with at most this many faces is shown whole."""


@dataclass(frozen=True, slots=True)
class FaceRow:
    """One row of a card. ``order`` tells why these faces were chosen."""

    order: FaceOrder
    faces: tuple[CataloguedFace, ...]


def card_faces(resources: Resources, person: str) -> tuple[FaceRow, ...]:
    """At most 24 faces of a person in the gallery in use, no face twice.

    A person with more faces has three rows: the clearest, the most doubtful, and the oldest and newest.
    """
    engine, gallery = resources.settings.engine.name, resources.gallery
    with resources.reading() as database, database.read() as connection:
        row = find_person(connection, person)
        shown: list[int] = []

        def take(order: FaceOrder, limit: int, *, dated: bool = False) -> list[CataloguedFace]:
            faces = ordered_faces(
                connection, row, order, limit, engine=engine, gallery=gallery, excluded=shown, dated=dated
            )
            shown.extend(face.row for face in faces)
            return faces

        doubtful = take(FaceOrder.DOUBTFUL, ALL_SHOWN + 1)
        if len(doubtful) <= ALL_SHOWN:
            return (FaceRow(FaceOrder.DOUBTFUL, tuple(doubtful)),)
        shown.clear()
        rows = [FaceRow(order, tuple(take(order, ROW_LENGTH))) for order in (FaceOrder.CLEAREST, FaceOrder.DOUBTFUL)]
        ends = take(FaceOrder.OLDEST, ROW_LENGTH // 2, dated=True)
        ends += reversed(take(FaceOrder.NEWEST, ROW_LENGTH // 2, dated=True))
        if ends:
            rows.append(FaceRow(FaceOrder.OLDEST, tuple(ends)))
        else:  # no photo has a date
            rows[1] = FaceRow(FaceOrder.DOUBTFUL, rows[1].faces + tuple(take(FaceOrder.DOUBTFUL, ROW_LENGTH)))
        return tuple(rows)


def faces_in_order(resources: Resources, person: str, order: FaceOrder, limit: int) -> tuple[CataloguedFace, ...]:
    """Faces of a person in the gallery in use."""
    engine, gallery = resources.settings.engine.name, resources.gallery
    with resources.reading() as database, database.read() as connection:
        row = find_person(connection, person)
        return tuple(ordered_faces(connection, row, order, limit, engine=engine, gallery=gallery))

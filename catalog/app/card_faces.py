"""The faces that a review card shows of a person."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass

from catalog.app.resources import Resources
from catalog.store.catalogued_faces import (
    CataloguedFace,
    FaceOrder,
    FaceRank,
    catalogued_faces_by_row,
    face_ranks,
    ordered_faces,
)
from catalog.store.people import find_person

ROW_LENGTH = 8
ALL_SHOWN = 3 * ROW_LENGTH
"""A person with at most this many faces is shown whole."""

_KEYS: dict[FaceOrder, Callable[[FaceRank], tuple[object, ...]]] = {
    FaceOrder.CLEAREST: lambda rank: (-rank.clearness, rank.row),
    FaceOrder.DOUBTFUL: lambda rank: (rank.is_confirmed, rank.similarity, rank.row),
    FaceOrder.OLDEST: lambda rank: (rank.taken or "", rank.row),
}


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
        ranks = face_ranks(connection, find_person(connection, person), engine=engine, gallery=gallery)
        chosen = _choose(ranks)
        faces = catalogued_faces_by_row(connection, [row for _, rows in chosen for row in rows])
    return tuple(FaceRow(order, tuple(faces[row] for row in rows if row in faces)) for order, rows in chosen)


def _choose(ranks: list[FaceRank]) -> list[tuple[FaceOrder, list[int]]]:
    """The row ids of the faces of each row of the card."""
    shown: set[int] = set()

    def take(order: FaceOrder, limit: int, *, dated: bool = False) -> list[int]:
        candidates = (rank for rank in ranks if rank.row not in shown and (not dated or rank.taken is not None))
        faces = [rank.row for rank in heapq.nsmallest(limit, candidates, key=_KEYS[order])]
        shown.update(faces)
        return faces

    if len(ranks) <= ALL_SHOWN:
        return [(FaceOrder.DOUBTFUL, take(FaceOrder.DOUBTFUL, ALL_SHOWN))]
    rows = [(order, take(order, ROW_LENGTH)) for order in (FaceOrder.CLEAREST, FaceOrder.DOUBTFUL)]
    ends = take(FaceOrder.OLDEST, ROW_LENGTH // 2, dated=True)
    newest = [rank for rank in ranks if rank.row not in shown and rank.taken is not None]
    ends += [rank.row for rank in heapq.nlargest(ROW_LENGTH // 2, newest, key=lambda rank: rank.taken or "")][::-1]
    if ends:
        rows.append((FaceOrder.OLDEST, ends))
    else:  # no photo has a date
        rows[1][1].extend(take(FaceOrder.DOUBTFUL, ROW_LENGTH))
    return rows


def faces_in_order(resources: Resources, person: str, order: FaceOrder, limit: int) -> tuple[CataloguedFace, ...]:
    """Faces of a person in the gallery in use."""
    engine, gallery = resources.settings.engine.name, resources.gallery
    with resources.reading() as database, database.read() as connection:
        row = find_person(connection, person)
        return tuple(ordered_faces(connection, row, order, limit, engine=engine, gallery=gallery))

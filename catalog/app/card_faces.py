"""The faces that a review card shows of a person."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial

from catalog.app.resources import Resources
from catalog.store.catalogued_faces import CataloguedFace, catalogued_faces_by_row
from catalog.store.face_order import FaceOrder, FaceRank, face_ranks, ordered_faces
from catalog.store.many_faces import many_faces
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

    A person with more faces has three rows: the clearest, the most doubtful, and the oldest and newest. The clearest of
    a person with very many faces are those of a sample.
    """
    engine, gallery = resources.settings.engine.name, resources.gallery
    with resources.reading() as database, database.read() as connection:
        row = find_person(connection, person)
        many = many_faces(connection, row.id, engine=engine, gallery=gallery)
        if many is not None:
            chosen = _choose(many.take)
        else:
            ranks = face_ranks(connection, row, engine=engine, gallery=gallery)
            chosen = _choose(partial(_take, ranks)) if len(ranks) > ALL_SHOWN else _all(ranks)
        faces = catalogued_faces_by_row(connection, [row for _, rows in chosen for row in rows])
    return tuple(FaceRow(order, tuple(faces[row] for row in rows if row in faces)) for order, rows in chosen)


def _all(ranks: Sequence[FaceRank]) -> list[tuple[FaceOrder, list[int]]]:
    return [(FaceOrder.DOUBTFUL, _take(ranks, FaceOrder.DOUBTFUL, ALL_SHOWN, ()))]


def _take(ranks: Sequence[FaceRank], order: FaceOrder, limit: int, excluded: Collection[int]) -> list[int]:
    """Row ids of at most ``limit`` of these faces, in an order. Faces without a date are neither oldest nor newest."""
    candidates = [rank for rank in ranks if rank.row not in excluded]
    if order in (FaceOrder.OLDEST, FaceOrder.NEWEST):
        candidates = [rank for rank in candidates if rank.taken is not None]
    if order is FaceOrder.NEWEST:  # of one time, the first row first, as in the other orders
        return [rank.row for rank in heapq.nlargest(limit, candidates, key=lambda rank: rank.taken or "")]
    return [rank.row for rank in heapq.nsmallest(limit, candidates, key=_KEYS[order])]


def _choose(take: Callable[[FaceOrder, int, Collection[int]], list[int]]) -> list[tuple[FaceOrder, list[int]]]:
    """The row ids of the faces of each row of the card. ``take`` gives the first faces in an order, without some."""
    shown: set[int] = set()

    def next_faces(order: FaceOrder, limit: int) -> list[int]:
        faces = take(order, limit, shown)
        shown.update(faces)
        return faces

    rows = [(order, next_faces(order, ROW_LENGTH)) for order in (FaceOrder.CLEAREST, FaceOrder.DOUBTFUL)]
    ends = next_faces(FaceOrder.OLDEST, ROW_LENGTH // 2)
    ends += next_faces(FaceOrder.NEWEST, ROW_LENGTH // 2)[::-1]
    if ends:
        rows.append((FaceOrder.OLDEST, ends))
    else:  # no photo has a date
        rows[1][1].extend(next_faces(FaceOrder.DOUBTFUL, ROW_LENGTH))
    return rows


def faces_in_order(resources: Resources, person: str, order: FaceOrder, limit: int) -> tuple[CataloguedFace, ...]:
    """Faces of a person in the gallery in use.

    At most ``ALL_SHOWN`` of the clearest are those of a sample, for a person with very many faces.
    """
    engine, gallery = resources.settings.engine.name, resources.gallery
    with resources.reading() as database, database.read() as connection:
        row = find_person(connection, person)
        is_sampled = order is FaceOrder.CLEAREST and limit <= ALL_SHOWN
        many = many_faces(connection, row.id, engine=engine, gallery=gallery) if is_sampled else None
        if many is not None:
            faces = catalogued_faces_by_row(connection, rows := many.take(order, limit, ()))
            return tuple(faces[face_row] for face_row in rows if face_row in faces)
        return tuple(ordered_faces(connection, row, order, limit, engine=engine, gallery=gallery))

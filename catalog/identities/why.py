"""Why a face belongs to whom it does: its neighbors, and every decision about it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, or_, select

from catalog.engines.base import Engine, GroupMeans
from catalog.identities.ledger import Decision, read_ledger
from catalog.store.appearances import Appearance, appearances_by_id, appearances_by_row
from catalog.store.database import Database
from catalog.store.tables import matches


@dataclass(frozen=True, slots=True)
class Neighbor:
    """A face near another one. ``same`` says that both belong to one person."""

    face: Appearance
    similarity: float
    same: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """``neighbors`` are the nearest known faces; ``decisions`` what humans said of the face, oldest first."""

    face: Appearance
    neighbors: tuple[Neighbor, ...]
    decisions: tuple[Decision, ...]


def explain(database: Database, engine: Engine, face: Appearance, *, limit: int) -> Explanation:
    """Gather what is known. An engine that takes money is not asked: the edges it was paid for are kept."""
    with database.read() as connection:
        near = (
            _ask(connection, engine, face, limit)
            if isinstance(engine, GroupMeans)
            else _bought(connection, face, limit)
        )
        decided = [each for each in read_ledger(connection) if any(place.same(face.place) for place in each.places)]
    neighbors = [
        Neighbor(other, similarity, other.person_id is not None and other.person_id == face.person_id)
        for other, similarity in near
    ]
    return Explanation(face, tuple(neighbors), tuple(decided))


def _ask(connection: Connection, engine: Engine, face: Appearance, limit: int) -> list[tuple[Appearance, float]]:
    answer = engine.neighbors(face.face_id, 0.0, limit)
    known = appearances_by_id(
        connection, [match.face_id for match in answer.matches], engine=face.engine, gallery=face.gallery
    )
    return [(known[match.face_id], match.similarity) for match in answer.matches if match.face_id in known]


def _bought(connection: Connection, face: Appearance, limit: int) -> list[tuple[Appearance, float]]:
    query = (
        select(matches.c.face_a, matches.c.face_b, matches.c.similarity)
        .where(or_(matches.c.face_a == face.row, matches.c.face_b == face.row))
        .order_by(matches.c.similarity.desc())
        .limit(limit)
    )
    near = [(a if b == face.row else b, similarity) for a, b, similarity in connection.execute(query)]
    known = appearances_by_row(connection, [row for row, _ in near])
    return [(known[row], similarity) for row, similarity in near if row in known]

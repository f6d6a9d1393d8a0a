"""Why a face belongs to whom it does: its neighbors, and every decision about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, or_, select

from catalog.domain.engine import Engine
from catalog.identities.assignment.assign_people import GroupingRules, face_table_of
from catalog.identities.assignment.suggestions import by_owner
from catalog.identities.decisions.log import Decision, EffectiveDecisions, effective_decisions, read_decisions
from catalog.store.catalogued_faces import CataloguedFace, catalogued_faces_by_id, catalogued_faces_by_row
from catalog.store.database import Database
from catalog.store.person_index import PersonIndex, all_persons
from catalog.store.tables import matches


@dataclass(frozen=True, slots=True)
class Neighbor:
    """A face near another one. ``same`` says that both belong to one person.

    ``kept_apart`` says what parts the two persons, however alike they are; None where nothing but likeness decided.
    """

    face: CataloguedFace
    similarity: float
    same: bool
    kept_apart: str | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """``neighbors`` are the nearest known faces; ``decisions`` what humans said of the face, oldest first."""

    face: CataloguedFace
    neighbors: tuple[Neighbor, ...]
    decisions: tuple[Decision, ...]


def explain(
    database: Database, engine: Engine, rules: GroupingRules, face: CataloguedFace, *, limit: int
) -> Explanation:
    """Gather what is known. An engine that takes money is not asked: the edges it was paid for are kept."""
    with database.read() as connection:
        near = (
            _ask(connection, engine, face, limit)
            if not engine.capabilities.is_paid
            else _bought(connection, face, limit)
        )
        ledger = read_decisions(connection)
        decided = [each for each in ledger if any(place.same(face.place) for place in each.places)]
        others = [other for other, _ in near if other.person_id is None or other.person_id != face.person_id]
        apart = _kept_apart(connection, engine, rules, effective_decisions(ledger), face, others) if others else {}
    neighbors = [
        Neighbor(other, similarity, other.row not in apart, apart.get(other.row)) for other, similarity in near
    ]
    return Explanation(face, tuple(neighbors), tuple(decided))


def _kept_apart(
    connection: Connection,
    engine: Engine,
    rules: GroupingRules,
    said: EffectiveDecisions,
    face: CataloguedFace,
    others: Sequence[CataloguedFace],
) -> dict[int, str | None]:
    """What parts a face from others, by row id."""
    roster = face_table_of(connection, engine, rules, face.gallery)
    people = PersonIndex.of(all_persons(connection))
    node, apparent = by_owner(roster, people)
    here, *there = roster.places([face.row, *(other.row for other in others)]).tolist()
    held = roster.photo[roster.person == roster.person[here]] if here >= 0 and roster.person[here] >= 0 else []
    found: dict[int, str | None] = {}
    for other, at in zip(others, there, strict=True):
        reason = None
        if other.sha256 == face.sha256:
            reason = "both are on this photo"
        elif _refused(said, people, face, other) or _refused(said, people, other, face):
            reason = "a human said so"
        elif here >= 0 and at >= 0:
            reason = apparent.told_apart(int(node[here]), int(node[at]))
            theirs = roster.photo[roster.person == roster.person[at]] if roster.person[at] >= 0 else roster.photo[[at]]
            if reason is None and np.isin(theirs, held).any():
                reason = "the two persons are together on a photo"
        found[other.row] = reason
    return found


def _refused(said: EffectiveDecisions, people: PersonIndex, face: CataloguedFace, other: CataloguedFace) -> bool:
    """Whether a human said that a face is not the other's person, or parted the two persons."""
    if other.person_id is None:
        return False
    for place, public in said.refusals:
        lead = people.canonical(public)
        if lead is not None and lead.person_id == other.person_id and place.same(face.place):
            return True
    parted = [{lead.person_id for lead in map(people.canonical, pair) if lead is not None} for pair in said.apart]
    return {face.person_id, other.person_id} in parted


def _ask(
    connection: Connection, engine: Engine, face: CataloguedFace, limit: int
) -> list[tuple[CataloguedFace, float]]:
    answer = engine.neighbors(face.face_id, 0.0, limit)
    known = catalogued_faces_by_id(
        connection, [match.face_id for match in answer.matches], engine=face.engine, gallery=face.gallery
    )
    return [(known[match.face_id], match.similarity) for match in answer.matches if match.face_id in known]


def _bought(connection: Connection, face: CataloguedFace, limit: int) -> list[tuple[CataloguedFace, float]]:
    query = (
        select(matches.c.face_a, matches.c.face_b, matches.c.similarity)
        .where(or_(matches.c.face_a == face.row, matches.c.face_b == face.row))
        .order_by(matches.c.similarity.desc())
        .limit(limit)
    )
    near = [(a if b == face.row else b, similarity) for a, b, similarity in connection.execute(query)]
    known = catalogued_faces_by_row(connection, [row for row, _ in near])
    return [(known[row], similarity) for row, similarity in near if row in known]

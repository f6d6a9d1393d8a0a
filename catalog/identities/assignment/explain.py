"""Explain a face: its nearest faces, the reasons that separate it from them, and every decision about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection

from catalog.domain.engine import Engine
from catalog.identities.assignment.gallery_clustering import GroupingRules, face_table_of
from catalog.identities.assignment.suggestions import demographics_of_owners
from catalog.identities.decisions.effective import EffectiveDecisions, effective_decisions
from catalog.identities.decisions.log import Decision, read_decisions
from catalog.store.catalogued_faces import CataloguedFace, catalogued_faces_by_id, catalogued_faces_by_row
from catalog.store.database import Database
from catalog.store.neighbor_search_rows import matches_of_face
from catalog.store.person_index import PersonIndex, all_persons


@dataclass(frozen=True, slots=True)
class Neighbor:
    """A face near the explained one. ``same`` is True if both belong to one person.

    ``kept_apart`` is the reason that separates the two persons; None if only their similarity decided.
    """

    face: CataloguedFace
    similarity: float
    same: bool
    kept_apart: str | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """``neighbors`` are the nearest enrolled faces; ``decisions`` are those about the face, oldest first."""

    face: CataloguedFace
    neighbors: tuple[Neighbor, ...]
    decisions: tuple[Decision, ...]


def explain(
    database: Database, engine: Engine, rules: GroupingRules, face: CataloguedFace, *, limit: int
) -> Explanation:
    """Explain a face by at most ``limit`` neighbors. A paid engine is not called: the stored matches are used."""
    with database.read() as connection:
        nearest = (
            _search(connection, engine, face, limit)
            if not engine.capabilities.is_paid
            else _stored_matches(connection, face, limit)
        )
        log = read_decisions(connection)
        decisions = [decision for decision in log if any(key.same(face.place) for key in decision.faces)]
        separated = [
            neighbor_face
            for neighbor_face, _ in nearest
            if neighbor_face.person_id is None or neighbor_face.person_id != face.person_id
        ]
        reasons = _reasons(connection, engine, rules, effective_decisions(log), face, separated) if separated else {}
    neighbors = [
        Neighbor(neighbor_face, similarity, neighbor_face.row not in reasons, reasons.get(neighbor_face.row))
        for neighbor_face, similarity in nearest
    ]
    return Explanation(face, tuple(neighbors), tuple(decisions))


def _reasons(
    connection: Connection,
    engine: Engine,
    rules: GroupingRules,
    effective: EffectiveDecisions,
    face: CataloguedFace,
    neighbors: Sequence[CataloguedFace],
) -> dict[int, str | None]:
    """The reason that separates the face from each of the others, by row id."""
    table = face_table_of(connection, engine, rules, face.gallery)
    people = PersonIndex.of(all_persons(connection))
    node, demographics = demographics_of_owners(table, people)
    index, *indexes = table.indexes_of_rows([face.row, *(neighbor.row for neighbor in neighbors)]).tolist()
    photos = table.photo[table.person == table.person[index]] if index >= 0 and table.person[index] >= 0 else []
    reasons: dict[int, str | None] = {}
    for neighbor, neighbor_index in zip(neighbors, indexes, strict=True):
        reason = None
        if neighbor.sha256 == face.sha256:
            reason = "both are on this photo"
        elif _is_decided(effective, people, face, neighbor) or _is_decided(effective, people, neighbor, face):
            reason = "a user decided so"
        elif index >= 0 and neighbor_index >= 0:
            reason = demographics.conflict_reason(int(node[index]), int(node[neighbor_index]))
            other_person = table.person[neighbor_index]
            other_photos = table.photo[table.person == other_person if other_person >= 0 else [neighbor_index]]
            if reason is None and np.isin(other_photos, photos).any():
                reason = "the two persons are together on a photo"
        reasons[neighbor.row] = reason
    return reasons


def _is_decided(
    effective: EffectiveDecisions, people: PersonIndex, face: CataloguedFace, neighbor: CataloguedFace
) -> bool:
    """True if a user rejected the face as the other's person, or separated the two persons."""
    if neighbor.person_id is None:
        return False
    for key, public_id in effective.rejected:
        person = people.canonical(public_id)
        if person is not None and person.person_id == neighbor.person_id and key.same(face.place):
            return True
    separated = [
        {person.person_id for person in map(people.canonical, pair) if person is not None} for pair in effective.apart
    ]
    return {face.person_id, neighbor.person_id} in separated


def _search(
    connection: Connection, engine: Engine, face: CataloguedFace, limit: int
) -> list[tuple[CataloguedFace, float]]:
    answer = engine.neighbors(face.face_id, 0.0, limit)
    ids = [match.face_id for match in answer.matches]
    faces = catalogued_faces_by_id(connection, ids, engine=face.engine, gallery=face.gallery)
    return [(faces[match.face_id], match.similarity) for match in answer.matches if match.face_id in faces]


def _stored_matches(connection: Connection, face: CataloguedFace, limit: int) -> list[tuple[CataloguedFace, float]]:
    matches = matches_of_face(connection, face.row, limit)
    faces = catalogued_faces_by_row(connection, [row for row, _ in matches])
    return [(faces[row], similarity) for row, similarity in matches if row in faces]

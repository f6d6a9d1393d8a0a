"""Name conflicts: two named persons who look like one. A machine never merges them; the user is told."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from sqlalchemy import Connection

from catalog.domain.engine import Engine
from catalog.identities.assignment.gallery_clustering import GroupingRules, face_table_of
from catalog.identities.assignment.suggestions import similar_pairs
from catalog.identities.decisions.effective import effective_decisions
from catalog.identities.decisions.log import read_decisions
from catalog.store.person_index import PersonIndex, PersonRow, all_persons


@dataclass(frozen=True, slots=True)
class NameConflict:
    """Two named persons whose faces would be merged if they had no names. ``similarity`` is 0-100."""

    person: PersonRow
    other: PersonRow
    similarity: float


def find_name_conflicts(
    connection: Connection, engine: Engine, rules: GroupingRules, persons: Set[int], *, gallery: str
) -> list[NameConflict]:
    """Conflicts with at least one of these persons, by row id, the most similar first.

    Persons that a user separated are left out. No paid search is run.
    """
    table = face_table_of(connection, engine, rules, gallery)
    if not len(table):
        return []
    people = PersonIndex.of(all_persons(connection))
    separated = {
        frozenset(person.id for person in map(people.canonical, pair) if person is not None)
        for pair in effective_decisions(read_decisions(connection)).apart
    }
    best: dict[frozenset[int], float] = {}
    first, second, similarity = similar_pairs(connection, engine, table, rules, gallery, margin=0.0)
    for a, b, value in zip(
        table.person[first].tolist(), table.person[second].tolist(), similarity.tolist(), strict=True
    ):
        pair = frozenset((a, b))
        if len(pair) < 2 or min(pair) < 0 or not pair & persons or pair in separated:
            continue
        if all(people.rows[row].name for row in pair):
            best[pair] = max(value, best.get(pair, 0.0))
    return [
        NameConflict(people.rows[min(pair)], people.rows[max(pair)], value)
        for pair, value in sorted(best.items(), key=lambda item: (-item[1], sorted(item[0])))
    ]

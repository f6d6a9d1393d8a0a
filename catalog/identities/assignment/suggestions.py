"""What a human could settle with one word: persons that may be one, and faces that may be somebody's."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection

from catalog.domain.engine import Engine, GroupMeans
from catalog.identities.assignment.assign_people import GroupingRules, face_table_of
from catalog.identities.assignment.neighbor_searches import logit, read_edges
from catalog.identities.assignment.person_constraints import indexes_of_keys
from catalog.identities.clustering.demographics import Demographics
from catalog.identities.clustering.face_table import FaceTable
from catalog.identities.clustering.group_mean_clustering import nearby_persons
from catalog.identities.clustering.similarity_graph import Flags, Floats, Ints
from catalog.identities.decisions.log import EffectiveDecisions, effective_decisions, read_decisions
from catalog.store.catalogued_faces import CataloguedFace, catalogued_faces_by_row
from catalog.store.database import Database
from catalog.store.person_index import PersonIndex, PersonRow, all_persons

_REACH = 0.15
"""How far below the threshold of linkage a pair may be and still be worth asking about; 25 times that in log-odds."""
_LOGIT_PER_COSINE = 25.0
_SOFT = 0.75
"""Log-odds of similarity in which the chance of a yes changes by a factor of about e."""

_AT_ODDS = 0.25
"""How much less likely a yes is for two who look born far apart or of different gender; for ranking only."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A question: is ``other`` the same person as ``person``, or is ``face``, which has no person?

    ``faces`` is how many faces a yes would settle. ``kept_apart`` says why a machine did not join them, however alike
    they are, where there is such a reason.
    """

    person: PersonRow
    other: PersonRow | None
    face: CataloguedFace | None
    similarity: float
    faces: int
    kept_apart: str | None = None


def suggest(
    database: Database,
    engine: Engine,
    rules: GroupingRules,
    *,
    gallery: str,
    limit: int,
    person: PersonRow | None = None,
) -> list[Suggestion]:
    """The questions most worth asking: first those where the faces settled, times the chance of a yes, are most.

    No search is bought for them.
    Never two who are on one photo, and nothing that a human answered already.
    """
    with database.read() as connection:
        roster = face_table_of(connection, engine, rules, gallery)
        if not len(roster):
            return []
        said = effective_decisions(read_decisions(connection))
        people = PersonIndex.of(all_persons(connection))
        pairs = (
            _by_means(engine.group_means, roster, rules)
            if engine.group_means is not None
            else _by_searches(connection, engine, roster, rules, gallery)
        )
        refused = _refused(connection, roster, said, people)
        bar = _bar(engine, rules)
        node, apparent = by_owner(roster, people)
        odd = apparent.at_odds(node[pairs[0]], node[pairs[1]])
        asked = _questions(roster, pairs, odd, refused, people, person, bar)[:limit]
        shown = catalogued_faces_by_row(connection, [int(roster.rows[at]) for _, at, _, _, single in asked if single])
    return [
        Suggestion(
            people.rows[int(roster.person[one])],
            None if single else people.rows[int(roster.person[at])],
            shown[int(roster.rows[at])] if single else None,
            similarity,
            faces,
            apparent.told_apart(int(node[one]), int(node[at])),
        )
        for one, at, similarity, faces, single in asked
    ]


Pairs = tuple[Ints, Ints, Floats]
"""Positions of a face of one person, of a face of another person or of nobody, and the similarity of the two, 0-100."""


def _by_means(engine: GroupMeans, roster: FaceTable, rules: GroupingRules) -> Pairs:
    vectors = engine.group_vectors(roster.face_ids)
    one, other, value = nearby_persons(vectors, roster, rules.means.threshold - _REACH)
    return one, other, np.asarray(engine.similarities(value.tolist()), dtype=np.float64)


def _by_searches(
    connection: Connection, engine: Engine, roster: FaceTable, rules: GroupingRules, gallery: str
) -> Pairs:
    edges = read_edges(connection, roster, engine=engine.name, gallery=gallery)
    key = np.where(roster.person >= 0, roster.person, -1 - np.arange(len(roster)))
    _, first, node = np.unique(key, return_index=True, return_inverse=True)
    one, other = node[edges.first], node[edges.second]
    lo, hi = np.minimum(one, other), np.maximum(one, other)
    apart = lo != hi
    pair, fold = np.unique(lo[apart] * len(first) + hi[apart], return_inverse=True)
    mean = np.bincount(fold, edges.similarity[apart], len(pair)) / np.bincount(fold, minlength=len(pair))
    likely = mean >= rules.searches.threshold - _REACH * _LOGIT_PER_COSINE
    pair, mean = pair[likely], mean[likely]
    return first[pair // len(first)], first[pair % len(first)], 100.0 / (1.0 + np.exp(-mean))


def by_owner(roster: FaceTable, people: PersonIndex) -> tuple[Ints, Demographics]:
    """What everybody's faces together say of their owner, and everybody's row there; a face without person is alone."""
    key = np.where(roster.person >= 0, roster.person, -1 - np.arange(len(roster)))
    ids, node = np.unique(key, return_inverse=True)
    return node, roster.apparent.settled(roster.person, people.birth_years()).grouped(node, len(ids))


def _refused(
    connection: Connection, roster: FaceTable, said: EffectiveDecisions, people: PersonIndex
) -> set[tuple[int, int]]:
    """Pairs (person, person) and (person, -1 - position of a face) that a human told apart."""
    no: set[tuple[int, int]] = set()
    for one, other in said.apart:
        a, b = people.canonical(one), people.canonical(other)
        if a is not None and b is not None:
            no |= {(a.id, b.id), (b.id, a.id)}
    at = indexes_of_keys(connection, roster, [place for place, _ in said.refusals])
    for position, (_, public) in zip(at, said.refusals, strict=True):
        person = people.canonical(public)
        if position < 0 or person is None:
            continue
        holder = int(roster.person[position])
        no |= {(person.id, -1 - position)} if holder < 0 else {(person.id, holder), (holder, person.id)}
    return no


def _questions(
    roster: FaceTable,
    pairs: Pairs,
    odd: Flags,
    refused: set[tuple[int, int]],
    people: PersonIndex,
    about: PersonRow | None,
    bar: float,
) -> list[tuple[int, int, float, int, bool]]:
    """(position of a face of the person, position of the other, similarity, faces settled, other is a single face)."""
    photos: dict[int, set[int]] = defaultdict(set)
    sizes: dict[int, int] = defaultdict(int)
    for person, photo in zip(roster.person.tolist(), roster.photo.tolist(), strict=True):
        photos[person].add(photo)
        sizes[person] += 1
    found = []
    for one, other, similarity, unlikely in zip(*(part.tolist() for part in (*pairs, odd)), strict=True):
        a, b = int(roster.person[one]), int(roster.person[other])
        if a < 0 or (b >= 0 and (not people.rows[a].name, -sizes[a], a) > (not people.rows[b].name, -sizes[b], b)):
            one, other, a, b = other, one, b, a
        single = b < 0
        theirs = {int(roster.photo[other])} if single else photos[b]
        hidden = people.rows[a].hidden or (not single and people.rows[b].hidden) if a >= 0 else True
        named_both = not single and a >= 0 and people.rows[a].name and people.rows[b].name
        if hidden or named_both or (about is not None and about.id not in (a, b)):
            continue
        if (a, -1 - other if single else b) in refused or photos[a] & theirs:
            continue
        settles = 1 if single else min(sizes[a], sizes[b])
        worth = settles * _chance(similarity, bar) * (_AT_ODDS if unlikely else 1.0)
        found.append((worth, (one, other, similarity, settles, single)))
    found.sort(key=lambda rated: (-rated[0], -rated[1][2], rated[1]))
    best: dict[tuple[int, int], tuple[int, int, float, int, bool]] = {}
    for _, row in found:
        best.setdefault((int(roster.person[row[0]]), -1 - row[1] if row[4] else int(roster.person[row[1]])), row)
    return list(best.values())


def _bar(engine: Engine, rules: GroupingRules) -> float:
    """The log-odds at which two groups are usually joined without being asked; for ranking only."""
    if engine.group_means is not None:
        return float(logit(engine.group_means.similarities([rules.means.threshold])[0]))
    return rules.searches.threshold


def _chance(similarity: float, bar: float) -> float:
    """A guess at the chance of a yes, for ranking only: even odds at the bar, less below."""
    return 1.0 / (1.0 + math.exp(-(float(logit(similarity)) - bar) / _SOFT))

"""Suggestions: pairs of persons, and unassigned faces, that a yes or no would decide."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection

from catalog.domain.engine import Engine, GroupMeans
from catalog.domain.log_odds import share_of_odds, similarity_odds
from catalog.identities.assignment.gallery_clustering import GroupingRules, face_table_of, read_edges
from catalog.identities.assignment.person_constraints import indexes_of_keys
from catalog.identities.assignment.same_photo_faces import classify_same_photo_pairs
from catalog.identities.clustering.arrays import Floats, Ints
from catalog.identities.clustering.demographics import Demographics
from catalog.identities.clustering.face_table import FaceTable
from catalog.identities.clustering.group_mean_clustering import nearby_persons
from catalog.identities.clustering.same_photo import SamePhotoPairs
from catalog.identities.clustering.similarity_graph import log_odds_similarity
from catalog.identities.clustering.years_apart import odds_of_years, years_apart
from catalog.identities.decisions.effective import EffectiveDecisions, effective_decisions
from catalog.identities.decisions.log import read_decisions
from catalog.store.catalogued_faces import CataloguedFace, catalogued_faces_by_row
from catalog.store.database import Database
from catalog.store.person_index import PersonIndex, PersonRow, all_persons

_MARGIN = 0.15
"""Suggestions reach this far below the linkage threshold, in cosine. Not measured."""
_ODDS_PER_COSINE = 25.0
"""Slope of the calibration: log-odds of similarity per unit of cosine."""
_ODDS_PER_FACTOR = 0.75
"""Log-odds of similarity in which the odds of a yes change by a factor of about e. For ranking only; not measured."""
_CONFLICT_FACTOR = 0.25
"""Factor of the chance of a yes if demographics conflict. For ranking only; not measured."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A question: is ``other``, or the unassigned ``face``, the same person as ``person``?

    ``faces`` is the number of faces that a yes would decide. ``kept_apart`` is the reason why a machine did not merge
    them in spite of their similarity, if there is one. ``same_photo`` is True if both are on one photo: a yes then says
    that the photo shows one person several times.
    """

    person: PersonRow
    other: PersonRow | None
    face: CataloguedFace | None
    similarity: float
    faces: int
    kept_apart: str | None = None
    same_photo: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """``face`` is a face of the person, ``other`` a face of the other person or the unassigned face, by index."""

    face: int
    other: int
    similarity: float
    faces: int
    is_single: bool
    worth: float
    same_photo: bool = False
    years: float = 0.0
    """Years between the two photos; 0 if they are no evidence."""


def suggest(
    database: Database,
    engine: Engine,
    rules: GroupingRules,
    *,
    gallery: str,
    limit: int,
    person: PersonRow | None = None,
) -> list[Suggestion]:
    """Suggestions, the most useful first: by the faces that a yes would decide times the chance of a yes.

    Of equally similar pairs that look born at the same time, those with more years between their photos come first.

    With ``person`` only suggestions about that person. Two persons on one photo are suggested only if their faces there
    are doubtful, see :mod:`catalog.identities.clustering.same_photo`. Pairs that a user decided are never suggested. No
    paid search is run.
    """
    with database.read() as connection:
        open_questions = read_open_questions(connection, engine, rules, gallery=gallery)
        table, people, questions = open_questions.table, open_questions.people, list(open_questions.questions)
        if person is not None:
            questions = [
                question
                for question in questions
                if person.id in (int(table.person[question.face]), int(table.person[question.other]))
            ]
        questions = questions[:limit]
        single_rows = [int(table.row_ids[question.other]) for question in questions if question.is_single]
        faces = catalogued_faces_by_row(connection, single_rows)
    return [
        Suggestion(
            people.rows[int(table.person[question.face])],
            None if question.is_single else people.rows[int(table.person[question.other])],
            faces[int(table.row_ids[question.other])] if question.is_single else None,
            question.similarity,
            question.faces,
            open_questions.conflict_reason(question),
            question.same_photo,
        )
        for question in questions
    ]


@dataclass(frozen=True, slots=True)
class OpenQuestions:
    """All questions that a yes or no would decide, worth most first, with the faces and persons that they are about."""

    table: FaceTable
    people: PersonIndex
    questions: Sequence[Question]
    node: Ints
    demographics: Demographics

    def conflict_reason(self, question: Question) -> str | None:
        """Why a machine did not merge the two in spite of their similarity, if there is a reason."""
        return self.demographics.conflict_reason(int(self.node[question.face]), int(self.node[question.other]))


def read_open_questions(connection: Connection, engine: Engine, rules: GroupingRules, *, gallery: str) -> OpenQuestions:
    """Questions about the persons and unassigned faces of a gallery. No paid search is run."""
    table = face_table_of(connection, engine, rules, gallery)
    effective = effective_decisions(read_decisions(connection))
    people = PersonIndex.of(all_persons(connection))
    node, demographics = demographics_of_owners(table, people)
    if not len(table):
        return OpenQuestions(table, people, (), node, demographics)
    pairs = similar_pairs(connection, engine, table, rules, gallery, margin=_MARGIN)
    decided = _decided_pairs(connection, table, effective, people)
    threshold = _threshold_odds(engine, rules)
    same_photo = classify_same_photo_pairs(connection, engine, table, rules, effective, people, with_protected=True)
    together = _owners_together(node, same_photo)
    questions = _best_of_each_pair(
        table,
        _questions(
            table,
            pairs,
            demographics,
            node,
            together,
            decided,
            people,
            threshold,
            uses_years=engine.group_means is not None,
        ),
    )
    return OpenQuestions(table, people, questions, node, demographics)


Pairs = tuple[Ints, Ints, Floats]
"""Index of a face of a person, index of a face of another person or without one, and the similarity of both, 0-100."""


def similar_pairs(
    connection: Connection, engine: Engine, table: FaceTable, rules: GroupingRules, gallery: str, *, margin: float
) -> Pairs:
    """Pairs of a person and another person or an unassigned face, down to ``margin`` (cosine) below the threshold."""
    if engine.group_means is not None:
        return _pairs_by_means(engine.group_means, table, rules, margin)
    return _pairs_by_searches(connection, engine, table, rules, gallery, margin)


def _pairs_by_means(means: GroupMeans, table: FaceTable, rules: GroupingRules, margin: float) -> Pairs:
    face_a, face_b, value = nearby_persons(means, table, rules.mean_linkage.threshold - margin)
    return face_a, face_b, np.asarray(means.similarities(value.tolist()), dtype=np.float64)


def _pairs_by_searches(
    connection: Connection, engine: Engine, table: FaceTable, rules: GroupingRules, gallery: str, margin: float
) -> Pairs:
    edges = read_edges(connection, table, engine=engine.name, gallery=gallery)
    node, first = table.owners()
    node_a, node_b = node[edges.first], node[edges.second]
    lo, hi = np.minimum(node_a, node_b), np.maximum(node_a, node_b)
    is_outer = lo != hi
    pair, fold = np.unique(lo[is_outer] * len(first) + hi[is_outer], return_inverse=True)
    mean = np.bincount(fold, edges.similarity[is_outer], len(pair)) / np.bincount(fold, minlength=len(pair))
    is_likely = mean >= rules.search_linkage.threshold - margin * _ODDS_PER_COSINE
    pair, mean = pair[is_likely], mean[is_likely]
    return first[pair // len(first)], first[pair % len(first)], log_odds_similarity(mean)


def demographics_of_owners(table: FaceTable, people: PersonIndex) -> tuple[Ints, Demographics]:
    """The row of each face's owner, and the demographics of owners: persons, and faces without a person."""
    node, first = table.owners()
    demographics = table.demographics.with_persons(table.person, people.birth_years())
    return node, demographics.grouped(node, len(first))


def _owners_together(node: Ints, same_photo: SamePhotoPairs) -> dict[tuple[int, int], bool]:
    """Pairs of owners on one photo, in both orders; True if all their faces there are doubtful or copies."""
    together: dict[tuple[int, int], bool] = {}
    is_alike = same_photo.is_copy | same_photo.is_doubtful
    for first_end, second_end, is_pair_alike in zip(*node[same_photo.pairs].T.tolist(), is_alike.tolist(), strict=True):
        for pair in ((first_end, second_end), (second_end, first_end)):
            together[pair] = together.get(pair, True) and is_pair_alike
    return together


def _decided_pairs(
    connection: Connection, table: FaceTable, effective: EffectiveDecisions, people: PersonIndex
) -> set[tuple[int, int]]:
    """Pairs (person, person) and (person, -1 - index of an unassigned face) that a user separated."""
    pairs: set[tuple[int, int]] = set()
    for first_end, second_end in effective.apart:
        a, b = people.canonical(first_end), people.canonical(second_end)
        if a is not None and b is not None:
            pairs |= {(a.id, b.id), (b.id, a.id)}
    rejected = indexes_of_keys(connection, table, [key for key, _ in effective.rejected])
    for index, (_, public_id) in zip(rejected, effective.rejected, strict=True):
        person = people.canonical(public_id)
        if index < 0 or person is None:
            continue
        holder = int(table.person[index])
        pairs |= {(person.id, -1 - index)} if holder < 0 else {(person.id, holder), (holder, person.id)}
    return pairs


def _questions(
    table: FaceTable,
    pairs: Pairs,
    demographics: Demographics,
    node: Ints,
    together: Mapping[tuple[int, int], bool],
    decided: set[tuple[int, int]],
    people: PersonIndex,
    threshold: float,
    *,
    uses_years: bool,
) -> Iterator[Question]:
    """The pairs that are worth a question. The named person, else the one with more faces, comes first.

    ``uses_years``: the faces of a pair are those nearest in time, which neighbor searches do not tell.
    """
    sizes = Counter(table.person.tolist())
    has_conflict = demographics.conflict(node[pairs[0]], node[pairs[1]])
    years_between = np.zeros(len(pairs[0]))
    if uses_years:
        years_between = years_apart(table.taken_at, demographics, node, pairs[0], pairs[1])
    for first_end, second_end, similarity, is_unlikely, years in zip(
        *(part.tolist() for part in (*pairs, has_conflict, years_between)), strict=True
    ):
        a, b = int(table.person[first_end]), int(table.person[second_end])
        if a < 0 or (b >= 0 and (not people.rows[a].name, -sizes[a], a) > (not people.rows[b].name, -sizes[b], b)):
            first_end, second_end, a, b = second_end, first_end, b, a
        if a < 0:
            continue
        is_single = b < 0
        if people.rows[a].hidden or (not is_single and people.rows[b].hidden):
            continue
        if not is_single and people.rows[a].name and people.rows[b].name:
            continue
        are_alike = together.get((int(node[first_end]), int(node[second_end])))
        if (a, -1 - second_end if is_single else b) in decided or are_alike is False:
            continue
        faces = 1 if is_single else min(sizes[a], sizes[b])
        worth = faces * _chance(similarity, years, threshold) * (_CONFLICT_FACTOR if is_unlikely else 1.0)
        yield Question(first_end, second_end, similarity, faces, is_single, worth, are_alike is True, years)


def _best_of_each_pair(table: FaceTable, questions: Iterator[Question]) -> list[Question]:
    """One question per pair of persons, or per person and face: the one worth most; in descending order of worth."""
    best: dict[tuple[int, int], Question] = {}
    for question in sorted(
        questions, key=lambda row: (-row.worth, -row.similarity, row.face, row.other, row.faces, row.is_single)
    ):
        person = int(table.person[question.face])
        second_item = -1 - question.other if question.is_single else int(table.person[question.other])
        best.setdefault((person, second_item), question)
    return list(best.values())


def _threshold_odds(engine: Engine, rules: GroupingRules) -> float:
    """Log-odds of similarity at which two groups usually merge. For ranking only."""
    if engine.group_means is not None:
        return similarity_odds(engine.group_means.similarities([rules.mean_linkage.threshold])[0])
    return rules.search_linkage.threshold


def _chance(similarity: float, years: float, threshold: float) -> float:
    """Rough chance of a yes: one half at the threshold, less below. For ranking only."""
    return share_of_odds((similarity_odds(similarity) + odds_of_years(years) - threshold) / _ODDS_PER_FACTOR)

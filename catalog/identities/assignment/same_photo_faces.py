"""Classify the pairs of faces that share a photo, by the engine's similarities and the user's decisions."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from sqlalchemy import Connection

from catalog.domain.engine import Engine, GroupMeans
from catalog.identities.assignment.gallery_clustering import GroupingRules
from catalog.identities.clustering.arrays import Flags, Floats, Ints, Vectors
from catalog.identities.clustering.face_table import FaceTable, same_photo_pairs
from catalog.identities.clustering.same_photo import (
    COPY_COSINE,
    COPY_SIMILARITY,
    DOUBTFUL_COSINE,
    SamePhotoPairs,
)
from catalog.identities.clustering.similarity_graph import log_odds_similarity
from catalog.identities.decisions.effective import EffectiveDecisions
from catalog.store.neighbor_search_rows import matching_rows
from catalog.store.person_index import PersonIndex

_CHUNK = 1 << 15
"""Pairs whose vectors are read at a time: 32 MB."""
_MAX_PERSON_FACES = 50
"""Faces that stand for a person."""


def classify_same_photo_pairs(
    connection: Connection,
    engine: Engine,
    table: FaceTable,
    rules: GroupingRules,
    effective: EffectiveDecisions,
    people: PersonIndex,
    *,
    with_protected: bool = False,
) -> SamePhotoPairs:
    """Classify all pairs. Faces of two protected persons are two people, and are not compared.

    With ``with_protected`` they are compared too. Raises KeyError if the gallery no longer holds a face.
    """
    pairs = same_photo_pairs(table.photo)
    first, second = table.person[pairs[:, 0]], table.person[pairs[:, 1]]
    protected = np.array(sorted(people.protected_persons(effective.decided_persons)), dtype=np.int64)
    is_compared = (first == second) | ~(np.isin(first, protected) & np.isin(second, protected)) | with_protected
    compared = np.flatnonzero(is_compared)
    is_copy, is_doubtful = np.zeros(len(pairs), dtype=bool), np.zeros(len(pairs), dtype=bool)
    if engine.group_means is not None:
        cosine = _cosines(engine.group_means, table, pairs[compared])
        is_copy[compared], is_doubtful[compared] = cosine >= COPY_COSINE, cosine >= DOUBTFUL_COSINE
    else:
        threshold = rules.search_linkage.threshold + rules.search_linkage.pair_penalty
        doubtful = float(log_odds_similarity(np.array([threshold]))[0])
        is_copy[compared] = _have_match(connection, table, pairs[compared], COPY_SIMILARITY)
        is_doubtful[compared] = _have_match(connection, table, pairs[compared], doubtful)
    copies = np.flatnonzero(is_copy & ((first != second) | (first < 0)))
    is_twin = _are_separated_twins(connection, engine, table, rules, pairs[copies], effective, people)
    is_copy[copies[is_twin]] = False
    is_doubtful[copies[is_twin]] = False
    return SamePhotoPairs.of(len(table), pairs, is_copy, is_doubtful)


def _cosines(means: GroupMeans, table: FaceTable, pairs: Ints) -> Floats:
    cosines = np.zeros(len(pairs))
    for start in range(0, len(pairs), _CHUNK):
        part = pairs[start : start + _CHUNK]
        faces, index = np.unique(part, return_inverse=True)
        vectors = _vectors(means, table, faces)
        vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
        index = index.reshape(part.shape)
        cosines[start : start + len(part)] = np.einsum("ij,ij->i", vectors[index[:, 0]], vectors[index[:, 1]])
    return cosines


def _have_match(connection: Connection, table: FaceTable, pairs: Ints, similarity: float) -> Flags:
    """Pairs with a stored match at this similarity or above."""
    rows = table.row_ids[pairs]
    matches = set(matching_rows(connection, np.unique(rows).tolist(), similarity))
    return np.array([(row_a, row_b) in matches for row_a, row_b in rows.tolist()], dtype=bool)


def _are_separated_twins(
    connection: Connection,
    engine: Engine,
    table: FaceTable,
    rules: GroupingRules,
    pairs: Ints,
    effective: EffectiveDecisions,
    people: PersonIndex,
) -> Flags:
    """Pairs that are near two persons that a user separated: one face belongs to each."""
    separated = _separated_persons(table, effective, people)
    if not separated or not len(pairs):
        return np.zeros(len(pairs), dtype=bool)
    faces = np.unique(pairs)
    persons = {person for pair in separated for person in pair}
    nearby = (
        _near_by_means(engine.group_means, table, rules, faces, persons)
        if engine.group_means is not None
        else _near_by_searches(connection, table, rules, faces, persons)
    )
    return np.array(
        [
            any({first, second} <= nearby.get(face, set()) for first, second in separated for face in pair)
            for pair in pairs.tolist()
        ],
        dtype=bool,
    )


def _separated_persons(table: FaceTable, effective: EffectiveDecisions, people: PersonIndex) -> set[tuple[int, int]]:
    present = set(table.person.tolist())
    pairs = set()
    for public_ids in effective.apart:
        first, second = (people.canonical(public_id) for public_id in public_ids)
        if first is not None and second is not None and first.id != second.id and {first.id, second.id} <= present:
            pairs.add((first.id, second.id))
    return pairs


def _near_by_means(
    means: GroupMeans, table: FaceTable, rules: GroupingRules, faces: Ints, persons: Iterable[int]
) -> dict[int, set[int]]:
    """The persons near each face, at the linkage threshold or above."""
    nearby: dict[int, set[int]] = {face: set() for face in faces.tolist()}
    vectors = _vectors(means, table, faces)
    for person in persons:
        own = np.setdiff1d(np.flatnonzero(table.person == person), faces)[:_MAX_PERSON_FACES]
        own = own if len(own) else np.flatnonzero(table.person == person)[:_MAX_PERSON_FACES]
        similarity = vectors @ _vectors(means, table, own).mean(axis=0)
        for face in faces[similarity >= rules.mean_linkage.threshold].tolist():
            nearby[face].add(person)
    return nearby


def _near_by_searches(
    connection: Connection, table: FaceTable, rules: GroupingRules, faces: Ints, persons: set[int]
) -> dict[int, set[int]]:
    nearby: dict[int, set[int]] = {face: set() for face in faces.tolist()}
    threshold = float(log_odds_similarity(np.array([rules.search_linkage.threshold]))[0])
    pairs = np.array(list(matching_rows(connection, table.row_ids[faces].tolist(), threshold)), dtype=np.int64)
    if len(pairs):
        face, match = table.indexes_of_rows(pairs[:, 0]), table.indexes_of_rows(pairs[:, 1])
        for index, person in zip(face.tolist(), np.where(match < 0, -1, table.person[match]).tolist(), strict=True):
            if person in persons:
                nearby[index].add(person)
    for index in nearby:
        nearby[index] |= {int(table.person[index])} & persons
    return nearby


def _vectors(means: GroupMeans, table: FaceTable, faces: Ints) -> Vectors:
    return means.group_vectors([table.face_ids[face] for face in faces.tolist()])

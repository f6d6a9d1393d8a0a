"""Error rates of this engine on these photos, measured by the user's own confirmed labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from catalog.domain.engine import Engine
from catalog.domain.errors import UsageError
from catalog.identities.assignment.gallery_clustering import read_edges, read_face_table
from catalog.identities.clustering.arrays import Flags, Floats, Ints
from catalog.identities.clustering.face_table import FaceTable, SeedFaceThresholds
from catalog.identities.clustering.similarity_graph import log_odds_similarity
from catalog.store.apparent_groups import apparent_groups
from catalog.store.database import Database

THRESHOLDS = (50.0, 70.0, 80.0, 90.0, 95.0, 99.0, 99.5, 99.9, 99.99)
TARGETS = (1e-2, 1e-3, 1e-4, 1e-5)
MIN_GROUP_PAIRS = 300
"""Stranger pairs from which a group is measured: with none matching, its rate is below 1 % with 95 % confidence."""
_MAX_PAIRS = 20_000_000
"""Beyond so many pairs faces are left out at equal distances."""


@dataclass(frozen=True, slots=True)
class ErrorRates:
    """At one threshold: the share of stranger pairs at or above it, and of pairs of one person below it, 0 to 1."""

    threshold: float
    false_match: float
    false_non_match: float


@dataclass(frozen=True, slots=True)
class Recommendation:
    """The lowest threshold at which at most the wanted share of stranger pairs match; None for too few pairs.

    Of n stranger pairs of which none matches, no rate below 3/n can be claimed with 95 % confidence.
    """

    wanted: float
    threshold: float | None
    false_non_match: float | None
    worst_group_threshold: float | None = None
    """The lowest threshold that keeps the wanted rate inside every group; None if a group has too few pairs."""


@dataclass(frozen=True, slots=True)
class GroupErrorRates:
    """Stranger pairs inside one apparent group, by gender and age.

    ``false_match`` has a rate, 0 to 1, per threshold of the evaluation's ``rates``.
    """

    group: str
    faces: int
    impostor: int
    false_match: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Measured on ``faces`` labeled faces of ``people``; ``genuine`` and ``impostor`` count pairs."""

    faces: int
    people: int
    genuine: int
    impostor: int
    rates: tuple[ErrorRates, ...]
    recommended: tuple[Recommendation, ...]
    groups: tuple[GroupErrorRates, ...] = ()
    """Groups with at least ``MIN_GROUP_PAIRS`` stranger pairs, most false matches at 80 first."""


def evaluate(
    database: Database, engine: Engine, seed_faces: SeedFaceThresholds, *, gallery: str, named: bool
) -> Evaluation:
    """Measure on faces that a user assigned; with ``named`` also on all faces of named persons.

    Raises ``UsageError`` unless there are two people, one of them with two faces.
    """
    with database.read() as connection:
        table = read_face_table(connection, engine=engine.name, gallery=gallery, seed_faces=seed_faces)
        table = table.select(table.is_human | (table.is_named if named else False))
        pairs = len(table) * (len(table) - 1) // 2
        if pairs > _MAX_PAIRS:
            step = int(np.ceil(np.sqrt(pairs / _MAX_PAIRS)))
            table = table.select(np.arange(len(table)) % step == 0)
        is_same, scores, pairs_of = _scores(connection, engine, table, gallery)
        groups_by_row = apparent_groups(connection, table.row_ids.tolist())
    genuine, impostor = np.sort(scores[is_same]), np.sort(scores[~is_same])
    names = np.array([groups_by_row.get(row, "") for row in table.row_ids.tolist()])
    by_group = _impostor_by_group(names, pairs_of[:, ~is_same], scores[~is_same])
    if not len(genuine) or not len(impostor):
        raise UsageError(
            f"There are too few {'named people' if named else 'confirmed faces'}: two people are needed, one of them "
            "with two faces.",
            remedy="Name people with `catalog people name`."
            if named
            else "Confirm faces with `catalog people confirm`, or use --named for all faces of named people.",
        )
    return Evaluation(
        faces=len(table),
        people=len(np.unique(table.person)),
        genuine=len(genuine),
        impostor=len(impostor),
        rates=tuple(_rates(genuine, impostor, threshold) for threshold in THRESHOLDS),
        recommended=tuple(_recommend(genuine, impostor, by_group, wanted) for wanted in TARGETS),
        groups=tuple(
            sorted(
                (_group_rates(name, int((names == name).sum()), values) for name, values in by_group.items()),
                key=lambda group: -group.false_match[THRESHOLDS.index(80.0)],
            )
        ),
    )


def _scores(connection: Connection, engine: Engine, table: FaceTable, gallery: str) -> tuple[Flags, Floats, Ints]:
    """For each observed pair of faces: True if both are one person, their similarity (0-100), both indexes (2, n)."""
    first, second = np.triu_indices(len(table), 1)
    is_same = table.person[first] == table.person[second]
    if engine.group_means is not None and len(table):
        vectors = engine.group_means.group_vectors(table.face_ids)
        cosines = (vectors @ vectors.T)[first, second]
        grid = np.linspace(-1.0, 1.0, 4001)
        similarities = np.interp(cosines, grid, engine.group_means.similarities(grid.tolist()))
        return is_same, similarities, np.stack([first, second])
    # A pair without a match is below the searched similarity if one of its two lists is complete.
    edges = read_edges(connection, table, engine=engine.name, gallery=gallery)
    scores = np.zeros(len(first))
    index = edges.first * len(table) - edges.first * (edges.first + 1) // 2 + edges.second - edges.first - 1
    scores[index] = log_odds_similarity(edges.similarity)
    is_observed = ~table.coverage().unobserved(first, second)
    is_observed[index] = True
    return is_same[is_observed], scores[is_observed], np.stack([first, second])[:, is_observed]


def _impostor_by_group(names: NDArray[np.str_], pairs: Ints, scores: Floats) -> dict[str, Floats]:
    """Return the sorted similarities of the stranger pairs inside each group that has enough of them."""
    is_shared = (names[pairs[0]] == names[pairs[1]]) & (names[pairs[0]] != "")
    shared, values = names[pairs[0]][is_shared], scores[is_shared]
    groups = {name: np.sort(values[shared == name]) for name in np.unique(shared).tolist()}
    return {name: group for name, group in groups.items() if len(group) >= MIN_GROUP_PAIRS}


def _group_rates(name: str, faces: int, impostor: Floats) -> GroupErrorRates:
    rates = (1.0 - float(np.searchsorted(impostor, threshold)) / len(impostor) for threshold in THRESHOLDS)
    return GroupErrorRates(name, faces, len(impostor), tuple(rates))


def _rates(genuine: Floats, impostor: Floats, threshold: float) -> ErrorRates:
    return ErrorRates(
        threshold,
        false_match=1.0 - float(np.searchsorted(impostor, threshold)) / len(impostor),
        false_non_match=float(np.searchsorted(genuine, threshold)) / len(genuine),
    )


def _recommend(genuine: Floats, impostor: Floats, by_group: dict[str, Floats], wanted: float) -> Recommendation:
    threshold = _lowest_threshold(impostor, wanted)
    if threshold is None:
        return Recommendation(wanted, None, None)
    missed = _rates(genuine, impostor, threshold).false_non_match
    in_groups = [_lowest_threshold(values, wanted) for values in by_group.values()]
    measured_rates = [value for value in in_groups if value is not None]
    is_complete = bool(in_groups) and len(measured_rates) == len(in_groups)
    return Recommendation(wanted, threshold, missed, max(threshold, *measured_rates) if is_complete else None)


def _lowest_threshold(impostor: Floats, wanted: float) -> float | None:
    """Return the lowest threshold with at most the wanted rate; None for too few pairs."""
    if len(impostor) < 3.0 / wanted:
        return None
    allowed = int(wanted * len(impostor))
    return float(np.nextafter(impostor[len(impostor) - 1 - allowed], np.inf))

"""How often this engine errs on these photos: error rates by the user's own confirmed labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection

from catalog.domain.engine import Engine
from catalog.domain.errors import UsageError
from catalog.identities.assignment.neighbor_searches import read_edges
from catalog.identities.clustering.face_table import FaceTable, SeedFaceThresholds, read_face_table
from catalog.identities.clustering.similarity_graph import Floats
from catalog.store.database import Database

THRESHOLDS = (50.0, 70.0, 80.0, 90.0, 95.0, 99.0, 99.5, 99.9, 99.99)
TARGETS = (1e-2, 1e-3, 1e-4, 1e-5)
_MOST = 20_000_000
"""Pairs that are looked at; beyond, faces are left out evenly."""


@dataclass(frozen=True, slots=True)
class ErrorRates:
    """At one threshold: the share of pairs of strangers at or above it, and of pairs of one person below it."""

    threshold: float
    false_match: float
    false_non_match: float


@dataclass(frozen=True, slots=True)
class Recommendation:
    """The lowest threshold at which no more pairs of strangers match than wanted; None where there are too few pairs.

    With n pairs of strangers and none above, no rate below 3/n can be claimed with 95 % confidence.
    """

    wanted: float
    threshold: float | None
    false_non_match: float | None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Measured on ``faces`` labelled faces of ``people``."""

    faces: int
    people: int
    genuine: int
    impostor: int
    rates: tuple[ErrorRates, ...]
    recommended: tuple[Recommendation, ...]


def evaluate(database: Database, engine: Engine, bars: SeedFaceThresholds, *, gallery: str, named: bool) -> Evaluation:
    """Rates from the faces that a human confirmed; with ``named`` also from all faces of persons with a name.

    Raises ``UsageError`` when there are not two people, one of them with two faces.
    """
    with database.read() as connection:
        roster = read_face_table(connection, engine=engine.name, gallery=gallery, bars=bars)
        chosen = roster.human | (roster.named if named else False)
        roster = roster.without(~chosen)
        pairs = len(roster) * (len(roster) - 1) // 2
        if pairs > _MOST:
            step = int(np.ceil(np.sqrt(pairs / _MOST)))
            roster = roster.without(np.arange(len(roster)) % step != 0)
        same, scores = _scores(connection, engine, roster, gallery)
    genuine, impostor = np.sort(scores[same]), np.sort(scores[~same])
    if not len(genuine) or not len(impostor):
        raise UsageError(
            f"There are too few {'named people' if named else 'confirmed faces'}: two people are needed, one of them "
            "with two faces.",
            remedy="Name some with `catalog people name`."
            if named
            else "Confirm some with `catalog people confirm`, or use --named for all faces of people with a name.",
        )
    return Evaluation(
        faces=len(roster),
        people=len(np.unique(roster.person)),
        genuine=len(genuine),
        impostor=len(impostor),
        rates=tuple(_rates(genuine, impostor, threshold) for threshold in THRESHOLDS),
        recommended=tuple(_recommend(genuine, impostor, wanted) for wanted in TARGETS),
    )


def _scores(connection: Connection, engine: Engine, roster: FaceTable, gallery: str) -> tuple[Any, Floats]:
    """For each pair of faces whether both are one person, and their similarity, 0-100."""
    first, second = np.triu_indices(len(roster), 1)
    same = roster.person[first] == roster.person[second]
    if engine.group_means is not None and len(roster):
        vectors = engine.group_means.group_vectors(roster.face_ids)
        values = (vectors @ vectors.T)[first, second]
        grid = np.linspace(-1.0, 1.0, 4001)
        return same, np.interp(values, grid, engine.group_means.similarities(grid.tolist()))
    # Pairs that no bought list shows are below what was asked for, where one of the two lists is complete.
    edges = read_edges(connection, roster, engine=engine.name, gallery=gallery)
    scores = np.zeros(len(first))
    place = edges.first * len(roster) - edges.first * (edges.first + 1) // 2 + edges.second - edges.first - 1
    scores[place] = 100.0 / (1.0 + np.exp(-edges.similarity))
    seen = ~roster.lists().unseen(first, second)
    seen[place] = True
    return same[seen], scores[seen]


def _rates(genuine: Floats, impostor: Floats, threshold: float) -> ErrorRates:
    return ErrorRates(
        threshold,
        false_match=1.0 - float(np.searchsorted(impostor, threshold)) / len(impostor),
        false_non_match=float(np.searchsorted(genuine, threshold)) / len(genuine),
    )


def _recommend(genuine: Floats, impostor: Floats, wanted: float) -> Recommendation:
    if len(impostor) < 3.0 / wanted:
        return Recommendation(wanted, None, None)
    allowed = int(wanted * len(impostor))
    bar = float(np.nextafter(impostor[len(impostor) - 1 - allowed], np.inf))
    return Recommendation(wanted, bar, _rates(genuine, impostor, bar).false_non_match)

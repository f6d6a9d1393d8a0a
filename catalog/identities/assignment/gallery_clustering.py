"""Cluster the faces of one gallery: read its face table, and choose the clustering that its engine allows."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, replace

import numpy as np
from sqlalchemy import Connection

from catalog.domain.engine import Engine
from catalog.domain.log_odds import similarity_odds
from catalog.identities.clustering.arrays import Floats, Ints
from catalog.identities.clustering.average_linkage import cluster_edges
from catalog.identities.clustering.constraints import Constraints
from catalog.identities.clustering.demographics import NEVER, Demographics, DemographicThresholds
from catalog.identities.clustering.face_table import FaceTable, SeedFaceThresholds
from catalog.identities.clustering.group_mean_clustering import cluster_persons
from catalog.identities.clustering.similarity_graph import (
    Edges,
    Linkage,
    log_odds_similarity,
    similarity_log_odds,
)
from catalog.store.face_rows import read_face_columns
from catalog.store.neighbor_search_rows import read_matches

_MAX_QUALITY_SIDE = 200.0
"""Faces larger than this, in pixels, are no better to recognize. Not measured."""
_DAY = len("YYYY-MM-DD")
_SHORTER: dict[str | None, int] = {"year": len("YYYY"), "month": len("YYYY-MM")}
"""Characters of a local time that are known, for dates without a day."""


@dataclass(frozen=True, slots=True)
class SearchRules:
    """Which neighbor searches to run. Similarities are 0-100."""

    threshold: float
    """Lowest similarity of a neighbor list. A lower one shows more doubtful pairs and costs the same."""
    covered_similarity: float
    """A face this similar to a searched face needs no search of its own."""
    covering_faces: int
    """Searched faces that must cover it: 1 is cheapest, 2 safer."""
    workers: int
    """Searches at a time."""


@dataclass(frozen=True, slots=True)
class GroupingRules:
    """The settings of assignment; ``config/default.toml`` explains each value."""

    mean_linkage: Linkage
    """For an engine that lends group means, on their scale of -1 to 1."""
    search_linkage: Linkage
    """For an engine with neighbor searches only, in log-odds of similarity."""
    search: SearchRules
    seed_faces: SeedFaceThresholds
    demographics: DemographicThresholds = NEVER


def face_table_of(connection: Connection, engine: Engine, rules: GroupingRules, gallery: str) -> FaceTable:
    return read_face_table(
        connection, engine=engine.name, gallery=gallery, seed_faces=rules.seed_faces, demographics=rules.demographics
    )


def read_face_table(
    connection: Connection,
    *,
    engine: str,
    gallery: str,
    seed_faces: SeedFaceThresholds,
    demographics: DemographicThresholds = NEVER,
) -> FaceTable:
    """Every face of the gallery that no user marked as not a face."""
    columns = read_face_columns(connection, engine=engine, gallery=gallery)
    side = np.sqrt(columns.box_widths * columns.photo_widths * columns.box_heights * columns.photo_heights)
    # A value that was not measured passes.
    sharpness = np.where(np.isnan(columns.sharpnesses), 100.0, columns.sharpnesses)
    yaw = np.where(np.isnan(columns.yaws), 0.0, np.abs(columns.yaws))
    days: dict[str, str] = {}
    taken_at = [
        days.setdefault(day := (first or "")[: _SHORTER.get(precision, _DAY)], day)
        for first, precision in zip(columns.taken_first, columns.taken_precisions, strict=True)
    ]
    return FaceTable(
        row_ids=columns.row_ids,
        face_ids=columns.face_ids,
        photo=columns.photo_rows,
        person=columns.person_rows,
        is_human=np.array([value == "human" for value in columns.assigned_by], dtype=bool),
        is_named=columns.is_named == 1,
        is_seed=(columns.confidences >= seed_faces.confidence)
        & (side >= seed_faces.side)
        & (sharpness >= seed_faces.sharpness)
        & (yaw <= seed_faces.yaw),
        is_complete=columns.search_complete == 1,
        is_searched=~np.isnan(columns.search_complete),
        epoch=np.maximum(columns.scan_ids, 0),
        quality=np.minimum(side, _MAX_QUALITY_SIDE)
        * (0.2 + sharpness / 100.0)
        * np.cos(np.radians(np.minimum(yaw, 89.0))),
        taken_at=taken_at,
        last_day=[days.setdefault(day := (last or "")[:_DAY], day) for last in columns.taken_last],
        demographics=Demographics.of_faces(
            taken_at,
            (columns.ages_low, columns.ages_high),
            (columns.genders, columns.gender_confidences),
            demographics,
        ),
    )


def cluster_faces(
    connection: Connection,
    engine: Engine,
    table: FaceTable,
    constraints: Constraints,
    rules: GroupingRules,
    gallery: str,
    *,
    is_first_run: bool,
    compared: Set[int] = frozenset(),
) -> tuple[Ints, Floats]:
    """The group of each face, and its mean similarity to the other faces of the group, 0-100, NaN if there is none.

    ``is_first_run`` says that no face of the table has a person yet. The merge margin then applies to unobserved pairs
    only. ``compared`` are row ids of persons that changed without a new face. Raises KeyError if the gallery no longer
    holds a face.
    """
    if engine.group_means is not None:
        linkage = _linkage(rules.mean_linkage, is_first_run=is_first_run)
        return cluster_persons(engine.group_means, table, linkage, constraints, compared)
    edges = read_edges(connection, table, engine=engine.name, gallery=gallery)
    labels = cluster_edges(
        table.coverage(),
        edges,
        _linkage(rules.search_linkage, is_first_run=is_first_run),
        floor=similarity_odds(rules.search.threshold),
        constraints=constraints,
    )
    is_inner = labels[edges.first] == labels[edges.second]
    ends = np.concatenate((edges.first[is_inner], edges.second[is_inner]))
    total = np.bincount(ends, np.tile(edges.similarity[is_inner], 2), len(table))
    counts = np.bincount(ends, minlength=len(table))
    return labels, log_odds_similarity(total / np.where(counts == 0, np.nan, counts))


def _linkage(linkage: Linkage, *, is_first_run: bool) -> Linkage:
    if not is_first_run:
        return linkage
    return replace(linkage, merge_margin=0.0, unobserved_margin=linkage.merge_margin)


def read_edges(connection: Connection, table: FaceTable, *, engine: str, gallery: str) -> Edges:
    """The stored matches between the faces of a table, in log-odds of similarity."""
    rows_a, rows_b, similarity = read_matches(connection, engine=engine, gallery=gallery)
    first, second = table.indexes_of_rows(rows_a), table.indexes_of_rows(rows_b)
    is_known = (first >= 0) & (second >= 0)
    first, second = first[is_known].astype(np.int32), second[is_known].astype(np.int32)
    return Edges(np.minimum(first, second), np.maximum(first, second), similarity_log_odds(similarity[is_known]))

"""Clustering with an engine that lends exact group means: persons are nodes, new faces find them.

A face is compared with every person by the mean over all of the person's faces, never by the nearest face alone, so
that nothing depends on which few neighbors a graph happens to keep. Only faces that are new to everybody need the graph
of their nearest neighbors among themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from catalog.domain.engine import GroupMeans
from catalog.identities.clustering.average_linkage import cluster_means
from catalog.identities.clustering.face_table import FaceTable
from catalog.identities.clustering.group_similarity import sum_groups
from catalog.identities.clustering.similarity_graph import Constraints, Edges, Floats, Ints, Linkage

PER_FACE = 50
"""Nearest new faces that may become company of a new face."""
_NEAR_PERSONS = 8
"""Persons that one face, or one person that grew, may turn out to be."""
_SLICE_YEARS = 4
"""A face changes little in so many years."""
_MOST_SLICES = 10_000
_BELOW = 0.12
"""How far below the threshold two single faces may be and still end in one group by way of others."""
_CELLS = 1 << 24
"""Similarities held at once: 64 MB."""

Vectors = NDArray[np.float32]


def cluster_persons(engine: GroupMeans, roster: FaceTable, linkage: Linkage, bonds: Constraints) -> tuple[Ints, Floats]:
    """The group of each face, and its similarity to the others of its group, 0-100, NaN where it is alone.

    Groups are numbered by the lowest position among their faces.
    """
    if not len(roster):
        return np.zeros(0, dtype=np.int64), np.zeros(0)
    vectors = engine.group_vectors(roster.face_ids)
    node, first = _nodes(roster)
    sums, sizes = sum_groups(vectors, np.ones(len(vectors)), node)
    new = np.flatnonzero(roster.person < 0)
    fresh = node[new]
    floor = linkage.threshold - _BELOW
    proposed = [_among_new(engine, roster, new, fresh, floor)]
    old = np.setdiff1d(np.arange(len(first)), fresh)
    proposed.append(_nearest(sums, sizes, fresh, old, linkage.threshold - _BELOW))
    grown = np.intersect1d(np.unique(np.concatenate(proposed[1][:2])), old)
    proposed.append(_nearest(sums, sizes, grown, old, linkage.threshold - _BELOW / 2))
    first_end, second_end, alike = (np.concatenate(part) for part in zip(*proposed, strict=True))
    edges = Edges.of_arrays(first_end, second_end, alike)
    groups = cluster_means(sums, sizes, edges, linkage, constraints=_at_nodes(bonds, node, first))
    labels = first[groups][node]
    return labels, _likeness(engine, vectors, labels, new)


def nearby_persons(vectors: Vectors, roster: FaceTable, floor: float) -> tuple[Ints, Ints, Floats]:
    """Persons, and faces without one, that are near a person: a position of each, and their mean similarity.

    Of a person each few years are looked at by themselves, so that a child is near the adult by way of the years
    between.
    """
    node, first = _nodes(roster, [int(taken[:4] or 0) // _SLICE_YEARS for taken in roster.taken])
    sums, sizes = sum_groups(vectors, np.ones(len(vectors)), node)
    held = np.flatnonzero(roster.person[first] >= 0)
    one, other, value = _nearest(sums, sizes, np.arange(len(first)), held, floor)
    pairs = Edges.of_arrays(one, other, value)
    apart = roster.person[first[pairs.first]] != roster.person[first[pairs.second]]
    pairs = Edges(pairs.first[apart], pairs.second[apart], pairs.similarity[apart])
    return first[pairs.first], first[pairs.second], pairs.similarity


def _nodes(roster: FaceTable, slices: Sequence[int] | None = None) -> tuple[Ints, Ints]:
    """The node of each face, one for each person and each face without, and the first position of each node.

    With ``slices``, a number for each face, one node for each person and number.
    """
    loose = roster.person < 0
    part = np.zeros(len(roster), dtype=np.int64) if slices is None else np.asarray(slices, dtype=np.int64)
    key = np.where(loose, -1 - np.arange(len(roster)), roster.person * _MOST_SLICES + part)
    _, first, number = np.unique(key, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return rank[number], first[order]


def _among_new(
    engine: GroupMeans, roster: FaceTable, new: Ints, fresh: Ints, floor: float
) -> tuple[Ints, Ints, Floats]:
    ids = [roster.face_ids[at] for at in new.tolist()]
    near = Edges.of(engine.neighbor_edges(ids, per_face=PER_FACE, floor=floor)) if ids else Edges.of([])
    return fresh[near.first], fresh[near.second], near.similarity


def _nearest(sums: Vectors, sizes: Floats, these: Ints, those: Ints, floor: float) -> tuple[Ints, Ints, Floats]:
    """For each of some nodes the nearest of others by mean, those at or above ``floor``."""
    found = [
        (np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0)),
        *_blocks(sums, sizes, these, those, floor),
    ]
    one, other, alike = (np.concatenate(part) for part in zip(*found, strict=True))
    return one, other, alike


def _blocks(
    sums: Vectors, sizes: Floats, these: Ints, those: Ints, floor: float
) -> Iterator[tuple[Ints, Ints, Floats]]:
    if not len(those):
        return
    means = (sums[those] / sizes[those, None]).astype(np.float32)
    step = max(1, _CELLS // len(those))
    for start in range(0, len(these), step):
        some = these[start : start + step]
        block = (sums[some] / sizes[some, None]).astype(np.float32) @ means.T
        block[some[:, None] == those[None, :]] = -1.0
        if len(those) > _NEAR_PERSONS:
            best = np.argpartition(-block, _NEAR_PERSONS - 1, axis=1)[:, :_NEAR_PERSONS]
        else:
            best = np.broadcast_to(np.arange(len(those)), block.shape)
        value = np.take_along_axis(block, best, axis=1)
        row, slot = np.nonzero(value >= floor)
        yield some[row], those[best[row, slot]], value[row, slot].astype(np.float64)


def _at_nodes(bonds: Constraints, node: Ints, first: Ints) -> Constraints:
    """The same constraints between nodes instead of faces; what must be together is one node already."""
    count = len(first)
    camps = np.full(count, -1, dtype=np.int64)
    founders = np.ones(count, dtype=bool)
    if bonds.separation_groups is not None:
        np.maximum.at(camps, node, bonds.separation_groups)
    if bonds.founders is not None:
        founders[:] = False
        np.logical_or.at(founders, node, bonds.founders)
    cannot = None if bonds.cannot_link is None else node[bonds.cannot_link]
    apparent = None if bonds.apparent is None else bonds.apparent.grouped(node, count)
    return Constraints(cannot_link=cannot, separation_groups=camps, founders=founders, apparent=apparent)


def _likeness(engine: GroupMeans, vectors: Vectors, labels: Ints, new: Ints) -> Floats:
    """How like each new face is to the others of its group, on average, for people to read."""
    _, group = np.unique(labels, return_inverse=True)
    sums, sizes = sum_groups(vectors, np.ones(len(vectors)), group)
    others = sizes[group[new]] - 1
    dots = np.einsum("ij,ij->i", vectors[new], sums[group[new]] - vectors[new])
    some = others > 0
    likeness = np.full(len(labels), np.nan)
    likeness[new[some]] = engine.similarities((dots[some] / others[some]).tolist())
    return likeness

"""Clustering with an engine that lends exact group means: persons are nodes, and new faces join them.

A face is compared with each person by the mean over all faces of the person, never by the nearest face alone. The
result therefore does not depend on which few neighbors a graph keeps. Only new faces need a graph of nearest neighbors
among themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set

import numpy as np

from catalog.domain.engine import GroupMeans
from catalog.identities.clustering.arrays import Floats, Ints, Vectors
from catalog.identities.clustering.average_linkage import cluster_means
from catalog.identities.clustering.constraints import Constraints
from catalog.identities.clustering.face_table import FaceTable
from catalog.identities.clustering.group_similarity import sum_groups
from catalog.identities.clustering.similarity_graph import Edges, Linkage

PER_FACE = 50
"""Nearest new faces that each new face is compared with."""
_NEAREST_PERSONS = 8
"""Persons that each new face, and each person with a new face, is compared with."""
_SLICE_YEARS = 4
"""A face changes little in so many years. Not measured."""
_MAX_SLICES = 10_000
_SINGLE_FACE_MARGIN = 0.12
"""Two single faces this far below the threshold, in cosine, may still join one group by way of others. Not measured."""
_MAX_CELLS = 1 << 25
"""Similarities in memory at a time: 128 MB."""


def cluster_persons(
    means: GroupMeans,
    table: FaceTable,
    linkage: Linkage,
    constraints: Constraints,
    compared: Set[int] = frozenset(),
) -> tuple[Ints, Floats]:
    """The group of each face, and its mean similarity to the other faces of the group, 0-100, NaN if there is none.

    A person is compared with other persons if a new face is near it, or if its row id is in ``compared``.

    A group's number is the lowest index of its faces. Similarities are returned for faces without a person only.
    Raises KeyError if the gallery no longer holds a face.
    """
    if not len(table):
        return np.zeros(0, dtype=np.int64), np.zeros(0)
    vectors = means.group_vectors(table.face_ids)
    node, first = _nodes(table)
    sums, sizes = sum_groups(vectors, np.ones(len(vectors)), node)
    new_faces = np.flatnonzero(table.person < 0)
    new_nodes = node[new_faces]
    floor = linkage.threshold - _SINGLE_FACE_MARGIN
    proposed = [_among_new(means, table, new_faces, new_nodes, floor)]
    persons = np.setdiff1d(np.arange(len(first)), new_nodes)
    proposed.append(_nearest(sums, sizes, new_nodes, persons, floor))
    grown = np.intersect1d(np.unique(np.concatenate(proposed[1][:2])), persons)
    grown = np.union1d(grown, persons[np.isin(table.person[first[persons]], list(compared))])
    proposed.append(_nearest(sums, sizes, grown, persons, linkage.threshold - _SINGLE_FACE_MARGIN / 2))
    node_a, node_b, similarity = (np.concatenate(part) for part in zip(*proposed, strict=True))
    edges = Edges.of_arrays(node_a, node_b, similarity)
    groups = cluster_means(sums, sizes, edges, linkage, constraints=constraints.of_nodes(node, len(first)))
    labels = first[groups][node]
    return labels, _similarity_to_group(means, vectors, labels, new_faces)


def nearby_persons(means: GroupMeans, table: FaceTable, floor: float) -> tuple[Ints, Ints, Floats]:
    """Pairs of a person and a nearby person or unassigned face: one face index of each, and their mean similarity.

    A person is compared in slices of a few years, so that a child is near the adult by way of the years between.
    """
    vectors = means.group_vectors(table.face_ids)
    node, first = _nodes(table, [int(taken_at[:4] or 0) // _SLICE_YEARS for taken_at in table.taken_at])
    sums, sizes = sum_groups(vectors, np.ones(len(vectors)), node)
    persons = np.flatnonzero(table.person[first] >= 0)
    node_a, node_b, value = _nearest(sums, sizes, np.arange(len(first)), persons, floor)
    pairs = Edges.of_arrays(node_a, node_b, value)
    is_outer = table.person[first[pairs.first]] != table.person[first[pairs.second]]
    pairs = Edges(pairs.first[is_outer], pairs.second[is_outer], pairs.similarity[is_outer])
    return first[pairs.first], first[pairs.second], pairs.similarity


def _nodes(table: FaceTable, slices: Sequence[int] | None = None) -> tuple[Ints, Ints]:
    """The node of each face, and the first face of each node: one node per person and per face without a person.

    With ``slices``, a number for each face, there is one node per person and slice.
    """
    part = np.zeros(len(table), dtype=np.int64) if slices is None else np.asarray(slices, dtype=np.int64)
    owner = np.where(table.person < 0, -1 - np.arange(len(table)), table.person * _MAX_SLICES + part)
    _, first, number = np.unique(owner, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return rank[number], first[order]


def _among_new(
    means: GroupMeans, table: FaceTable, new_faces: Ints, new_nodes: Ints, floor: float
) -> tuple[Ints, Ints, Floats]:
    ids = [table.face_ids[index] for index in new_faces.tolist()]
    if not ids:
        return new_nodes[:0], new_nodes[:0], np.zeros(0)
    first, second, similarity = means.neighbor_edges(ids, per_face=PER_FACE, floor=floor)
    edges = Edges.of_arrays(first, second, similarity.astype(np.float64))
    return new_nodes[edges.first], new_nodes[edges.second], edges.similarity


def _nearest(sums: Vectors, sizes: Floats, wanted: Ints, candidates: Ints, floor: float) -> tuple[Ints, Ints, Floats]:
    """For each wanted node the nearest of the other nodes by mean, those at or above ``floor``.

    ``candidates`` are in ascending order.
    """
    blocks = [
        (np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0)),
        *_blocks(sums, sizes, wanted, candidates, floor),
    ]
    node_a, node_b, similarity = (np.concatenate(part) for part in zip(*blocks, strict=True))
    return node_a, node_b, similarity


def _blocks(
    sums: Vectors, sizes: Floats, wanted: Ints, candidates: Ints, floor: float
) -> Iterator[tuple[Ints, Ints, Floats]]:
    if not len(candidates):
        return
    other_means = (sums[candidates] / sizes[candidates, None]).astype(np.float32)
    step = min(max(1, _MAX_CELLS // len(candidates)), max(1, len(wanted)))
    # New memory for each block would cost a quarter of the time.
    dots = np.empty((step, len(candidates)), np.float32)
    reaches_floor = np.empty(dots.shape, np.bool_)
    for start in range(0, len(wanted), step):
        part = wanted[start : start + step]
        means = (sums[part] / sizes[part, None]).astype(np.float32)
        block = np.matmul(means, other_means.T, out=dots[: len(part)])
        own = np.minimum(np.searchsorted(candidates, part), len(candidates) - 1)
        is_own = np.flatnonzero(candidates[own] == part)
        block[is_own, own[is_own]] = -1.0
        # Few means reach the floor: selecting these first is far cheaper than partitioning whole rows.
        is_near = np.greater_equal(block, np.float32(floor), out=reaches_floor[: len(part)])
        row, column = np.divmod(np.flatnonzero(is_near), len(candidates))
        value = block[row, column]
        order = np.lexsort((-value, row))
        rank = np.arange(len(order)) - np.searchsorted(row, row[order])
        nearest = order[rank < _NEAREST_PERSONS]
        yield part[row[nearest]], candidates[column[nearest]], value[nearest].astype(np.float64)


def _similarity_to_group(means: GroupMeans, vectors: Vectors, labels: Ints, new_faces: Ints) -> Floats:
    """Mean similarity, 0-100, of each new face to the other faces of its group; NaN for all other faces."""
    _, group = np.unique(labels, return_inverse=True)
    sums, sizes = sum_groups(vectors, np.ones(len(vectors)), group)
    candidates = sizes[group[new_faces]] - 1
    dots = np.einsum("ij,ij->i", vectors[new_faces], sums[group[new_faces]] - vectors[new_faces])
    has_others = candidates > 0
    similarity = np.full(len(labels), np.nan)
    similarity[new_faces[has_others]] = means.similarities((dots[has_others] / candidates[has_others]).tolist())
    return similarity

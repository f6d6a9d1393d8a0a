"""Clustering with an engine that lends exact group means: persons are nodes, and new faces join them.

A face is compared with each person by the mean over all faces of the person, never by the nearest face alone. The
result therefore does not depend on which few neighbors a graph keeps. Only new faces need a graph of nearest neighbors
among themselves.
"""

from __future__ import annotations

from collections.abc import Sequence, Set

import numpy as np
from numpy.typing import NDArray

from catalog.domain.engine import GroupMeans
from catalog.domain.near_pairs import TILE_COLUMNS, TILE_ROWS, ProductTile, compute_tiles, tile_spans
from catalog.domain.nearest_lists import NearestLists, split_keys
from catalog.identities.clustering.arrays import Floats, Ints, Numbers, Pairs, Vectors
from catalog.identities.clustering.average_linkage import cluster_means
from catalog.identities.clustering.constraints import Constraints
from catalog.identities.clustering.face_table import FaceTable
from catalog.identities.clustering.free_memory import return_free_memory
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
_ROWS = 1 << 16
"""Vectors that are copied at a time: bounds memory at 100 MB."""

_NodePairs = tuple[Numbers, Numbers, NDArray[np.float32]]
"""Two nodes and their similarity."""


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
    node, first = _nodes(table)
    new_faces = np.flatnonzero(table.person < 0)
    new_nodes = node[new_faces]
    floor = linkage.threshold - _SINGLE_FACE_MARGIN
    return_free_memory()
    # Before the vectors are read, because the graph takes the same memory.
    proposed = [_among_new(means, table, new_faces, new_nodes, floor)]
    vectors = means.group_vectors(table.face_ids)
    sums, sizes = sum_groups(vectors, np.ones(len(vectors)), node)
    persons = np.setdiff1d(np.arange(len(first), dtype=np.int32), new_nodes)
    proposed.append(_nearest(sums, sizes, new_nodes, persons, floor))
    grown = np.intersect1d(np.unique(np.concatenate(proposed[1][:2])), persons)
    grown = np.union1d(grown, persons[np.isin(table.person[first[persons]], list(compared))])
    proposed.append(_nearest(sums, sizes, grown, persons, linkage.threshold - _SINGLE_FACE_MARGIN / 2))
    pairs = _pairs(proposed)
    return_free_memory()
    groups = cluster_means(sums, sizes, pairs, linkage, constraints=constraints.of_nodes(node, len(first)))
    del pairs
    labels = first[groups][node]
    return labels, _similarity_to_group(means, vectors, labels, new_faces)


def nearby_persons(means: GroupMeans, table: FaceTable, floor: float) -> tuple[Ints, Ints, Floats]:
    """Pairs of a person and a nearby person or unassigned face: one face index of each, and their mean similarity.

    A person is compared in slices of a few years, so that a child is near the adult by way of the years between.
    """
    vectors = means.group_vectors(table.face_ids)
    node, first = _nodes(table, [int(taken_at[:4] or 0) // _SLICE_YEARS for taken_at in table.taken_at])
    sums, sizes = sum_groups(vectors, np.ones(len(vectors)), node)
    persons = np.flatnonzero(table.person[first] >= 0).astype(np.int32)
    node_a, node_b, value = _nearest(sums, sizes, np.arange(len(first), dtype=np.int32), persons, floor)
    pairs = Edges.of_arrays(node_a, node_b, value)
    face_a, face_b = first[pairs.first], first[pairs.second]
    is_outer = table.person[face_a] != table.person[face_b]
    return face_a[is_outer], face_b[is_outer], pairs.similarity[is_outer].astype(np.float64)


def _nodes(table: FaceTable, slices: Sequence[int] | None = None) -> tuple[Numbers, Ints]:
    """The node of each face, and the first face of each node: one node per person and per face without a person.

    With ``slices``, a number for each face, there is one node per person and slice.
    """
    part = np.zeros(len(table), dtype=np.int64) if slices is None else np.asarray(slices, dtype=np.int64)
    owner = np.where(table.person < 0, -1 - np.arange(len(table)), table.person * _MAX_SLICES + part)
    _, first, number = np.unique(owner, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return rank[number].astype(np.int32), first[order]


def _pairs(proposed: list[_NodePairs]) -> Pairs:
    """The proposed pairs, each once. Empties the list, so that its arrays do not stay in memory."""
    filled = [pairs for pairs in proposed if len(pairs[0])] or proposed[:1]
    proposed.clear()
    if len(filled) == 1:
        edges = Edges.of_arrays(*filled.pop())
    else:
        node_a, node_b, similarity = (np.concatenate(part) for part in zip(*filled, strict=True))
        edges = Edges.of_arrays(node_a, node_b, similarity)
    return edges.first, edges.second


def _among_new(means: GroupMeans, table: FaceTable, new_faces: Ints, new_nodes: Numbers, floor: float) -> _NodePairs:
    ids = [table.face_ids[index] for index in new_faces.tolist()]
    if not ids:
        return _no_pairs()
    first, second, similarity = means.neighbor_edges(ids, per_face=PER_FACE, floor=floor)
    return new_nodes[first], new_nodes[second], similarity


def _no_pairs() -> _NodePairs:
    return np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0, np.float32)


def _nearest(sums: Vectors, sizes: Floats, wanted: Numbers, candidates: Numbers, floor: float) -> _NodePairs:
    """For each wanted node the nearest of the other nodes by mean, those at or above ``floor``.

    ``candidates`` are in ascending order.
    """
    means = (sums[candidates] / sizes[candidates, None]).astype(np.float32)

    def nearest_of(span: tuple[int, int], tile: ProductTile) -> _NodePairs:
        start, end = span
        part = wanted[start:end]
        own_means = (sums[part] / sizes[part, None]).astype(np.float32)
        own = np.searchsorted(candidates, part)
        nearest = NearestLists(end - start, _NEAREST_PERSONS, floor)
        for column, column_end in tile_spans(0, len(candidates), TILE_COLUMNS):
            products = tile.products(own_means, means[column:column_end])
            rows = np.flatnonzero((own >= column) & (own < column_end))
            rows = rows[candidates[own[rows]] == part[rows]]
            products[rows, own[rows] - column] = -np.inf
            row, place, dots = tile.near(products, nearest.least)
            nearest.add(row, place + column, dots)
        row, place, dots = split_keys(nearest.keys())
        return part[row], candidates[place], dots

    spans = tile_spans(0, len(wanted), TILE_ROWS) if len(candidates) else iter(())
    node_a, node_b, similarity = zip(_no_pairs(), *compute_tiles(nearest_of, spans), strict=True)
    return np.concatenate(node_a), np.concatenate(node_b), np.concatenate(similarity)


def _similarity_to_group(means: GroupMeans, vectors: Vectors, labels: Ints, new_faces: Ints) -> Floats:
    """Mean similarity, 0-100, of each new face to the other faces of its group; NaN for all other faces."""
    _, group = np.unique(labels, return_inverse=True)
    sums, sizes = sum_groups(vectors, np.ones(len(vectors)), group)
    candidates = sizes[group[new_faces]] - 1
    dots = np.empty(len(new_faces))
    for start in range(0, len(new_faces), _ROWS):
        part = new_faces[start : start + _ROWS]
        dots[start : start + _ROWS] = np.einsum("ij,ij->i", vectors[part], sums[group[part]] - vectors[part])
    has_others = candidates > 0
    similarity = np.full(len(labels), np.nan)
    similarity[new_faces[has_others]] = means.similarities((dots[has_others] / candidates[has_others]).tolist())
    return similarity

"""Kinds of face pairs on one photo, and the order in which doubtful faces are clustered."""

from __future__ import annotations

import numpy as np

from catalog.identities.clustering.average_linkage import cluster_edges
from catalog.identities.clustering.constraints import Constraints
from catalog.identities.clustering.same_photo import SamePhotoPairs
from catalog.identities.clustering.similarity_graph import Linkage, SearchCoverage
from tests.identities.made_library import edges_of

PAIRS = np.array([(0, 1), (1, 2), (0, 2), (3, 4)])


def test_a_copy_of_a_copy_is_a_copy() -> None:
    pairs = SamePhotoPairs.of(5, PAIRS, np.array([True, True, False, False]), np.array([True, True, True, True]))
    assert pairs.is_copy.tolist() == [True, True, True, False]
    assert pairs.cannot_link.tolist() == [[3, 4]]
    assert pairs.doubtful_faces(5).tolist() == [False, False, False, True, True]
    rows = np.array([10, 11, 12, 13, 14])
    both_orders = {(10, 11), (11, 12), (10, 12)}
    assert pairs.copies_of_rows(rows) == both_orders | {(second, first) for first, second in both_orders}


def test_photos_without_pairs_have_no_copies() -> None:
    none = SamePhotoPairs.all_different(np.zeros((0, 2), dtype=np.int64))
    assert none.copies_of_rows(np.array([1, 2])) == frozenset()
    assert len(none.cannot_link) == 0


def cluster(edges: list[tuple[int, int, float]], constraints: Constraints, count: int) -> list[int]:
    coverage = SearchCoverage(np.ones(count, dtype=bool), np.zeros(count, dtype=np.int64))
    linkage = Linkage(threshold=0.42, pair_penalty=0.06)
    return cluster_edges(coverage, edges_of(edges), linkage, floor=0.3, constraints=constraints).tolist()


def test_doubtful_faces_join_after_clear_ones() -> None:
    """Faces 0 and 1 are on one photo, and each is most similar to one of the faces 2 and 3, which are one person."""
    edges = [(0, 1, 0.7), (0, 2, 0.9), (1, 3, 0.9), (0, 3, 0.6), (1, 2, 0.6), (2, 3, 0.7)]
    apart = np.array([(0, 1)])
    doubtful = np.array([True, True, False, False])
    assert cluster(edges, Constraints(cannot_link=apart), 4) == [0, 1, 0, 1], "without the flags they separate them"
    labels = cluster(edges, Constraints(cannot_link=apart, doubtful_faces=doubtful), 4)
    assert labels[2] == labels[3]
    assert labels[0] != labels[1]


def test_doubtful_faces_without_clear_ones_merge_among_themselves() -> None:
    """Two siblings who are only on photos together."""
    edges = [(0, 1, 0.6), (2, 3, 0.6), (0, 2, 0.8), (1, 3, 0.8)]
    constraints = Constraints(cannot_link=np.array([(0, 1), (2, 3)]), doubtful_faces=np.ones(4, dtype=bool))
    assert cluster(edges, constraints, 4) == [0, 1, 0, 1]


def test_a_node_is_doubtful_only_if_all_its_faces_are() -> None:
    constraints = Constraints(
        seed_faces=np.array([True, False, True, True]), doubtful_faces=np.array([True, False, True, False])
    )
    nodes = constraints.of_nodes(np.array([0, 0, 1, 1]), 2)
    assert nodes.doubtful_faces is not None
    assert nodes.doubtful_faces.tolist() == [True, False]

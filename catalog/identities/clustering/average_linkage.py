"""Clustering as a pure function: which faces are one person, from similarities alone.

Size-adaptive average linkage. Two groups A and B are worth joining when

    (S(A, B) - price) / n(A, B)  >=  threshold

with S the sum of the similarities between their faces and n the number of pairs that were observed. Summed over a
merge this is correlation clustering with a price: joining gains the sum of (similarity - threshold) less ``price``. A
lone pair needs ``threshold + price``; two big groups hardly more than ``threshold``. Without a price it is plain
average linkage.

Merging goes in rounds: of all pairs that pass, those that are each other's best merge at once, from the surest level
down to the threshold. A pair that is best for both sides would be merged by a strict best-first order too, unless the
price weighs less on a group that grows in between; the levels keep that rare, and a round costs a few passes over
arrays where a heap in Python costs one visit to each edge.

Two ways to know S and n, behind one interface:

- Search results (``EdgeGroupSimilarity``). An absent pair counts as ``floor``, but only
  where a complete list would have shown it; a pair that nobody looked at is no evidence at all.
- Exact sums from an engine that lends vectors (``MeanGroupSimilarity``). Edges then only
  propose pairs.

Faces are numbered 0 to n-1; ties go to the pair with the lowest numbers, so that the caller's order of faces settles
them and nothing else does.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from catalog.identities.clustering.agglomerative import AgglomerativeClustering
from catalog.identities.clustering.group_similarity import EdgeGroupSimilarity, MeanGroupSimilarity, sum_groups
from catalog.identities.clustering.similarity_graph import Constraints, Edges, Floats, Ints, Linkage, SearchCoverage

_VARIES = 0.05
"""How much the mean similarity of n people drawn from LFW varies, times the root of n: 0.03 to 0.05 for 10 to 400."""
_FEWEST = 10
"""Of fewer people, some who are one after all but were kept apart for another reason would make too much."""


def cluster_edges(
    lists: SearchCoverage, edges: Edges, linkage: Linkage, *, floor: float, constraints: Constraints
) -> Ints:
    """The group of each face (numbered by its lowest face) from search results.

    ``floor`` is the lowest similarity that searches were asked for, on the scale of the edges.
    """
    present = lists.unseen(edges.first, edges.second).astype(np.float64)
    measured = Edges(edges.first, edges.second, edges.similarity - floor)
    evidence = EdgeGroupSimilarity(lists, floor, linkage.price, linkage.doubt)
    return AgglomerativeClustering(np.ones(len(lists.complete)), measured, present, evidence, linkage, constraints).run(
        linkage.threshold
    )


def cluster_means(
    sums: NDArray[np.float32], sizes: Floats, edges: Edges, linkage: Linkage, *, constraints: Constraints
) -> Ints:
    """The group of each node (numbered by its lowest node) from exact means.

    A node is a face, or a person with the sum of its faces' vectors. ``edges`` only propose pairs. Where the groups
    that come out are more alike than strangers usually are, as in one family, all is done again by a linkage for those.
    """
    groups = _by_means(sums, sizes, edges, linkage, constraints)
    raised = linkage.among(stranger_similarity_bound(sums, sizes, groups))
    return groups if raised is linkage else _by_means(sums, sizes, edges, raised, constraints)


def _by_means(
    sums: NDArray[np.float32], sizes: Floats, edges: Edges, linkage: Linkage, constraints: Constraints
) -> Ints:
    evidence = MeanGroupSimilarity(sums.copy(), sizes, linkage.price)
    return AgglomerativeClustering(sizes, edges, np.zeros(len(edges)), evidence, linkage, constraints).run(
        linkage.threshold
    )


def stranger_similarity_bound(sums: NDArray[np.float32], sizes: Floats, groups: Ints) -> float:
    """How alike faces of different groups are on the average, at least: their mean similarity, less what chance may do.

    Takes nodes as :func:`cluster_means` does, and the group of each. How many people these are is counted by faces, as
    the number of groups of one size that would leave as many pairs between them: a few people of whom many a poor face
    stayed alone are no crowd of people who look alike. -1 for fewer than ten.
    """
    totals, faces = sum_groups(sums, sizes, groups)
    within = float(faces @ faces)
    count = faces.sum() ** 2 / within if within else 0.0
    if count < _FEWEST:
        return -1.0
    total = totals.sum(axis=0, dtype=np.float64)
    between = float(total @ total - np.einsum("ij,ij->", totals, totals)) / float(faces.sum() ** 2 - within)
    return between - 2 * _VARIES / float(np.sqrt(count))

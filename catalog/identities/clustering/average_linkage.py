"""Size-adaptive average linkage: clusters of faces from similarities alone, as a pure function.

Two groups A and B may merge when

    (S(A, B) - pair penalty) / n(A, B)  >=  threshold

S is the sum of the similarities between their faces, n the number of observed pairs. Summed over a merge this is
correlation clustering with a penalty: a merge gains the sum of (similarity - threshold) less the penalty. A single pair
needs threshold plus penalty; two large groups need little more than the threshold. Without a penalty it is plain
average linkage.

Merges go in rounds. Of all pairs that pass, those that are each other's best merge at once, from the highest level down
to the threshold. A strict best-first order would merge these pairs too, unless a group that grows in between needs less
for its next merge. The levels keep that rare, and a round costs a few passes over arrays; a heap in Python visits every
edge.

S and n come from one of two sources:

- Neighbor searches (``EdgeGroupSimilarity``). An absent edge counts as the floor where a complete list would have shown
  it. An unobserved pair is no evidence.
- Exact sums from an engine that lends vectors (``MeanGroupSimilarity``). Edges only propose pairs.

The levels follow the best score of the whole graph. Groups merge along edges only, so that no group spans two connected
components, but a component that is clustered alone has other levels, and may merge in another order: 3 of 334 random
components got other groups. Therefore the whole graph is clustered in one process.

Faces are numbered 0 to n-1. Of equal scores the pair with the lowest numbers merges first, so that the result depends
on the caller's order of faces only.
"""

from __future__ import annotations

import numpy as np

from catalog.identities.clustering.agglomerative import AgglomerativeClustering
from catalog.identities.clustering.arrays import Floats, Ints, Pairs, Vectors
from catalog.identities.clustering.constraints import Constraints
from catalog.identities.clustering.group_similarity import EdgeGroupSimilarity, MeanGroupSimilarity, sum_groups
from catalog.identities.clustering.similarity_graph import Edges, Linkage, SearchCoverage

_DEVIATION = 0.05
"""Standard deviation of the mean similarity of n people drawn from LFW, times the root of n. Measured: 0.03 to 0.05 for
n from 10 to 400."""

_MIN_PEOPLE = 10
"""With fewer people, faces of one person that were left in two groups would dominate the mean."""


def cluster_edges(
    coverage: SearchCoverage, edges: Edges, linkage: Linkage, *, floor: float, constraints: Constraints
) -> Ints:
    """Cluster faces by neighbor searches. Returns the lowest face of each face's group.

    ``floor`` is the lowest similarity that searches asked for, on the scale of the edges.
    """
    present = coverage.unobserved(edges.first, edges.second).astype(np.float64)
    evidence = np.stack((edges.similarity - floor, present))
    similarity = EdgeGroupSimilarity(coverage, floor, linkage.pair_penalty, linkage.unobserved_margin)
    sizes = np.ones(len(coverage.complete))
    pairs = (edges.first, edges.second)
    return AgglomerativeClustering(sizes, pairs, evidence, similarity, linkage, constraints).run(linkage.threshold)


def cluster_means(sums: Vectors, sizes: Floats, pairs: Pairs, linkage: Linkage, *, constraints: Constraints) -> Ints:
    """Cluster nodes by exact means. Returns the lowest node of each node's group.

    A node is a face, or a person with the sum of its faces' vectors. ``pairs`` only propose merges; each pair occurs
    once, the lower number first. If the resulting groups are more similar than strangers usually are, as in one family,
    the nodes are clustered again with a raised linkage.
    """
    groups = _cluster_once(sums, sizes, pairs, linkage, constraints)
    raised = linkage.among(stranger_similarity_bound(sums, sizes, groups))
    return groups if raised is linkage else _cluster_once(sums, sizes, pairs, raised, constraints)


def _cluster_once(sums: Vectors, sizes: Floats, pairs: Pairs, linkage: Linkage, constraints: Constraints) -> Ints:
    similarity = MeanGroupSimilarity(sums.copy(), sizes, linkage.pair_penalty)
    evidence = np.zeros((0, len(pairs[0])))
    return AgglomerativeClustering(sizes, pairs, evidence, similarity, linkage, constraints).run(linkage.threshold)


def stranger_similarity_bound(sums: Vectors, sizes: Floats, groups: Ints) -> float:
    """Lower bound of the mean similarity between faces of different groups: the mean less twice its deviation.

    Takes nodes as :func:`cluster_means` does, and the group of each. The number of people is the number of groups of
    equal size that would leave as many pairs between them, so that single poor faces do not count as people. Returns
    -1 for fewer than ten people.
    """
    totals, faces = sum_groups(sums, sizes, groups)
    within = float(faces @ faces)
    people = faces.sum() ** 2 / within if within else 0.0
    if people < _MIN_PEOPLE:
        return -1.0
    total = totals.sum(axis=0, dtype=np.float64)
    between = float(total @ total - np.einsum("ij,ij->", totals, totals)) / float(faces.sum() ** 2 - within)
    return between - 2 * _DEVIATION / float(np.sqrt(people))

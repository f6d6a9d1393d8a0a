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

- Search results (:class:`~catalog.identities.evidence.EdgeEvidence`). An absent pair counts as ``floor``, but only
  where a complete list would have shown it; a pair that nobody looked at is no evidence at all.
- Exact sums from an engine that lends vectors (:class:`~catalog.identities.evidence.MeanEvidence`). Edges then only
  propose pairs.

Faces are numbered 0 to n-1; ties go to the pair with the lowest numbers, so that the caller's order of faces settles
them and nothing else does.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from catalog.identities.evidence import EdgeEvidence, MeanEvidence
from catalog.identities.graph import Constraints, Edges, Floats, Ints, Linkage, Lists
from catalog.identities.rounds import Rounds

_VARIES = 0.05
_FEWEST = 10


def cluster_edges(lists: Lists, edges: Edges, linkage: Linkage, *, floor: float, constraints: Constraints) -> Ints:
    """The group of each face (numbered by its lowest face) from search results.

    ``floor`` is the lowest similarity that searches were asked for, on the scale of the edges.
    """
    present = lists.unseen(edges.first, edges.second).astype(np.float64)
    measured = Edges(edges.first, edges.second, edges.similarity - floor)
    evidence = EdgeEvidence(lists, floor, linkage.price)
    return Rounds(np.ones(len(lists.complete)), measured, present, evidence, linkage, constraints).run(
        linkage.threshold
    )


def cluster_means(
    sums: NDArray[np.float32], sizes: Floats, edges: Edges, linkage: Linkage, *, constraints: Constraints
) -> Ints:
    """The group of each node (numbered by its lowest node) from exact means.

    A node is a face, or a person with the sum of its faces' vectors. ``edges`` only propose pairs. Where the groups
    that come out are more alike than strangers usually are, as in one family, all is done again by a linkage for those.
    """
    groups, means = _by_means(sums, sizes, edges, linkage, constraints)
    raised = linkage.among(least_likeness(means))
    return groups if raised is linkage else _by_means(sums, sizes, edges, raised, constraints)[0]


def _by_means(
    sums: NDArray[np.float32], sizes: Floats, edges: Edges, linkage: Linkage, constraints: Constraints
) -> tuple[Ints, Floats]:
    """The group of each node, and the mean vector of each group."""
    evidence = MeanEvidence(sums.copy(), sizes, linkage.price)
    rounds = Rounds(sizes, edges, np.zeros(len(edges)), evidence, linkage, constraints)
    groups = rounds.run(linkage.threshold)
    return groups, evidence.means(np.unique(groups))


def least_likeness(means: Floats) -> float:
    """How alike people are on the average, at least: the mean similarity of all pairs, less what chance may do.

    ``means`` holds one vector for each of n people. Among n people drawn from LFW the mean varies by 0.05 over the root
    of n or less; twice that is taken off. -1 for fewer than ten: of those a few who are one person after all, but were
    kept apart for another reason than their looks, would make too much.
    """
    count = len(means)
    if count < _FEWEST:
        return -1.0
    total = means.sum(axis=0)
    pairs = (total @ total - np.einsum("ij,ij->", means, means)) / (count * (count - 1))
    return float(pairs - 2 * _VARIES / np.sqrt(count))

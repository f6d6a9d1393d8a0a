"""The mean similarity of two groups of faces, and the number of observed pairs behind it."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from catalog.identities.clustering.arrays import Floats, Ints, Numbers, Vectors
from catalog.identities.clustering.similarity_graph import SearchCoverage, renumber_epochs

_CHUNK = 1 << 16
"""Pairs whose dot products are taken at once: bounds memory at a few dozen megabytes."""


class GroupSimilarity(Protocol):
    """Similarity of two groups. Groups are numbered; a merged group keeps the number that :meth:`merge` names."""

    def scores(self, lo: Ints, hi: Ints, evidence: Floats) -> Floats:
        """Mean similarity of each pair of groups, less pair penalty and unobserved margin; compare with the threshold.

        ``evidence``, of shape (k, pairs), holds sums over the edges between the two groups. The class says of what.
        """

    def merge(self, survivors: Ints, merged: Ints) -> None:
        """Merge each group of ``merged`` into the group at the same index of ``survivors``, which may repeat."""


class EdgeGroupSimilarity:
    """Group similarity from neighbor searches. :class:`SearchCoverage` says which pairs were observed.

    Similarities are on any scale that may be averaged; ``floor`` is the lowest that a search would show. Evidence has
    two rows: the similarity above the floor, and 1 for an edge between two faces whose lists were both incomplete.
    """

    def __init__(self, coverage: SearchCoverage, floor: float, pair_penalty: float, unobserved_margin: float) -> None:
        count = len(coverage.complete)
        epoch = renumber_epochs(coverage.epoch)
        self._sizes = np.ones(count)
        faces = np.zeros((count, int(epoch.max(initial=0)) + 1), dtype=np.float32)
        faces[np.arange(count), epoch] = 1.0
        self._unsearched = faces * ~coverage.complete[:, None]
        self._earlier = np.cumsum(faces, axis=1) - faces
        self._floor, self._pair_penalty, self._unobserved_margin = floor, pair_penalty, unobserved_margin

    def scores(self, lo: Ints, hi: Ints, evidence: Floats) -> Floats:
        total, present = evidence
        unsearched, earlier = self._unsearched, self._earlier
        unobserved = (
            _dots(unsearched, lo, unsearched, hi)
            + _dots(unsearched, lo, earlier, hi)
            + _dots(earlier, lo, unsearched, hi)
            - present
        )
        pairs = self._sizes[lo] * self._sizes[hi]
        # The total is measured from the floor, because an absent edge counts as the floor and adds nothing.
        mean = (total - self._pair_penalty) / np.maximum(pairs - unobserved, 1.0) + self._floor
        is_both_many = (self._sizes[lo] >= 2) & (self._sizes[hi] >= 2)
        return np.asarray(mean - self._unobserved_margin * is_both_many * unobserved / pairs)

    def merge(self, survivors: Ints, merged: Ints) -> None:
        for state in (self._sizes, self._unsearched, self._earlier):
            np.add.at(state, survivors, state[merged])


class MeanGroupSimilarity:
    """Group similarity from exact group means.

    ``sums``, of shape (n, d), holds the sum of the vectors of each node, which stands for ``sizes`` faces. It is
    changed in place. Evidence has no row.
    """

    def __init__(self, sums: Vectors, sizes: Floats, pair_penalty: float) -> None:
        self._sums = sums
        self._sizes = sizes.copy()
        self._pair_penalty = pair_penalty

    def scores(self, lo: Ints, hi: Ints, evidence: Floats) -> Floats:  # noqa: ARG002  exact without it
        return (_dots(self._sums, lo, self._sums, hi) - self._pair_penalty) / (self._sizes[lo] * self._sizes[hi])

    def merge(self, survivors: Ints, merged: Ints) -> None:
        np.add.at(self._sums, survivors, self._sums[merged])
        np.add.at(self._sizes, survivors, self._sizes[merged])


def _dots(left: Vectors, lo: Ints, right: Vectors, hi: Ints) -> Floats:
    """Dot products of rows of two matrices, row pair by row pair."""
    dots = np.empty(len(lo))
    for start in range(0, len(lo), _CHUNK):
        part = slice(start, start + _CHUNK)
        dots[part] = np.einsum("ij,ij->i", left[lo[part]], right[hi[part]])
    return dots


def sum_groups(sums: Vectors, sizes: Floats, group: Ints | Numbers) -> tuple[Vectors, Floats]:
    """The sum of the vectors and of the sizes of each group, in ascending order of group; ``sums`` of shape (n, d).

    The results may be the arguments themselves.
    """
    if (np.diff(group) > 0).all():
        return sums, sizes  # one row for each group already
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    return np.add.reduceat(sums[order], starts, axis=0), np.add.reduceat(sizes[order], starts)

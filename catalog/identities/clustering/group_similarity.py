"""How alike two groups of faces are, and how many pairs of faces say so."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from catalog.identities.clustering.similarity_graph import Floats, Ints, SearchCoverage, number_nights

_CHUNK = 1 << 16
"""Pairs whose dot products are taken at once: bounds memory at a few dozen megabytes."""


class GroupSimilarity(Protocol):
    """How alike two groups are. A merged group keeps the number that :meth:`merge` says."""

    def scores(self, lo: Ints, hi: Ints, total: Floats, present: Floats) -> Floats:
        """Mean similarity less shares of price and doubt for each pair of groups, on the scale of the threshold.

        ``total`` is the sum of the edges' similarities between the two, ``present`` how many edges join two faces
        whose lists were both incomplete.
        """

    def merge(self, keep: Ints, gone: Ints) -> None:
        """Pour each group of ``gone`` into the one at the same place of ``keep``, which may be named several times."""


class EdgeGroupSimilarity:
    """Evidence from search results alone; see :class:`SearchCoverage` for which pairs count as looked at.

    Similarities are on any scale on which averaging makes sense; ``floor`` is the lowest that a search would show.
    """

    def __init__(self, lists: SearchCoverage, floor: float, price: float, doubt: float) -> None:
        count = len(lists.complete)
        epoch = number_nights(lists.epoch)
        self._sizes = np.ones(count)
        shape = (count, int(epoch.max(initial=0)) + 1)
        everyone = np.zeros(shape, dtype=np.float32)
        everyone[np.arange(count), epoch] = 1.0
        self._unasked = everyone * ~lists.complete[:, None]
        self._earlier = np.cumsum(everyone, axis=1) - everyone
        self._floor, self._price, self._doubt = floor, price, doubt

    def scores(self, lo: Ints, hi: Ints, total: Floats, present: Floats) -> Floats:
        unasked, earlier = self._unasked, self._earlier
        unseen = _dots(unasked, lo, unasked, hi) + _dots(unasked, lo, earlier, hi) + _dots(earlier, lo, unasked, hi)
        pairs, unseen = self._sizes[lo] * self._sizes[hi], unseen - present
        # `total` is already measured from the floor, as an absent edge adds nothing to it.
        mean = (total - self._price) / np.maximum(pairs - unseen, 1.0) + self._floor
        several = (self._sizes[lo] >= 2) & (self._sizes[hi] >= 2)
        return mean - self._doubt * several * unseen / pairs

    def merge(self, keep: Ints, gone: Ints) -> None:
        for state in (self._sizes, self._unasked, self._earlier):
            np.add.at(state, keep, state[gone])


class MeanGroupSimilarity:
    """Evidence from exact group means.

    ``sums``, of shape (n, d), holds the sum of the vectors of each node, which stands for ``sizes`` faces. It is
    changed in place.
    """

    def __init__(self, sums: NDArray[np.float32], sizes: Floats, price: float) -> None:
        self._sums = sums
        self._sizes = sizes.copy()
        self._price = price

    def scores(self, lo: Ints, hi: Ints, total: Floats, present: Floats) -> Floats:  # noqa: ARG002  exact without them
        return (_dots(self._sums, lo, self._sums, hi) - self._price) / (self._sizes[lo] * self._sizes[hi])

    def merge(self, keep: Ints, gone: Ints) -> None:
        np.add.at(self._sums, keep, self._sums[gone])
        np.add.at(self._sizes, keep, self._sizes[gone])


def _dots(left: NDArray[np.float32], lo: Ints, right: NDArray[np.float32], hi: Ints) -> Floats:
    """Dot products of rows of two matrices, row pair by row pair."""
    dots = np.empty(len(lo))
    for start in range(0, len(lo), _CHUNK):
        part = slice(start, start + _CHUNK)
        dots[part] = np.einsum("ij,ij->i", left[lo[part]], right[hi[part]])
    return dots


def sum_groups(sums: NDArray[np.float32], sizes: Floats, group: Ints) -> tuple[NDArray[np.float32], Floats]:
    """The sum of the vectors of each group, and of the sizes, by rising number of group; ``sums`` of shape (n, d)."""
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    if not len(starts):
        return sums, sizes
    return np.add.reduceat(sums[order], starts, axis=0), np.add.reduceat(sizes[order], starts)

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

- :class:`EdgeEvidence`: the similarities that searches returned. An absent pair counts as ``floor``, but only where a
  complete list would have shown it; a pair that nobody looked at is no evidence at all.
- :class:`MeanEvidence`: exact sums from an engine that lends vectors. Edges then only propose pairs.

Faces are numbered 0 to n-1; ties go to the pair with the lowest numbers, so that the caller's order of faces settles
them and nothing else does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_STEP = 0.05
"""Levels go down in steps of this share of the distance between the best score and the threshold."""
_EPOCHS = 64
"""Nights told apart; the oldest beyond these count as one, so that pairs among them that nobody looked at may
count as unlike."""
_CHUNK = 1 << 16
"""Pairs whose dot products are taken at once: bounds memory at a few dozen megabytes."""


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """Pairs of faces with their similarity, each pair once, first below second; any order of pairs."""

    first: Ints
    second: Ints
    similarity: Floats

    def __len__(self) -> int:
        return len(self.first)

    @classmethod
    def of(cls, pairs: Iterable[tuple[int, int, float]]) -> Edges:
        """From tuples as an engine or a database yields them; of a pair given twice the highest similarity stays."""
        rows = np.fromiter(pairs, dtype=[("a", np.int64), ("b", np.int64), ("s", np.float64)])
        return cls.of_arrays(rows["a"], rows["b"], rows["s"])

    @classmethod
    def of_arrays(cls, one: Ints, other: Ints, similarity: Floats) -> Edges:
        """The same from arrays."""
        first, second = np.minimum(one, other), np.maximum(one, other)
        order = np.lexsort((-similarity, second, first))
        first, second, similarity = first[order], second[order], similarity[order]
        fresh = np.ones(len(first), dtype=bool)
        fresh[1:] = (first[1:] != first[:-1]) | (second[1:] != second[:-1])
        fresh &= first != second
        return cls(first[fresh], second[fresh], similarity[fresh])


@dataclass(frozen=True, slots=True)
class Linkage:
    """When two groups are one: see the module's formula. Both on the scale of the similarities."""

    threshold: float
    price: float
    caution: float = 0.0
    """What two groups of two faces or more must have beyond the threshold. For nightly runs, in which nobody can be
    parted again: with few faces known, brothers look like one person who was photographed twice."""


@dataclass(frozen=True, slots=True, eq=False)
class Constraints:
    """What clustering may not decide for itself.

    ``must`` and ``cannot`` are arrays of shape (k, 2). ``camps`` numbers faces of persons that humans hold apart: two
    faces of different camps never meet; -1 is no camp. ``founders`` flags faces good enough to start a group; the
    others join one at most. A must-link wins over a cannot-link, as only humans give must-links.
    """

    must: Ints | None = None
    cannot: Ints | None = None
    camps: Ints | None = None
    founders: Flags | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Lists:
    """Whose lists of neighbors were asked for, and when: what makes an absent edge evidence.

    ``complete`` flags faces whose list was asked for and did not hit its limit; ``epoch`` numbers the nights in which
    faces were enrolled. A list shows the faces that were enrolled by then, in its own night or before. So of two faces
    of one night either list will do; of two nights it takes the later face's.
    """

    complete: Flags
    epoch: Ints

    def unseen(self, first: Ints, second: Ints) -> Flags:
        """Whether nobody looked at these pairs, so that their absence would mean nothing."""
        epoch = _epochs(self.epoch)
        a, b = epoch[first], epoch[second]
        only_later = np.where(a < b, ~self.complete[second], ~self.complete[first])
        return np.where(a == b, ~self.complete[first] & ~self.complete[second], only_later)


class Evidence(Protocol):
    """How alike two groups are. Groups are numbered by their lowest face; a merged group keeps the lower number."""

    def scores(self, lo: Ints, hi: Ints, total: Floats, present: Floats) -> Floats:
        """Mean similarity less the price's share for each pair of groups, on the scale of the threshold.

        ``total`` is the sum of the edges' similarities between the two, ``present`` how many edges join two faces
        whose lists were both incomplete.
        """

    def merge(self, keep: Ints, gone: Ints) -> None:
        """Pour each group of ``gone`` into the one at the same place of ``keep``, which may be named several times."""


class EdgeEvidence:
    """Evidence from search results alone; see :class:`Lists` for which pairs count as looked at.

    Similarities are on any scale on which averaging makes sense; ``floor`` is the lowest that a search would show.
    """

    def __init__(self, lists: Lists, floor: float, price: float) -> None:
        count = len(lists.complete)
        epoch = _epochs(lists.epoch)
        self._sizes = np.ones(count)
        shape = (count, int(epoch.max(initial=0)) + 1)
        everyone = np.zeros(shape, dtype=np.float32)
        everyone[np.arange(count), epoch] = 1.0
        self._unasked = everyone * ~lists.complete[:, None]
        self._earlier = np.cumsum(everyone, axis=1) - everyone
        self._floor, self._price = floor, price

    def scores(self, lo: Ints, hi: Ints, total: Floats, present: Floats) -> Floats:
        unasked, earlier = self._unasked, self._earlier
        unseen = _dots(unasked, lo, unasked, hi) + _dots(unasked, lo, earlier, hi) + _dots(earlier, lo, unasked, hi)
        observed = self._sizes[lo] * self._sizes[hi] - unseen + present
        # `total` is already measured from the floor, as an absent edge adds nothing to it.
        return (total - self._price) / np.maximum(observed, 1.0) + self._floor

    def merge(self, keep: Ints, gone: Ints) -> None:
        for state in (self._sizes, self._unasked, self._earlier):
            np.add.at(state, keep, state[gone])


class MeanEvidence:
    """Evidence from exact group means.

    ``sums``, of shape (n, d), holds the sum of the unit vectors of each node, which stands for ``sizes`` faces. It is
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


def cluster_edges(lists: Lists, edges: Edges, linkage: Linkage, *, floor: float, constraints: Constraints) -> Ints:
    """The group of each face (numbered by its lowest face) from search results.

    ``floor`` is the lowest similarity that searches were asked for, on the scale of the edges.
    """
    present = lists.unseen(edges.first, edges.second).astype(np.float64)
    measured = Edges(edges.first, edges.second, edges.similarity - floor)
    evidence = EdgeEvidence(lists, floor, linkage.price)
    return _Rounds(np.ones(len(lists.complete)), measured, present, evidence, linkage, constraints).run(
        linkage.threshold
    )


def cluster_means(
    sums: NDArray[np.float32], sizes: Floats, edges: Edges, linkage: Linkage, *, constraints: Constraints
) -> Ints:
    """The group of each node (numbered by its lowest node) from exact means; ``sums`` is used up.

    A node is a face, or a person with the sum of its faces' unit vectors. ``edges`` only propose pairs.
    """
    evidence = MeanEvidence(sums, sizes, linkage.price)
    return _Rounds(sizes, edges, np.zeros(len(edges)), evidence, linkage, constraints).run(linkage.threshold)


class _Rounds:
    """The state of one clustering: groups, the edges between them, and what is forbidden."""

    def __init__(
        self,
        sizes: Floats,
        edges: Edges,
        present: Floats,
        evidence: Evidence,
        linkage: Linkage,
        given: Constraints,
    ) -> None:
        count = len(sizes)
        self._count = count
        self._evidence = evidence
        self._group = np.arange(count, dtype=np.int64)
        self._camp = np.full(count, -1, dtype=np.int64) if given.camps is None else given.camps.copy()
        self._many = sizes >= 2
        self._caution = linkage.caution
        self._founder = np.ones(count, dtype=bool) if given.founders is None else given.founders.copy()
        self._lo, self._hi = edges.first.astype(np.int64), edges.second.astype(np.int64)
        self._total, self._present = edges.similarity.astype(np.float64), present
        self._cannot = _keys(_pairs(given.cannot), count)
        self._score = np.full(len(self._lo), -np.inf)
        self._contract(_pairs(given.must))
        self._score = self._scored(np.ones(len(self._lo), dtype=bool))

    def _contract(self, must: Ints) -> None:
        label = components(self._count, must)
        gone = np.flatnonzero(label != np.arange(self._count))
        if len(gone):
            self._merge(label[gone], gone)

    def run(self, threshold: float) -> Ints:
        """Merge down to the threshold: first the founders among themselves, then the others into them."""
        for joining in (False, True):
            top = self._best(joining)
            while top >= threshold:
                level = max(threshold, top - _STEP * max(top - threshold, abs(threshold)))
                while self._round(level, joining):
                    pass
                if level <= threshold:
                    break
                top = self._best(joining)
        return self._group

    def _eligible(self, level: float, joining: bool) -> Ints:
        founders = self._founder[self._lo].astype(np.int8) + self._founder[self._hi]
        return np.flatnonzero((self._score >= level) & (founders == (1 if joining else 2)))

    def _best(self, joining: bool) -> float:
        able = self._eligible(-np.inf, joining)
        return float(self._score[able].max()) if len(able) else -np.inf

    def _round(self, level: float, joining: bool) -> bool:
        able = self._eligible(level, joining)
        if not len(able):
            return False
        able = able[np.lexsort((self._hi[able], self._lo[able], -self._score[able]))]
        lo, hi = self._lo[able], self._hi[able]
        rank = np.arange(len(able))
        best = np.full(self._count, len(able))
        np.minimum.at(best, lo, rank)
        np.minimum.at(best, hi, rank)
        heart = (best[lo] == rank) & (best[hi] == rank)
        # A star: a reciprocal pair, and every other group whose best merge is one of that pair's kept half.
        center = np.full(self._count, -1, dtype=np.int64)
        center[lo[heart]] = lo[heart]
        joins = heart | ((best[hi] == rank) & (center[lo] >= 0)) | ((best[lo] == rank) & (center[hi] >= 0))
        joins &= ~((best[lo] == rank) & (best[hi] == rank) & ~heart)
        keep = np.where(heart | (center[lo] >= 0), lo, hi)[joins]
        gone = np.where(heart | (center[lo] >= 0), hi, lo)[joins]
        self._merge(*self._peaceful(keep, gone))
        return True

    def _peaceful(self, keep: Ints, gone: Ints) -> tuple[Ints, Ints]:
        """Of the merges of one round, surest first, those that break nothing together."""
        rank = np.full(self._count, -1, dtype=np.int64)
        rank[gone] = np.arange(len(gone))
        target = np.arange(self._count, dtype=np.int64)
        target[gone] = keep
        fine = np.ones(len(gone), dtype=bool)
        if len(self._cannot):
            pairs = _unkey(self._cannot, self._count)
            clash = target[pairs[:, 0]] == target[pairs[:, 1]]
            fine[np.maximum(rank[pairs[clash, 0]], rank[pairs[clash, 1]])] = False
        camped = np.flatnonzero(self._camp[gone] >= 0)
        if len(camped):
            camp = self._camp.copy()
            for place in camped.tolist():
                at = keep[place]
                if camp[at] < 0:
                    camp[at] = camp[gone[place]]
                elif camp[at] != camp[gone[place]]:
                    fine[place] = False
        return keep[fine], gone[fine]

    def _merge(self, keep: Ints, gone: Ints) -> None:
        self._evidence.merge(keep, gone)
        np.maximum.at(self._camp, keep, self._camp[gone])
        np.logical_or.at(self._founder, keep, self._founder[gone])
        self._many[keep] = True
        target = np.arange(self._count, dtype=np.int64)
        target[gone] = keep
        moved = np.zeros(self._count, dtype=bool)
        moved[keep] = moved[gone] = True
        self._group = target[self._group]
        self._cannot = _keys(target[_unkey(self._cannot, self._count)], self._count)
        self._rewire(target, moved[self._lo] | moved[self._hi])

    def _rewire(self, target: Ints, touched: Flags) -> None:
        """Point the touched edges at their new groups, fold double ones together and score them anew."""
        lo, hi = target[self._lo[touched]], target[self._hi[touched]]
        key = np.minimum(lo, hi) * self._count + np.maximum(lo, hi)
        outside = lo != hi
        key, fold = np.unique(key[outside], return_inverse=True)
        total = np.bincount(fold, self._total[touched][outside], len(key))
        present = np.bincount(fold, self._present[touched][outside], len(key))
        rest = ~touched
        self._lo = np.concatenate((self._lo[rest], key // self._count))
        self._hi = np.concatenate((self._hi[rest], key % self._count))
        self._total = np.concatenate((self._total[rest], total))
        self._present = np.concatenate((self._present[rest], present))
        fresh = np.zeros(len(self._lo), dtype=bool)
        fresh[len(self._lo) - len(key) :] = True
        self._score = np.concatenate((self._score[rest], self._scored(fresh)[fresh]))

    def _scored(self, fresh: Flags) -> Floats:
        """Scores of the fresh edges, minus infinity where a merge is forbidden; of the others nothing of use."""
        scores = np.full(len(self._lo), -np.inf)
        lo, hi = self._lo[fresh], self._hi[fresh]
        value = np.round(self._evidence.scores(lo, hi, self._total[fresh], self._present[fresh]), 9)
        value[self._many[lo] & self._many[hi]] -= self._caution
        camp_lo, camp_hi = self._camp[lo], self._camp[hi]
        apart = (camp_lo >= 0) & (camp_hi >= 0) & (camp_lo != camp_hi)
        if len(self._cannot):
            key = lo * self._count + hi
            place = np.minimum(np.searchsorted(self._cannot, key), len(self._cannot) - 1)
            apart |= self._cannot[place] == key
        value[apart] = -np.inf
        scores[fresh] = value
        return scores


def components(count: int, pairs: Ints) -> Ints:
    """The lowest number that each of ``count`` things reaches through ``pairs``, an array of shape (k, 2)."""
    label = np.arange(count, dtype=np.int64)
    while len(pairs):
        low = np.minimum(label[pairs[:, 0]], label[pairs[:, 1]])
        before = label.copy()
        for side in (0, 1):
            np.minimum.at(label, label[pairs[:, side]], low)
            np.minimum.at(label, pairs[:, side], low)
        label = label[label]
        if np.array_equal(before, label):
            break
    return label


def _epochs(epoch: Ints) -> Ints:
    """Nights renumbered from 0; beyond :data:`_EPOCHS` the oldest share one number."""
    nights, number = np.unique(epoch, return_inverse=True)
    return np.maximum(number - max(0, len(nights) - _EPOCHS), 0)


def _dots(left: NDArray[np.float32], lo: Ints, right: NDArray[np.float32], hi: Ints) -> Floats:
    """Dot products of rows of two matrices, row pair by row pair."""
    dots = np.empty(len(lo))
    for start in range(0, len(lo), _CHUNK):
        part = slice(start, start + _CHUNK)
        dots[part] = np.einsum("ij,ij->i", left[lo[part]], right[hi[part]])
    return dots


def _pairs(given: Ints | None) -> Ints:
    return np.zeros((0, 2), dtype=np.int64) if given is None else given.astype(np.int64).reshape(-1, 2)


def _keys(pairs: Ints, count: int) -> Ints:
    """Pairs of groups as sorted single numbers, each once; a pair within one group is left out."""
    lo, hi = pairs.min(axis=1, initial=count), pairs.max(axis=1, initial=-1)
    apart = lo != hi
    return np.unique(lo[apart] * count + hi[apart])


def _unkey(keys: Ints, count: int) -> Ints:
    return np.stack((keys // count, keys % count), axis=1)

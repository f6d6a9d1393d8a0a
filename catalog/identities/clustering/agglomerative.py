"""Merging groups in rounds, the surest first, within what is allowed."""

from __future__ import annotations

import numpy as np

from catalog.identities.clustering.group_similarity import GroupSimilarity
from catalog.identities.clustering.similarity_graph import Constraints, Edges, Flags, Floats, Ints, Linkage

_STEP = 0.05
"""Levels go down in steps of this share of the distance between the best score and the threshold."""


class AgglomerativeClustering:
    """The state of one clustering: groups, the edges between them, and what is forbidden."""

    def __init__(
        self,
        sizes: Floats,
        edges: Edges,
        present: Floats,
        evidence: GroupSimilarity,
        linkage: Linkage,
        given: Constraints,
    ) -> None:
        count = len(sizes)
        self._count = count
        self._evidence = evidence
        self._group = np.arange(count, dtype=np.int64)
        self._camp = (
            np.full(count, -1, dtype=np.int64) if given.separation_groups is None else given.separation_groups.copy()
        )
        self._many = sizes >= 2
        self._caution = linkage.merge_margin
        self._founder = np.ones(count, dtype=bool) if given.founders is None else given.founders.copy()
        self._lo, self._hi = edges.first.astype(np.int64), edges.second.astype(np.int64)
        self._total, self._present = edges.similarity.astype(np.float64), present
        self._cannot = _keys(_pairs(given.cannot_link), count)
        self._apparent = None if given.apparent is None else given.apparent.copied()
        self._score = np.full(len(self._lo), -np.inf)
        self._contract(_pairs(given.must_link))
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
        lowest = np.full(self._count, self._count, dtype=np.int64)
        np.minimum.at(lowest, self._group, np.arange(self._count))
        return lowest[self._group]

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
        # A star: a pair of which each is the other's best, and every group whose best is one of the two.
        center = np.full(self._count, -1, dtype=np.int64)
        center[lo[heart]] = center[hi[heart]] = lo[heart]
        by_hi, by_lo = (best[hi] == rank) & (center[lo] >= 0), (best[lo] == rank) & (center[hi] >= 0)
        joins = heart | by_hi | by_lo
        keep = np.where(heart | by_hi, center[lo], center[hi])[joins]
        gone = np.where(heart | by_hi, hi, lo)[joins]
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
        if self._apparent is not None:
            # One merge into a group was looked at when it was scored; of several each must agree with those before.
            several = fine & (np.bincount(keep[fine], minlength=self._count)[keep] > 1)
            grown = self._apparent.copied()
            for place in np.flatnonzero(several & self._apparent.known(gone)).tolist():
                if grown.at_odds(keep[[place]], gone[[place]])[0]:
                    fine[place] = False
                else:
                    grown.pour(keep[[place]], gone[[place]])
        return keep[fine], gone[fine]

    def _merge(self, keep: Ints, gone: Ints) -> None:
        self._evidence.merge(keep, gone)
        np.maximum.at(self._camp, keep, self._camp[gone])
        np.logical_or.at(self._founder, keep, self._founder[gone])
        if self._apparent is not None:
            self._apparent.pour(keep, gone)
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
        if self._apparent is not None:
            apart |= self._apparent.at_odds(lo, hi)
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


def _pairs(given: Ints | None) -> Ints:
    return np.zeros((0, 2), dtype=np.int64) if given is None else given.astype(np.int64).reshape(-1, 2)


def _keys(pairs: Ints, count: int) -> Ints:
    """Pairs of groups as sorted single numbers, each once; a pair within one group is left out."""
    lo, hi = pairs.min(axis=1, initial=count), pairs.max(axis=1, initial=-1)
    apart = lo != hi
    return np.unique(lo[apart] * count + hi[apart])


def _unkey(keys: Ints, count: int) -> Ints:
    return np.stack((keys // count, keys % count), axis=1)

"""Agglomerative clustering in rounds: the most similar groups merge first, within the constraints."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from catalog.identities.clustering.arrays import Flags, Floats, Ints, Numbers, Pairs
from catalog.identities.clustering.constraints import Constraints
from catalog.identities.clustering.group_similarity import GroupSimilarity
from catalog.identities.clustering.similarity_graph import Linkage

_STEP = 0.05
"""Levels go down in steps of this share of the distance between the best score and the threshold."""

_PART = 1 << 20
"""Edges that are scored or copied at a time: bounds memory at about 100 MB."""

_Number = TypeVar("_Number", np.int32, np.float64)

_POOR, _DOUBTFUL, _SEED = range(3)
"""Ranks of groups: no seed face, doubtful seed faces only, a clear seed face. A merged group has the higher rank."""


class AgglomerativeClustering:
    """State of one clustering: groups, the edges between them, and the merges that are forbidden.

    Edges are pairs of groups, each once, the lower number first. Each row of ``evidence``, of shape (k, edges), has a
    number for each edge. When edges become one, their numbers are added.
    """

    def __init__(
        self,
        sizes: Floats,
        edges: Pairs,
        evidence: Floats,
        similarity: GroupSimilarity,
        linkage: Linkage,
        constraints: Constraints,
    ) -> None:
        count = len(sizes)
        self._count = count
        self._similarity = similarity
        self._group = np.arange(count, dtype=np.int64)
        self._separation = (
            np.full(count, -1, dtype=np.int64)
            if constraints.separation_groups is None
            else constraints.separation_groups.copy()
        )
        self._has_many = sizes >= 2
        self._merge_margin = linkage.merge_margin
        self._rank = _ranks(count, constraints)
        self._lo, self._hi = edges
        self._evidence = evidence
        self._cannot_link = _pair_numbers(_pairs(constraints.cannot_link), count)
        self._demographics = None if constraints.demographics is None else constraints.demographics.copied()
        self._score = np.full(len(self._lo), -np.inf)
        self._contract(_pairs(constraints.must_link))
        self._score = self._scores(self._lo, self._hi, self._evidence)

    def _contract(self, must_link: Ints) -> None:
        label = components(self._count, must_link)
        merged = np.flatnonzero(label != np.arange(self._count))
        if len(merged):
            self._merge(label[merged], merged)

    def run(self, threshold: float) -> Ints:
        """Merge down to the threshold. Returns the lowest face of each face's group.

        Groups with clear seed faces merge first. Then doubtful groups join them, and those that are left merge among
        themselves. Groups without a seed face join last.
        """
        self._merge_down(threshold, (_SEED, _SEED))
        if (self._rank == _DOUBTFUL).any():
            self._merge_down(threshold, (_DOUBTFUL, _SEED))
            self._rank[self._rank == _DOUBTFUL] = _SEED
            self._merge_down(threshold, (_SEED, _SEED))
        self._merge_down(threshold, (_POOR, _SEED))
        lowest = np.full(self._count, self._count, dtype=np.int64)
        np.minimum.at(lowest, self._group, np.arange(self._count))
        return lowest[self._group]

    def _merge_down(self, threshold: float, ranks: tuple[int, int]) -> None:
        """Merge pairs of groups of these two ranks, from the best score down to the threshold."""
        best = self._best(threshold, ranks)
        while best >= threshold:
            level = max(threshold, best - _STEP * max(best - threshold, abs(threshold)))
            while self._round(level, ranks):
                pass
            if level <= threshold:
                break
            best = self._best(threshold, ranks)

    def _eligible(self, level: float, ranks: tuple[int, int]) -> Ints:
        """Edges at or above the level between groups of these two ranks, the lower rank first."""
        edges = np.flatnonzero(self._score >= level)
        lo, hi = self._rank[self._lo[edges]], self._rank[self._hi[edges]]
        is_eligible = (np.minimum(lo, hi) == ranks[0]) & (np.maximum(lo, hi) == ranks[1])
        return np.asarray(edges[is_eligible])

    def _best(self, level: float, ranks: tuple[int, int]) -> float:
        """The best score of an edge at or above the level between groups of these two ranks, or minus infinity."""
        edges = self._eligible(level, ranks)
        return float(self._score[edges].max()) if len(edges) else -np.inf

    def _round(self, level: float, ranks: tuple[int, int]) -> bool:
        edges = self._eligible(level, ranks)
        if not len(edges):
            return False
        edges = edges[np.lexsort((self._hi[edges], self._lo[edges], -self._score[edges]))]
        lo, hi = self._lo[edges], self._hi[edges]
        rank = np.arange(len(edges))
        best = np.full(self._count, len(edges))
        np.minimum.at(best, lo, rank)
        np.minimum.at(best, hi, rank)
        is_mutual = (best[lo] == rank) & (best[hi] == rank)
        # All merge at once: a pair whose sides are each other's best, and every group whose best is one of the two.
        center = np.full(self._count, -1, dtype=np.int64)
        center[lo[is_mutual]] = center[hi[is_mutual]] = lo[is_mutual]
        by_hi, by_lo = (best[hi] == rank) & (center[lo] >= 0), (best[lo] == rank) & (center[hi] >= 0)
        is_merge = is_mutual | by_hi | by_lo
        survivors = np.where(is_mutual | by_hi, center[lo], center[hi])[is_merge]
        merged = np.where(is_mutual | by_hi, hi, lo)[is_merge]
        self._merge(*self._allowed(survivors, merged))
        return True

    def _allowed(self, survivors: Ints, merged: Ints) -> tuple[Ints, Ints]:
        """The merges of one round, best first, without those that break a constraint in combination."""
        rank = np.full(self._count, -1, dtype=np.int64)
        rank[merged] = np.arange(len(merged))
        target = np.arange(self._count, dtype=np.int64)
        target[merged] = survivors
        is_allowed = np.ones(len(merged), dtype=bool)
        if len(self._cannot_link):
            pairs = _pairs_of_numbers(self._cannot_link, self._count)
            clash = target[pairs[:, 0]] == target[pairs[:, 1]]
            is_allowed[np.maximum(rank[pairs[clash, 0]], rank[pairs[clash, 1]])] = False
        separated = np.flatnonzero(self._separation[merged] >= 0)
        if len(separated):
            separation = self._separation.copy()
            for index in separated.tolist():
                group = survivors[index]
                if separation[group] < 0:
                    separation[group] = separation[merged[index]]
                elif separation[group] != separation[merged[index]]:
                    is_allowed[index] = False
        if self._demographics is not None:
            # A single merge into a group was checked when it was scored. Of several, each must fit those before it.
            is_one_of_many = is_allowed & (np.bincount(survivors[is_allowed], minlength=self._count)[survivors] > 1)
            grown = self._demographics.copied()
            checked = np.flatnonzero(is_one_of_many & self._demographics.has_evidence(merged))
            for wave in _waves(checked, survivors[checked]):
                conflict = grown.conflict(survivors[wave], merged[wave])
                is_allowed[wave[conflict]] = False
                grown.add(survivors[wave[~conflict]], merged[wave[~conflict]])
        return survivors[is_allowed], merged[is_allowed]

    def _merge(self, survivors: Ints, merged: Ints) -> None:
        self._similarity.merge(survivors, merged)
        np.maximum.at(self._separation, survivors, self._separation[merged])
        np.maximum.at(self._rank, survivors, self._rank[merged])
        if self._demographics is not None:
            self._demographics.add(survivors, merged)
        self._has_many[survivors] = True
        target = np.arange(self._count, dtype=np.int64)
        target[merged] = survivors
        is_changed = np.zeros(self._count, dtype=bool)
        is_changed[survivors] = is_changed[merged] = True
        self._group = target[self._group]
        self._cannot_link = _pair_numbers(target[_pairs_of_numbers(self._cannot_link, self._count)], self._count)
        self._redirect_edges(target, is_changed[self._lo] | is_changed[self._hi])

    def _redirect_edges(self, target: Ints | Numbers, is_changed: Flags) -> None:
        """Point the changed edges at their new groups, add up those of one pair, and score them again."""
        target = target.astype(np.int32)
        number = _numbers_of(target[self._lo[is_changed]], target[self._hi[is_changed]], self._count)
        is_outer = number >= 0
        if len(self._evidence):
            number, fold = np.unique(number[is_outer], return_inverse=True)
            rows = [np.bincount(fold, row[is_changed][is_outer], len(number)) for row in self._evidence]
            evidence = np.asarray(rows, dtype=np.float64)
        else:
            number = number[is_outer]
            number.sort()  # sorting takes less time and memory than the hash table of np.unique
            number = number[np.diff(number, prepend=-1) > 0]
            evidence = np.zeros((0, len(number)))
        lo, hi = (number // self._count).astype(np.int32), (number % self._count).astype(np.int32)
        rest = ~is_changed
        scores = self._scores(lo, hi, evidence)
        self._lo, self._hi = _replaced(self._lo, rest, lo), _replaced(self._hi, rest, hi)
        self._score = _replaced(self._score, rest, scores)
        self._evidence = np.concatenate((self._evidence[:, rest], evidence), axis=1)

    def _scores(self, lo: Numbers, hi: Numbers, evidence: Floats) -> Floats:
        """Scores of edges: minus infinity where a merge is forbidden."""
        scores = np.empty(len(lo))
        for start in range(0, len(lo), _PART):
            part = slice(start, start + _PART)
            scores[part] = self._scores_of_part(lo[part].astype(np.int64), hi[part].astype(np.int64), evidence[:, part])
        return scores

    def _scores_of_part(self, lo: Ints, hi: Ints, evidence: Floats) -> Floats:
        scores = np.round(self._similarity.scores(lo, hi, evidence), 9)
        scores[self._has_many[lo] & self._has_many[hi]] -= self._merge_margin
        separation_lo, separation_hi = self._separation[lo], self._separation[hi]
        is_forbidden = (separation_lo >= 0) & (separation_hi >= 0) & (separation_lo != separation_hi)
        if len(self._cannot_link):
            number = lo * self._count + hi
            index = np.minimum(np.searchsorted(self._cannot_link, number), len(self._cannot_link) - 1)
            is_forbidden |= self._cannot_link[index] == number
        if self._demographics is not None:
            is_forbidden |= self._demographics.conflict(lo, hi)
        scores[is_forbidden] = -np.inf
        return scores


def _replaced(column: NDArray[_Number], is_kept: Flags, added: NDArray[_Number]) -> NDArray[_Number]:
    """The kept values and then the added ones, without a second copy of them all in between."""
    replaced = np.empty(int(is_kept.sum()) + len(added), added.dtype)
    end = 0
    for start in range(0, len(column), _PART):
        part = slice(start, start + _PART)
        kept = column[part][is_kept[part]]
        replaced[end : end + len(kept)] = kept
        end += len(kept)
    replaced[end:] = added
    return replaced


def _waves(indexes: Ints, survivors: Ints) -> list[Ints]:
    """Split indexes of merges, best first: the first merge into each survivor, then the second into each, and so on."""
    if not len(indexes):
        return []
    order = np.argsort(survivors, kind="stable")
    starts = np.flatnonzero(np.diff(survivors[order], prepend=-1))
    number = np.empty_like(order)
    number[order] = np.arange(len(order)) - np.repeat(starts, np.diff(starts, append=len(order)))
    by_number = np.argsort(number, kind="stable")
    return np.split(indexes[by_number], np.flatnonzero(np.diff(number[by_number])) + 1)


def _ranks(count: int, constraints: Constraints) -> NDArray[np.int8]:
    rank = np.full(count, _SEED, dtype=np.int8)
    if constraints.doubtful_faces is not None:
        rank[constraints.doubtful_faces] = _DOUBTFUL
    if constraints.seed_faces is not None:
        rank[~constraints.seed_faces] = _POOR
    return rank


def components(count: int, pairs: Ints) -> Ints:
    """The lowest number that each of ``count`` nodes reaches through ``pairs``, an array of shape (k, 2)."""
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


def _pairs(pairs: Ints | None) -> Ints:
    return np.zeros((0, 2), dtype=np.int64) if pairs is None else pairs.astype(np.int64).reshape(-1, 2)


def _pair_numbers(pairs: Ints, count: int) -> Ints:
    """Pairs of groups as sorted, unique numbers. A pair within one group is left out."""
    lo, hi = pairs.min(axis=1, initial=count), pairs.max(axis=1, initial=-1)
    is_outer = lo != hi
    return np.unique(lo[is_outer] * count + hi[is_outer])


def _numbers_of(first: Numbers, second: Numbers, count: int) -> Ints:
    """One number for each pair of groups, in either order; -1 for a pair within one group."""
    number = np.minimum(first, second).astype(np.int64)
    number *= count
    number += np.maximum(first, second)
    number[first == second] = -1
    return number


def _pairs_of_numbers(numbers: Ints, count: int) -> Ints:
    return np.stack((numbers // count, numbers % count), axis=1)

"""The similarity graph: edges between faces, and which absent edges are evidence."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from catalog.domain.log_odds import CLIP
from catalog.identities.clustering.arrays import Flags, Floats, Ints, Numbers

_MAX_EPOCHS = 64
"""Epochs that are distinguished. Older ones share one number, and unobserved pairs among them count as dissimilar."""

_MIN_RAISE = 0.02
"""A smaller raise of the linkage changes almost nothing, and a second clustering takes as long as the first."""


def similarity_log_odds(similarity: NDArray[np.float64]) -> Floats:
    """Log-odds of similarities, 0 to 100; the array form of :mod:`catalog.domain.log_odds`."""
    share = np.clip(similarity / 100.0, CLIP, 1.0 - CLIP)
    return np.asarray(np.log(share / (1.0 - share)), dtype=np.float64)


def log_odds_similarity(log_odds: NDArray[np.floating]) -> Floats:
    """The inverse of :func:`similarity_log_odds`: similarities, 0 to 100."""
    return np.asarray(100.0 / (1.0 + np.exp(-log_odds)), dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """Pairs of faces by index with their similarity, in any order.

    Each pair occurs once, with ``first`` below ``second``.
    """

    first: Numbers
    second: Numbers
    similarity: NDArray[np.floating]

    def __len__(self) -> int:
        return len(self.first)

    @classmethod
    def of_arrays(cls, a: Numbers, b: Numbers, similarity: NDArray[np.floating]) -> Edges:
        """Edges in any order and direction. Of a pair that occurs twice the highest similarity is kept."""
        first, second = (a, b) if (a < b).all() else (np.minimum(a, b), np.maximum(a, b))
        step = np.diff(first)
        if ((step > 0) | ((step == 0) & (np.diff(second) > 0))).all() and (first != second).all():
            return cls(first, second, similarity)  # in order already, as a neighbor graph is: sorting takes longer
        order = np.lexsort((-similarity, second, first))
        first, second, similarity = first[order], second[order], similarity[order]
        is_kept = np.ones(len(first), dtype=bool)
        is_kept[1:] = (first[1:] != first[:-1]) | (second[1:] != second[:-1])
        is_kept &= first != second
        return cls(first[is_kept], second[is_kept], similarity[is_kept])


@dataclass(frozen=True, slots=True)
class Linkage:
    """When two groups merge; :mod:`.average_linkage` has the formula. All values are on the similarities' scale."""

    threshold: float
    pair_penalty: float
    merge_margin: float = 0.0
    """Added to the threshold between groups of two or more faces. Applied after the first run, because a wrong merge is
    never split by machine. With few faces, siblings look like one person."""
    unobserved_margin: float = 0.0
    """Merge margin times the share of unobserved pairs, for the first run only. The searched faces are the better ones,
    and the better faces of siblings are more similar."""
    stranger_similarity: float = 1.0
    """Mean similarity of different people for which the other values hold; 1: they hold for any."""

    def among(self, stranger_similarity: float) -> Linkage:
        """The linkage for people who are this similar on average: itself, unless that is clearly more than usual.

        A similarity s becomes (s - c) / (1 - c), where c is the excess over the usual strangers. Centering the vectors
        would do the same.
        """
        excess = (stranger_similarity - self.stranger_similarity) / max(1.0 - self.stranger_similarity, 1e-9)
        if excess < _MIN_RAISE:
            return self
        return replace(
            self,
            threshold=excess + self.threshold * (1.0 - excess),
            pair_penalty=self.pair_penalty * (1.0 - excess),
            merge_margin=self.merge_margin * (1.0 - excess),
            unobserved_margin=self.unobserved_margin * (1.0 - excess),
            stranger_similarity=stranger_similarity,
        )


@dataclass(frozen=True, slots=True, eq=False)
class SearchCoverage:
    """Which neighbor lists were asked for, and when. It decides which absent edges are evidence.

    A list covers faces of its own epoch and earlier ones. Of two faces of one epoch either list observes the pair; of
    two epochs only the later face's list does.
    """

    complete: Flags
    """The neighbor list was asked for and did not reach its limit."""
    epoch: Ints
    """Number of the scan that enrolled the face."""

    def unobserved(self, first: Ints | Numbers, second: Ints | Numbers) -> Flags:
        """Pairs that no list covers: their absence means nothing."""
        epoch = renumber_epochs(self.epoch)
        a, b = epoch[first], epoch[second]
        later_is_incomplete = np.where(a < b, ~self.complete[second], ~self.complete[first])
        return np.where(a == b, ~self.complete[first] & ~self.complete[second], later_is_incomplete)


def renumber_epochs(epoch: Ints) -> Ints:
    """Epochs numbered from 0. Beyond :data:`_MAX_EPOCHS` the oldest share number 0."""
    epochs, number = np.unique(epoch, return_inverse=True)
    return np.maximum(number - max(0, len(epochs) - _MAX_EPOCHS), 0)

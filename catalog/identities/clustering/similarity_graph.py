"""What clustering is told: similarities between faces, what an absent one means, and what may not be."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from catalog.identities.clustering.demographics import Demographics

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_EPOCHS = 64
"""Nights told apart; the oldest beyond these count as one, so that pairs among them that nobody looked at may
count as unlike."""


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


_LEAST_COMMON = 0.02
"""Less in common changes next to nothing, and clustering again takes as long as clustering."""


@dataclass(frozen=True, slots=True)
class Linkage:
    """When two groups are one: see the formula of ``cluster.py``. All on the scale of the similarities."""

    threshold: float
    price: float
    merge_margin: float = 0.0
    """What two groups of two faces or more must have beyond the threshold. For nightly runs, in which nobody can be
    parted again: with few faces known, brothers look like one person who was photographed twice."""
    doubt: float = 0.0
    """The same, times the share of the pairs between the two that nobody looked at. For the first run, which is spared
    the caution: the faces that were searched are the better ones, and brothers' better faces are more alike."""
    strangers: float = 1.0
    """How alike two strangers are on the average where the other numbers hold; 1: they hold everywhere."""

    def among(self, strangers: float) -> Linkage:
        """The linkage where strangers are so alike on the average: itself, unless they are clearly more so than usual.

        What everybody has in common says nothing about who is who. It is taken out of a similarity s as it would be by
        centering the vectors: (s - strangers) / (1 - strangers), on the scale on which the usual strangers are where
        they were.
        """
        common = (strangers - self.strangers) / max(1.0 - self.strangers, 1e-9)
        if common < _LEAST_COMMON:
            return self
        return replace(
            self,
            threshold=common + self.threshold * (1.0 - common),
            price=self.price * (1.0 - common),
            merge_margin=self.merge_margin * (1.0 - common),
            doubt=self.doubt * (1.0 - common),
            strangers=strangers,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Constraints:
    """What clustering may not decide for itself.

    ``must`` and ``cannot`` are arrays of shape (k, 2). ``camps`` numbers faces of persons that humans hold apart: two
    faces of different camps never meet; -1 is no camp. ``founders`` flags faces good enough to start a group; the
    others join one at most. Two groups whose faces are at odds in ``apparent`` never meet. A must-link wins over all of
    these, as only humans give must-links.
    """

    must_link: Ints | None = None
    cannot_link: Ints | None = None
    separation_groups: Ints | None = None
    founders: Flags | None = None
    apparent: Demographics | None = None


@dataclass(frozen=True, slots=True, eq=False)
class SearchCoverage:
    """Whose lists of neighbors were asked for, and when: what makes an absent edge evidence.

    ``complete`` flags faces whose list was asked for and did not hit its limit; ``epoch`` numbers the nights in which
    faces were enrolled. A list shows the faces that were enrolled by then, in its own night or before. So of two faces
    of one night either list will do; of two nights it takes the later face's.
    """

    complete: Flags
    epoch: Ints

    def unseen(self, first: Ints, second: Ints) -> Flags:
        """Whether nobody looked at these pairs, so that their absence would mean nothing."""
        epoch = number_nights(self.epoch)
        a, b = epoch[first], epoch[second]
        only_later = np.where(a < b, ~self.complete[second], ~self.complete[first])
        return np.where(a == b, ~self.complete[first] & ~self.complete[second], only_later)


def number_nights(epoch: Ints) -> Ints:
    """Nights renumbered from 0; beyond :data:`_EPOCHS` the oldest share one number."""
    nights, number = np.unique(epoch, return_inverse=True)
    return np.maximum(number - max(0, len(nights) - _EPOCHS), 0)

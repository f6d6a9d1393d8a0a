"""Two faces on one photo: two people, copies of one face, or doubtful.

A person is on a photo once, except for copies: prints on a contact sheet, a collage, a mirror, an identity card with
two prints. Copies are more similar than two photos of one person taken at different moments. Identical twins, who are
at most as similar as one person is to itself, are therefore no copies.

Two faces that are as similar as one person, and no copies, are doubtful: relatives, or several shots of one person on a
sheet. They never share a person by machine. They are clustered after all other faces, so that a sheet does not separate
photos outside it, and they are suggested to the user.

Measured by ``tests/benchmarks/copies.py`` on LFW, cosine of vectors of length 1. Of 282 pairs of photos of one person
the most similar has 0.905; of 8,385 pairs of different people the most similar has 0.385. Mirror images have 0.926 and
more in 99 % of 90 portraits, prints of half the size 0.961 and more. A print with a face of 30 pixels, or blurred, may
have less, and is doubtful.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from catalog.identities.clustering.agglomerative import components
from catalog.identities.clustering.arrays import Flags, Ints

COPY_COSINE = 0.93
"""Lowest cosine of copies. No pair of photos of one person reaches it."""
DOUBTFUL_COSINE = 0.55
"""Lowest cosine of doubtful faces. No pair of different people of LFW reaches it; relatives are not measured."""
COPY_SIMILARITY = 99.9999
"""Lowest similarity, 0-100, of copies for an engine that lends no vectors. The local engine's scale reaches it at a
cosine of about 0.78. Amazon's similarity of two prints is not measured; a lower one is doubtful."""


@dataclass(frozen=True, slots=True, eq=False)
class SamePhotoPairs:
    """All pairs of faces that share a photo, by index, with their kind. A pair without a flag is two people."""

    pairs: Ints
    """Of shape (k, 2)."""
    is_copy: Flags
    is_doubtful: Flags

    @classmethod
    def of(cls, count: int, pairs: Ints, is_copy: Flags, is_doubtful: Flags) -> SamePhotoPairs:
        """Complete the copies among ``count`` faces: a copy of a copy is a copy."""
        label = components(count, pairs[is_copy])
        is_copy = label[pairs[:, 0]] == label[pairs[:, 1]] if len(pairs) else is_copy
        return cls(pairs, is_copy, is_doubtful & ~is_copy)

    @classmethod
    def all_different(cls, pairs: Ints) -> SamePhotoPairs:
        none = np.zeros(len(pairs), dtype=bool)
        return cls(pairs, none, none)

    @property
    def cannot_link(self) -> Ints:
        return self.pairs[~self.is_copy]

    def doubtful_faces(self, count: int) -> Flags:
        """Flags of the faces that have a doubtful face beside them."""
        flags = np.zeros(count, dtype=bool)
        flags[self.pairs[self.is_doubtful].ravel()] = True
        return flags

    def copies_of_rows(self, row_ids: Ints) -> frozenset[tuple[int, int]]:
        """Row ids of all pairs of copies, in both orders; ``row_ids`` are those of the faces."""
        rows_a, rows_b = row_ids[self.pairs[self.is_copy]].T.tolist() if self.is_copy.any() else ([], [])
        return frozenset(zip(rows_a, rows_b, strict=True)) | frozenset(zip(rows_b, rows_a, strict=True))

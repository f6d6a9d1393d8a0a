"""Constraints of clustering: pairs and groups of faces that must be, or cannot be, one person."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from catalog.identities.clustering.arrays import Flags, Ints, Numbers
from catalog.identities.clustering.demographics import Demographics


@dataclass(frozen=True, slots=True, eq=False)
class Constraints:
    """Faces are given by index. A must-link overrides all others, because only users decide must-links."""

    must_link: Ints | None = None
    """Pairs of indexes, of shape (k, 2)."""
    cannot_link: Ints | None = None
    """Pairs of indexes, of shape (k, 2)."""
    separation_groups: Ints | None = None
    """Group number of each face, -1 for none. Faces of two groups never share a person."""
    seed_faces: Flags | None = None
    """Faces that may start a cluster. Any other face joins at most one. None: all faces may."""
    doubtful_faces: Flags | None = None
    """Seed faces that are clustered after all other seed faces; see :mod:`.same_photo`."""
    demographics: Demographics | None = None
    """Groups that conflict here are never merged."""

    def of_nodes(self, node: Ints | Numbers, count: int) -> Constraints:
        """The constraints between ``count`` nodes; ``node`` is the node of each face.

        Must-links are dropped: the faces that they connect are one node already.
        """
        separation_groups = np.full(count, -1, dtype=np.int64)
        seed_faces = np.ones(count, dtype=bool)
        doubtful_faces = None
        if self.separation_groups is not None:
            np.maximum.at(separation_groups, node, self.separation_groups)
        if self.seed_faces is not None:
            seed_faces[:] = False
            np.logical_or.at(seed_faces, node, self.seed_faces)
        if self.doubtful_faces is not None:
            is_clear = ~self.doubtful_faces if self.seed_faces is None else self.seed_faces & ~self.doubtful_faces
            doubtful_faces = np.ones(count, dtype=bool)
            doubtful_faces[node[is_clear]] = False
        return Constraints(
            cannot_link=None if self.cannot_link is None else node[self.cannot_link].astype(np.int64),
            separation_groups=separation_groups,
            seed_faces=seed_faces,
            doubtful_faces=doubtful_faces,
            demographics=None if self.demographics is None else self.demographics.grouped(node, count),
        )

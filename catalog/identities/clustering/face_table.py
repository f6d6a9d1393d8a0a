"""The face table: arrays that describe all faces of one gallery."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from catalog.identities.clustering.arrays import Flags, Floats, Ints
from catalog.identities.clustering.demographics import Demographics
from catalog.identities.clustering.similarity_graph import SearchCoverage


@dataclass(frozen=True, slots=True)
class SeedFaceThresholds:
    """Lowest values of a face that may start a cluster. Other faces may only join one."""

    confidence: float
    """0-100."""
    side: float
    """Geometric mean of the box's sides, in pixels of the original photo."""
    sharpness: float
    """0-100; passed where it was not measured."""
    yaw: float
    """Largest turn to the side, degrees; passed where it was not measured."""


@dataclass(frozen=True, slots=True, eq=False)
class FaceTable:
    """Faces in order of content hash and box, so that results do not depend on the order of enrollment."""

    row_ids: Ints
    face_ids: Sequence[str]
    photo: Ints
    """Row id of the photo."""
    person: Ints
    """Row id of the person, -1 for none."""
    is_human: Flags
    """A user decided the assignment."""
    is_named: Flags
    is_seed: Flags
    """Good enough to start a cluster."""
    is_complete: Flags
    """The neighbor list was asked for and is complete."""
    is_searched: Flags
    """The neighbor list was asked for."""
    epoch: Ints
    """Number of the scan that enrolled the face, 0 if unknown."""
    quality: Floats
    """Larger is better; for comparison only."""
    taken_at: Sequence[str]
    """Local day of the photo, or its month or year if no more is known; empty if unknown."""
    last_day: Sequence[str]
    """Last day on which the photo may have been taken; empty if unknown."""
    demographics: Demographics

    def __len__(self) -> int:
        return len(self.row_ids)

    def coverage(self) -> SearchCoverage:
        return SearchCoverage(self.is_complete, self.epoch)

    def select(self, is_selected: Flags) -> FaceTable:
        """The table of the flagged faces, in the same order."""
        indexes = np.flatnonzero(is_selected)
        return FaceTable(
            row_ids=self.row_ids[indexes],
            face_ids=[self.face_ids[index] for index in indexes.tolist()],
            photo=self.photo[indexes],
            person=self.person[indexes],
            is_human=self.is_human[indexes],
            is_named=self.is_named[indexes],
            is_seed=self.is_seed[indexes],
            is_complete=self.is_complete[indexes],
            is_searched=self.is_searched[indexes],
            epoch=self.epoch[indexes],
            quality=self.quality[indexes],
            taken_at=[self.taken_at[index] for index in indexes.tolist()],
            last_day=[self.last_day[index] for index in indexes.tolist()],
            demographics=self.demographics.select(indexes),
        )

    def indexes_of_rows(self, row_ids: Sequence[int] | Ints) -> Ints:
        """Indexes of faces by row id, -1 for faces that are not in the table."""
        if not len(self.row_ids) or not len(row_ids):
            return np.full(len(row_ids), -1, dtype=np.int64)
        order = np.argsort(self.row_ids)
        wanted = np.asarray(row_ids, dtype=np.int64)
        index = np.minimum(np.searchsorted(self.row_ids, wanted, sorter=order), len(order) - 1)
        return np.where(self.row_ids[order[index]] == wanted, order[index], -1)

    def owners(self) -> tuple[Ints, Ints]:
        """One node per person, and one per face without a person.

        Returns the node of each face, and the first face of each node.
        """
        owner = np.where(self.person >= 0, self.person, -1 - np.arange(len(self)))
        _, first, node = np.unique(owner, return_index=True, return_inverse=True)
        return node, first


def same_photo_pairs(photo: Ints) -> Ints:
    """Every pair of indexes whose faces share a photo, as an array of shape (k, 2)."""
    order = np.argsort(photo, kind="stable")
    pairs = []
    step = 1
    while True:
        is_shared = photo[order[:-step]] == photo[order[step:]] if step < len(order) else np.zeros(0, dtype=bool)
        if not is_shared.any():
            break
        pairs.append(np.stack((order[:-step][is_shared], order[step:][is_shared]), axis=1))
        step += 1
    return np.concatenate(pairs) if pairs else np.zeros((0, 2), dtype=np.int64)

"""The gallery of the fake engine, with its group means and user vectors: arithmetic on colors."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from catalog.domain.charges import Charge, Operation
from catalog.domain.engine import NeighborEdges
from catalog.domain.faces import BoundingBox, EnrolledFace, Face
from catalog.domain.opened_photo import OpenedPhoto
from catalog.domain.user_vectors import UserChanges, UserMatch, UserSearch, UserVectorRules


def color_similarity(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """0 to 100, by the distance of two RGB colors."""
    return 100.0 * math.exp(-((float(np.linalg.norm(a - b)) / 60.0) ** 2))


@dataclass
class FakeGallery:
    """Enrolled faces: face id to (face, color), and sha256 to its face ids. Outlives engines."""

    faces: dict[str, tuple[EnrolledFace, NDArray[np.float64]]] = field(default_factory=dict)
    photos: dict[str, list[str]] = field(default_factory=dict)
    users: dict[str, tuple[str, ...]] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)


class FakeGroupMeans:
    """Implements ``GroupMeans``. The dot product of two rows is exp(-(d / 60)^2), as the similarity of two colors.

    Each channel is a row of Gaussian bumps, 30 apart. The dot product of two such rows is a Gaussian of the distance.
    """

    def __init__(self, gallery: FakeGallery) -> None:
        self._gallery = gallery

    def group_vectors(self, face_ids: Sequence[str]) -> NDArray[np.float32]:
        with self._gallery.lock:
            colors = np.array([self._gallery.faces[face_id][1] for face_id in face_ids]).reshape(-1, 3)
        bumps = np.exp(-((colors[:, :, None] - np.arange(-60.0, 316.0, 30.0)) ** 2) / 1800.0)
        bumps /= np.linalg.norm(bumps, axis=2, keepdims=True)
        rows = np.einsum("ni,nj,nk->nijk", bumps[:, 0], bumps[:, 1], bumps[:, 2]).reshape(len(colors), -1)
        return (rows * (1.0 - 1e-6)).astype(np.float32)

    def neighbor_edges(self, face_ids: Sequence[str], *, per_face: int, floor: float) -> NeighborEdges:
        rows = self.group_vectors(face_ids)
        values = rows @ rows.T
        np.fill_diagonal(values, -np.inf)
        nearest = np.argsort(-values, axis=1)[:, :per_face]
        pairs = sorted(
            {(min(i, int(j)), max(i, int(j))) for i in range(len(rows)) for j in nearest[i] if values[i, j] >= floor}
        )
        first, second = np.array(pairs, np.int64).reshape(-1, 2).T
        return NeighborEdges(first, second, values[first, second])

    def similarities(self, values: Sequence[float]) -> list[float]:
        return [100.0 * min(max(value, 0.0), 1.0) for value in values]


class FakeUserVectors:
    """Implements ``UserVectors``: the mean color of a person's faces."""

    rules = UserVectorRules(min_faces=2, max_faces=10)

    def __init__(
        self,
        gallery: FakeGallery,
        on_call: Callable[[Operation], tuple[Charge, ...]],
        look: Callable[[OpenedPhoto], Sequence[tuple[Face, NDArray[np.float64]]]],
    ) -> None:
        """``look`` gives the faces of a photo with their colors, the largest first."""
        self._gallery = gallery
        self._on_call = on_call
        self._look = look

    def search_face(self, face_id: str, threshold: float, limit: int = 10) -> UserSearch:
        _, color = self._gallery.faces[face_id]
        return UserSearch(None, self._matches(color, threshold, limit), self._on_call(Operation.SEARCH_USERS))

    def search_image(
        self, photo: OpenedPhoto, threshold: float, limit: int = 10, box: BoundingBox | None = None
    ) -> UserSearch:
        charges = self._on_call(Operation.SEARCH_USERS_BY_IMAGE)
        faces = self._look(photo)
        if not faces:
            return UserSearch(None, (), charges)
        face, color = faces[0] if box is None else max(faces, key=lambda pair: pair[0].box.iou(box))
        return UserSearch(face, self._matches(color, threshold, limit), charges)

    def associated(self) -> dict[str, tuple[str, ...]]:
        with self._gallery.lock:
            return dict(self._gallery.users)

    def match(self, wanted: Mapping[str, Sequence[str]], on_charge: Callable[[Charge], None]) -> UserChanges:
        with self._gallery.lock:
            before, after = self._gallery.users, {person: tuple(faces) for person, faces in wanted.items()}
            self._gallery.users = after
        changed = [person for person, faces in after.items() if before.get(person) != faces]
        for _ in changed:
            for charge in self._on_call(Operation.ASSOCIATE_FACES):
                on_charge(charge)
        added = sum(len(set(after[person]) - set(before.get(person, ()))) for person in changed)
        return UserChanges(len(after.keys() - before.keys()), len(before.keys() - after.keys()), added, 0, ())

    def _matches(self, color: NDArray[np.float64], threshold: float, limit: int) -> tuple[UserMatch, ...]:
        with self._gallery.lock:
            means = {
                person: np.mean([self._gallery.faces[face_id][1] for face_id in faces], axis=0)
                for person, faces in self._gallery.users.items()
            }
        matches = [UserMatch(person, color_similarity(color, mean)) for person, mean in means.items()]
        return tuple(sorted((m for m in matches if m.similarity >= threshold), key=lambda m: -m.similarity)[:limit])

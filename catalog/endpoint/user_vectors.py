"""User vectors: one vector per user, computed from the user's faces and searched like faces.

A user vector is the mean of the face vectors, scaled to their mean length. Differences between single photos cancel
out, so a probe is more similar to the user vector than to single faces. ``tests/benchmarks/user_vectors.py`` measures
the gain.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Engine, func, select

from catalog.endpoint import errors
from catalog.endpoint.collections import Collection, Collections
from catalog.endpoint.local_engine_access import Floats
from catalog.engines.local.tables import gallery_user_faces, gallery_users


def user_vector(faces: Floats) -> Floats:
    """The user vector, float32 (128,), of face vectors (n, 128), n > 0. Its length is their mean length."""
    mean = faces.mean(axis=0)
    length = np.linalg.norm(faces, axis=1).mean()
    vector: Floats = mean * (length / max(float(np.linalg.norm(mean)), 1e-12))
    return vector


@dataclass(frozen=True, slots=True, eq=False)
class UserMatrix:
    """The users that have faces: ``user_ids`` and ``vectors``, float32 (n, 128), row by row."""

    user_ids: list[str]
    vectors: Floats

    def nearest(self, probe: Floats, floor: float, limit: int, without: str | None = None) -> list[tuple[str, float]]:
        """Users with a dot product of at least ``floor``, highest first; ``without`` is left out."""
        cosines = self.vectors @ probe
        order = np.argsort(-cosines, kind="stable")
        matches = [(self.user_ids[i], float(cosines[i])) for i in order.tolist() if cosines[i] >= floor]
        return [pair for pair in matches if pair[0] != without][:limit]


class UserVectorIndex:
    """Caches the matrix of every collection until its users or their faces change."""

    def __init__(self, collections: Collections) -> None:
        self._collections = collections
        self._cache: dict[str, tuple[tuple[object, ...], UserMatrix]] = {}
        self._lock = threading.Lock()

    def of(self, collection: Collection) -> UserMatrix:
        state = _state(self._collections.database, collection)
        with self._lock:
            cached = self._cache.get(collection.gallery_id)
            if cached is None or cached[0] != state:
                cached = (state, self._build(collection))
                self._cache[collection.gallery_id] = cached
            return cached[1]

    def _build(self, collection: Collection) -> UserMatrix:
        table = gallery_user_faces.c
        query = select(table.user_id, table.face_id).where(table.collection_id == collection.gallery_id)
        faces: dict[str, list[str]] = {}
        with self._collections.database.connect() as connection:
            for user_id, face_id in connection.execute(query.order_by(table.user_id, table.face_id)):
                faces.setdefault(user_id, []).append(face_id)
        try:
            vectors = self._collections.gallery(collection).vectors([f for ids in faces.values() for f in ids])
        except KeyError:  # another process deleted a face between the two reads; a repeated request succeeds
            raise errors.internal_error() from None
        means, start = [], 0
        for ids in faces.values():
            means.append(user_vector(vectors[start : start + len(ids)]))
            start += len(ids)
        return UserMatrix(list(faces), np.stack(means) if means else vectors[:0])


def _state(database: Engine, collection: Collection) -> tuple[object, ...]:
    """A value that changes when the users of a collection or their faces change."""
    users = gallery_users.c
    of_users = select(func.count(), func.max(users.changed_at)).where(users.collection_id == collection.gallery_id)
    of_faces = select(func.count()).where(gallery_user_faces.c.collection_id == collection.gallery_id)
    with database.connect() as connection:
        count, changed_at = connection.execute(of_users).one()
        return collection.instance, count, changed_at, connection.scalar(of_faces)

"""One vector for each user, made of the vectors of his or her faces, and searched like faces.

A user's vector is the mean of the vectors, brought back to their length: what is particular to one photo averages out
and what is common to all stays, so that a probe lies nearer to the right user than to any single face of that user.
``tests/benchmarks/user_vectors.py`` shows how much that brings.
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
    """The vector, float32 (128,), of a user with faces of shape (n, 128), n above 0; as long as theirs on average."""
    mean = faces.mean(axis=0)
    length = np.linalg.norm(faces, axis=1).mean()
    vector: Floats = mean * (length / max(float(np.linalg.norm(mean)), 1e-12))
    return vector


@dataclass(frozen=True, slots=True, eq=False)
class UserMatrix:
    """The users that have faces: ``vectors`` float32 (n, 128) and the user of each row."""

    user_ids: list[str]
    vectors: Floats

    def nearest(self, probe: Floats, floor: float, limit: int, without: str | None = None) -> list[tuple[str, float]]:
        """Users with their dot products at or above ``floor``, best first."""
        cosines = self.vectors @ probe
        order = np.argsort(-cosines, kind="stable")
        found = [(self.user_ids[i], float(cosines[i])) for i in order.tolist() if cosines[i] >= floor]
        return [pair for pair in found if pair[0] != without][:limit]


class UserVectorIndex:
    """Keeps the matrix of each collection until its users change."""

    def __init__(self, collections: Collections) -> None:
        self._collections = collections
        self._kept: dict[str, tuple[tuple[object, ...], UserMatrix]] = {}
        self._lock = threading.Lock()

    def of(self, collection: Collection) -> UserMatrix:
        state = _state(self._collections.database, collection)
        with self._lock:
            kept = self._kept.get(collection.collection_id)
            if kept is None or kept[0] != state:
                kept = (state, self._make(collection))
                self._kept[collection.collection_id] = kept
            return kept[1]

    def _make(self, collection: Collection) -> UserMatrix:
        table = gallery_user_faces.c
        query = select(table.user_id, table.face_id).where(table.collection_id == collection.collection_id)
        faces: dict[str, list[str]] = {}
        with self._collections.database.connect() as connection:
            for user_id, face_id in connection.execute(query.order_by(table.user_id, table.face_id)):
                faces.setdefault(user_id, []).append(face_id)
        try:
            vectors = self._collections.gallery(collection).vectors([f for ids in faces.values() for f in ids])
        except KeyError:  # another process took a face out between the two reads: the client may ask again
            raise errors.internal_error() from None
        means, start = [], 0
        for ids in faces.values():
            means.append(user_vector(vectors[start : start + len(ids)]))
            start += len(ids)
        return UserMatrix(list(faces), np.stack(means) if means else vectors[:0])


def _state(database: Engine, collection: Collection) -> tuple[object, ...]:
    """Differs whenever the users of a collection or their faces do."""
    users = gallery_users.c
    of_users = select(func.count(), func.max(users.changed_at)).where(users.collection_id == collection.collection_id)
    of_faces = select(func.count()).where(gallery_user_faces.c.collection_id == collection.collection_id)
    with database.connect() as connection:
        count, changed_at = connection.execute(of_users).one()
        return collection.instance, count, changed_at, connection.scalar(of_faces)

"""A collection's vectors in memory, updated from the database.

Every change of a collection raises its revision. A refresh reads only rows with a later revision than the one in
memory.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import numpy as np
from sqlalchemy import Connection, RowMapping

from catalog.domain.errors import EngineError
from catalog.engines.local.common_component_removal import Floats, remove_common_components
from catalog.engines.local.embed import DIMENSION, unit
from catalog.engines.local.gallery_model import are_comparable
from catalog.engines.local.gallery_statements import ADDITIONS, COLLECTION, REMOVALS
from catalog.engines.local.matrix import FaceMatrix, Rows


class Replica:
    """Vectors of a collection without common components. Safe for several threads."""

    def __init__(self, collection_id: str, model: str) -> None:
        self._collection_id = collection_id
        self._model = model
        self._matrix = FaceMatrix(DIMENSION)
        self._refreshing = threading.Lock()
        self._instance = ""
        self._revision = 0

    @property
    def is_loaded(self) -> bool:
        """True if the vectors are in memory."""
        return self._revision > 0

    def rows(self) -> Rows:
        """Return all vectors as of the last refresh."""
        return self._matrix.rows()

    def release(self) -> None:
        """Free the memory. The next refresh reads all rows again."""
        with self._refreshing:
            self._clear("")

    def refresh(self, connect: Callable[[], AbstractContextManager[Connection]]) -> None:
        """Read the changes committed since the last refresh.

        Concurrent callers wait for one another before they take a connection. Raises :class:`EngineError` if another
        model made the vectors.
        """
        with self._refreshing, connect() as connection:
            collection = connection.execute(COLLECTION, {"collection_id": self._collection_id}).mappings().first()
            if collection is None:
                self._clear("")
                return
            if collection["instance"] != self._instance:
                self._clear(collection["instance"])
            if collection["revision"] == self._revision:
                return
            check_model(collection, self._collection_id, self._model)
            self._read_changes(connection, collection["revision"])
            self._revision = collection["revision"]

    def _clear(self, instance: str) -> None:
        self._matrix.clear()
        self._instance, self._revision = instance, 0

    def _read_changes(self, connection: Connection, revision: int) -> None:
        key = {"collection_id": self._collection_id, "after": self._revision, "until": revision}
        removed = [row.seq for row in connection.execute(REMOVALS, key)] if self._revision else []
        if removed:
            self._matrix.remove(removed)
        for part in connection.execute(ADDITIONS, key).partitions():
            seqs, face_ids, blobs = zip(*part, strict=True)
            self._matrix.append(seqs, face_ids, vectors_of(blobs))


def check_model(collection: RowMapping, collection_id: str, model: str) -> None:
    """Raise :class:`EngineError` if the vectors of a collection cannot be compared with those of ``model``."""
    if not are_comparable(collection["model"], model):
        raise EngineError(
            f'The gallery "{collection_id}" has vectors of the model "{collection["model"]}". '
            f'This program uses "{model}", and vectors of two models cannot be compared.',
            remedy="Set another gallery name (engine.gallery) and scan again to fill the new gallery.",
        )


def vectors_of(blobs: Sequence[bytes]) -> Floats:
    """Return vectors without common components, float32 (n, 128), from the unit vectors stored in the database."""
    halves = np.frombuffer(b"".join(blobs), "<f2").reshape(len(blobs), DIMENSION)
    return remove_common_components(unit(halves.astype(np.float32)))

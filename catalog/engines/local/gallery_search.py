"""Exact search of one collection: in memory, or for a large collection through a file that all processes share."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np
from sqlalchemy import Connection

from catalog.engines.local.common_component_removal import Floats
from catalog.engines.local.embed import DIMENSION
from catalog.engines.local.gallery_statements import FACE_AT_OFFSET, FACES_BY_SEQ, VECTORS_BY_FACE_ID
from catalog.engines.local.mapped_vectors import MappedVectors, SearchFileError
from catalog.engines.local.matrix import Rows
from catalog.engines.local.replica import Replica, vectors_of

log = logging.getLogger(__name__)

Connect = Callable[[], AbstractContextManager[Connection]]
MAPPED_FROM = 200_000
"""Faces from which a collection is searched through a file. Reading as many into memory takes 1 s and 130 MB."""
_FEW = 5000
"""Vectors of so many faces of a large collection are read one by one and not with all others."""
_CHUNK = 500
"""Values in one statement."""
_ATTEMPTS = 3
T = TypeVar("T")


class GallerySearch:
    """Safe for several threads. Every answer includes the committed changes of other processes."""

    def __init__(
        self, connect: Connect, collection_id: str, model: str, *, folder: Path | None, mapped_from: int
    ) -> None:
        self._connect = connect
        self._collection_id = collection_id
        self._replica = Replica(collection_id, model)
        self._mapped = None if folder is None else MappedVectors(folder, collection_id, model)
        self._mapped_from = mapped_from
        self._is_large = False
        self._has_failed = False

    def nearest(self, probe: Floats, floor: float, limit: int) -> list[tuple[str, float]]:
        """Return face ids and dot products at or above ``floor``, highest first, at most ``limit``."""
        mapped = self._usable_file()
        if mapped is not None:
            try:
                return self._nearest_by_file(mapped, probe, floor, limit)
            except SearchFileError as error:
                log.warning("%s The vectors are read into memory.", error)
                self._has_failed = True
        return self.rows().nearest(probe, floor, limit)

    def vectors(self, face_ids: Sequence[str]) -> Floats:
        """Return vectors, float32 (n, 128), in the order of ``face_ids``. Raises ``KeyError`` for an unknown id."""
        if len(face_ids) <= _FEW and self._usable_file() is not None:
            return self._vectors_by_id(face_ids)
        rows = self.rows()
        encoded_ids = np.asarray(face_ids, "S36") if len(face_ids) else np.zeros(0, "S36")
        order = np.argsort(rows.face_ids, kind="stable")
        positions = np.searchsorted(rows.face_ids, encoded_ids, sorter=order)
        for position, face_id in zip(positions.tolist(), face_ids, strict=True):
            if position == len(order) or rows.face_ids[order[position]].decode() != face_id:
                raise KeyError(face_id)
        vectors: Floats = rows.vectors[order[positions]]
        return vectors

    def rows(self) -> Rows:
        """Return all vectors, in memory."""
        self._replica.refresh(self._connect)
        return self._replica.rows()

    def release(self) -> None:
        """Free the memory and the map. The next search reads again."""
        self._replica.release()
        if self._mapped is not None:
            self._mapped.close()

    def drop_removed(self) -> None:
        """Overwrite the vectors of removed faces in the file, if there is one."""
        if self._mapped is not None:
            self._mapped.drop_removed(self._connect)

    # ------------------------------------------------------------------------------------------------ private

    def _usable_file(self) -> MappedVectors | None:
        """Return the file of a large collection, None if the vectors are in memory or will be."""
        if self._mapped is None or self._has_failed or self._replica.is_loaded:
            return None
        if not self._is_large:
            key = {"collection_id": self._collection_id, "offset": self._mapped_from}
            with self._connect() as connection:
                self._is_large = connection.execute(FACE_AT_OFFSET, key).first() is not None
            if not self._is_large:
                self._mapped.delete()
        return self._mapped if self._is_large else None

    def _nearest_by_file(
        self, mapped: MappedVectors, probe: Floats, floor: float, limit: int
    ) -> list[tuple[str, float]]:
        for _ in range(_ATTEMPTS):
            seqs = mapped.candidates(self._connect, probe, floor, limit)
            rows = self._faces_by_seq(seqs.tolist())
            if len(rows) == len(seqs):
                break  # else faces were removed since the scan, and others take their places
        if not rows:
            return []
        numbers, face_ids, blobs = zip(*rows, strict=True)
        dots = np.vecdot(vectors_of(blobs), probe)
        order = np.lexsort((numbers, -dots))
        return [(face_ids[i], float(dots[i])) for i in order[:limit] if dots[i] >= floor]

    def _faces_by_seq(self, seqs: Sequence[int]) -> list[tuple[int, str, bytes]]:
        rows: list[tuple[int, str, bytes]] = []
        with self._connect() as connection:
            for chunk in _chunks(sorted(seqs)):
                rows += [
                    (row.seq, row.face_id, row.vector)
                    for row in connection.execute(FACES_BY_SEQ, {"seqs": chunk})
                    if row.collection_id == self._collection_id
                ]
        return rows

    def _vectors_by_id(self, face_ids: Sequence[str]) -> Floats:
        blobs: dict[str, bytes] = {}
        with self._connect() as connection:
            for chunk in _chunks(dict.fromkeys(face_ids)):
                key = {"collection_id": self._collection_id, "face_ids": chunk}
                blobs |= {row.face_id: row.vector for row in connection.execute(VECTORS_BY_FACE_ID, key)}
        if not face_ids:
            return np.zeros((0, DIMENSION), np.float32)
        return vectors_of([blobs[face_id] for face_id in face_ids])


def _chunks(values: Iterable[T]) -> Iterator[list[T]]:
    iterator = iter(values)
    while chunk := list(islice(iterator, _CHUNK)):
        yield chunk

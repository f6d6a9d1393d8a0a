"""The gallery: enrolled faces in a database that several processes may share, searched exactly in memory.

Every change is one transaction that first raises its collection's revision (see :mod:`.tables`), by which
:mod:`.replica` knows before a search what is new.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import numpy as np
from sqlalchemy import Connection, Engine, RowMapping, Table, delete, insert, select
from sqlalchemy.exc import DBAPIError

from catalog.domain.errors import DatabaseError
from catalog.domain.faces import BoundingBox, EnrolledFace
from catalog.domain.same_face import SAME_ENGINE, match_pairs
from catalog.engines.local.common_component_removal import Floats
from catalog.engines.local.gallery_statements import (
    INSERT_FACES,
    KNOWN_IMAGE,
    RAISE_REVISION,
    VECTOR,
    insert_unless_taken,
)
from catalog.engines.local.matrix import Rows
from catalog.engines.local.replica import Replica, check_model, vectors_of
from catalog.engines.local.tables import gallery_collections, gallery_faces, gallery_images, gallery_removals

_CHUNK = 500
"""Ids in one statement: SQLite takes 32,766 parameters, PostgreSQL 65,535."""
_IMAGE_NAMESPACE = uuid.UUID("5e0f8d5b-6c0f-4f0e-9d0a-2d6f0a7b1c3e")


@dataclass(frozen=True, slots=True, eq=False)
class NewFace:
    """A face about to be enrolled; ``vector`` is float32 (128,), of length 1, as the network gave it."""

    box: BoundingBox
    confidence: float
    vector: Floats


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def image_id_of(sha256: str) -> str:
    """The id of an image: a UUID that depends on its content only."""
    return str(uuid.uuid5(_IMAGE_NAMESPACE, sha256))


class LocalGallery:
    """One collection of faces. May be used from several threads; other processes' changes are seen by each search.

    ``enrolling`` is the same database for those who want enrolments written otherwise than all else.
    """

    def __init__(self, database: Engine, collection_id: str, model: str, *, enrolling: Engine | None = None) -> None:
        self._database = database
        self._enrolling = database if enrolling is None else enrolling
        self._collection_id = collection_id
        self._model = model
        self._replica = Replica(collection_id, model)

    # ------------------------------------------------------------------------------------------------ changes

    def enroll(self, sha256: str, faces: Sequence[NewFace], external_image_id: str = "") -> list[str]:
        """Face ids of an image's faces, in their order, after storing those that were not there, in one transaction.

        A face of the same image (and external id) that overlaps one already stored is that one: its id is given again.
        """
        key = {
            "collection_id": self._collection_id,
            "sha256": sha256,
            "external_image_id": external_image_id,
        }
        with self._connection() as connection:
            known = self._known_image(connection, key)
            if known is not None:
                ids = _pair_up(faces, known)
                if all(ids):
                    return [face_id for face_id in ids if face_id]
        with self._transaction(self._enrolling) as connection:
            revision = self._raise_revision(connection)
            image_id, created = image_id_of(sha256), now()
            image = {**key, "image_id": image_id, "created_at": created}
            known = [] if self._insert_new(connection, gallery_images, image) else self._known_image(connection, key)
            ids = _pair_up(faces, known or [])
            rows = []
            for place, face in enumerate(faces):
                if ids[place] is not None:
                    continue
                ids[place] = str(uuid.uuid4())
                rows.append(
                    {
                        **key,
                        "face_id": ids[place],
                        "image_id": image_id,
                        "box_left": face.box.left,
                        "box_top": face.box.top,
                        "box_width": face.box.width,
                        "box_height": face.box.height,
                        "confidence": face.confidence,
                        "vector": face.vector.astype("<f2").tobytes(),
                        "revision": revision,
                        "created_at": created,
                    }
                )
            if rows:
                connection.execute(INSERT_FACES, rows)
        return [face_id for face_id in ids if face_id]

    def remove(self, face_ids: Iterable[str]) -> set[str]:
        """Take faces out; the ids that were there."""
        wanted = list(dict.fromkeys(face_ids))
        if not wanted:
            return set()
        removed: set[str] = set()
        with self._transaction() as connection:
            revision = self._raise_revision(connection)
            for part in _parts(wanted):
                here = (gallery_faces.c.collection_id == self._collection_id) & gallery_faces.c.face_id.in_(part)
                rows = connection.execute(select(gallery_faces.c.seq, gallery_faces.c.face_id).where(here)).all()
                if not rows:
                    continue
                connection.execute(
                    insert(gallery_removals),
                    [{"collection_id": self._collection_id, "revision": revision, "seq": row.seq} for row in rows],
                )
                connection.execute(delete(gallery_faces).where(here))
                removed.update(row.face_id for row in rows)
        return removed

    # ------------------------------------------------------------------------------------------------ questions

    def faces(self) -> Iterator[EnrolledFace]:
        """Every face, oldest first, read in pages: what is enrolled meanwhile may or may not be among them."""
        last = 0
        while True:
            query = (
                select(gallery_faces)
                .where(gallery_faces.c.collection_id == self._collection_id, gallery_faces.c.seq > last)
                .order_by(gallery_faces.c.seq)
                .limit(5000)
            )
            with self._connection() as connection:
                page = connection.execute(query).mappings().all()
            if not page:
                return
            for row in page:
                yield EnrolledFace(row["face_id"], row["sha256"], box_of(row), row["confidence"])
            last = page[-1]["seq"]

    def vector(self, face_id: str) -> Floats:
        """What sets one face apart, to compare with; ``KeyError`` when the gallery does not hold it."""
        with self._connection() as connection:
            blob = connection.execute(
                VECTOR, {"collection_id": self._collection_id, "face_id": face_id}
            ).scalar_one_or_none()
        if blob is None:
            raise KeyError(face_id)
        vector: Floats = vectors_of([blob])[0]
        return vector

    def vectors(self, face_ids: Sequence[str]) -> Floats:
        """What sets faces apart, float32 (n, 128), in their order; ``KeyError`` when one is not held."""
        rows = self.rows()
        wanted = np.asarray(face_ids, "S36") if len(face_ids) else np.zeros(0, "S36")
        order = np.argsort(rows.face_ids, kind="stable")
        places = np.searchsorted(rows.face_ids, wanted, sorter=order)
        for place, face_id in zip(places.tolist(), face_ids, strict=True):
            if place == len(order) or rows.face_ids[order[place]].decode() != face_id:
                raise KeyError(face_id)
        vectors: Floats = rows.vectors[order[places]]
        return vectors

    def forget_rows(self) -> None:
        """Give back the memory of the vectors; the next search reads them again."""
        self._replica.forget()

    def nearest(self, probe: Floats, floor: float, limit: int, without: str | None = None) -> list[tuple[str, float]]:
        """Face ids and dot products at or above ``floor``, best first, at most ``limit``; ``without`` is left out.

        ``probe`` is what ``remove_common_components`` made of a vector.
        """
        found = self.rows().nearest(probe, floor, limit + (without is not None))
        return [pair for pair in found if pair[0] != without][:limit]

    def rows(self) -> Rows:
        """What sets all faces apart as of now, other processes' committed changes included."""
        self._replica.refresh(self._connection)
        return self._replica.rows()

    # ------------------------------------------------------------------------------------------------ inside

    def _known_image(self, connection: Connection, key: dict[str, str]) -> list[RowMapping] | None:
        """The stored faces of an image, or None when it was never enrolled."""
        rows = connection.execute(KNOWN_IMAGE, key).mappings().all()
        return [row for row in rows if row["seq"] is not None] if rows else None

    def _raise_revision(self, connection: Connection) -> int:
        which = {"which": self._collection_id}
        row = connection.execute(RAISE_REVISION, which).mappings().first()
        if row is None:
            fresh = {
                "collection_id": self._collection_id,
                "model": self._model,
                "instance": str(uuid.uuid4()),
                "revision": 0,
                "created_at": now(),
            }
            self._insert_new(connection, gallery_collections, fresh)
            row = connection.execute(RAISE_REVISION, which).mappings().one()
        check_model(row, self._collection_id, self._model)
        return int(row["revision"])

    def _insert_new(self, connection: Connection, table: Table, values: dict[str, Any]) -> bool:
        """Insert a row unless its key is taken, and say whether it was new.

        Waits for another transaction that is inserting the same.
        """
        return connection.execute(insert_unless_taken(table, connection.dialect.name), values).rowcount == 1

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        with _told(), self._database.connect() as connection:
            yield connection

    @contextmanager
    def _transaction(self, database: Engine | None = None) -> Iterator[Connection]:
        with _told(), (database or self._database).begin() as connection:
            yield connection


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise DatabaseError(
            f"The gallery cannot be read or written: {error.orig}",
            remedy="Check that the database can be reached, has room, and is at the current schema.",
        ) from error


def box_of(row: RowMapping) -> BoundingBox:
    return BoundingBox(row["box_left"], row["box_top"], row["box_width"], row["box_height"])


def _pair_up(faces: Sequence[NewFace], known: Sequence[RowMapping]) -> list[str | None]:
    """For each face the id of the stored face that it overlaps most; each stored face is given once."""
    ids: list[str | None] = [None] * len(faces)
    for new, stored in match_pairs(faces, known, SAME_ENGINE, left_key=lambda face: face.box, right_key=box_of):
        ids[new] = known[stored]["face_id"]
    return ids


def _parts(ids: Sequence[str]) -> Iterator[list[str]]:
    iterator = iter(ids)
    while part := list(islice(iterator, _CHUNK)):
        yield part

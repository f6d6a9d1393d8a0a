"""The gallery: enrolled faces in a database that several processes share, searched exactly in memory.

Every change is one transaction that first raises its collection's revision (see :mod:`.tables`). :mod:`.replica` reads
later revisions before a search.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, RowMapping, Table, delete, insert, select
from sqlalchemy.exc import DBAPIError

from catalog.domain.errors import DatabaseError
from catalog.domain.faces import BoundingBox, EnrolledFace
from catalog.domain.same_face import SAME_PHOTO, match_pairs
from catalog.engines.local.common_component_removal import Floats
from catalog.engines.local.gallery_search import MAPPED_FROM, GallerySearch
from catalog.engines.local.gallery_statements import (
    INSERT_FACES,
    RAISE_REVISION,
    STORED_FACES,
    VECTOR,
    insert_unless_taken,
)
from catalog.engines.local.matrix import Rows
from catalog.engines.local.replica import check_model, vectors_of
from catalog.engines.local.tables import gallery_collections, gallery_faces, gallery_images, gallery_removals

_CHUNK = 500
"""Ids in one statement: SQLite takes 32,766 parameters, PostgreSQL 65,535."""
_IMAGE_NAMESPACE = uuid.UUID("5e0f8d5b-6c0f-4f0e-9d0a-2d6f0a7b1c3e")


@dataclass(frozen=True, slots=True, eq=False)
class NewFace:
    """A face to enroll. ``vector`` is the network's own unit vector, float32 (128,)."""

    box: BoundingBox
    confidence: float
    vector: Floats


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def image_id_of(sha256: str) -> str:
    """Return the id of an image: a UUID that depends only on its content."""
    return str(uuid.uuid5(_IMAGE_NAMESPACE, sha256))


class LocalGallery:
    """One collection of faces. Safe for several threads. Every search sees the committed changes of other processes.

    ``enrolling``: optional second connection pool to the same database, used for enrollment only. ``search_folder``:
    folder of the search files of this database. With it, a gallery of more than ``mapped_from`` faces is searched
    through a file (:mod:`.mapped_vectors`) and not read into memory.
    """

    def __init__(
        self,
        database: Engine,
        collection_id: str,
        model: str,
        *,
        enrolling: Engine | None = None,
        search_folder: Path | None = None,
        mapped_from: int | None = None,
    ) -> None:
        self._database = database
        self._enrolling = database if enrolling is None else enrolling
        self._collection_id = collection_id
        self._model = model
        self._search = GallerySearch(
            self._connection,
            collection_id,
            model,
            folder=search_folder,
            mapped_from=MAPPED_FROM if mapped_from is None else mapped_from,
        )

    # ------------------------------------------------------------------------------------------------ changes

    def enroll(
        self, sha256: str, faces: Sequence[NewFace], external_image_id: str = "", *, keep_ids: bool = True
    ) -> list[str]:
        """Store an image's faces in one transaction. Returns the face ids in the order of ``faces``.

        Idempotent: a face that overlaps a stored face of the same image and external id keeps the stored id. Without
        ``keep_ids`` every face is stored again with a new id.
        """
        key = {
            "collection_id": self._collection_id,
            "sha256": sha256,
            "external_image_id": external_image_id,
        }
        if keep_ids:
            with self._connection() as connection:
                stored = self._stored_faces(connection, key)
                if stored is not None:
                    ids = _match_stored(faces, stored)
                    if all(ids):
                        return [face_id for face_id in ids if face_id]
        with self._transaction(self._enrolling) as connection:
            revision = self._raise_revision(connection)
            image_id, created = image_id_of(sha256), now()
            image = {**key, "image_id": image_id, "created_at": created}
            is_new = self._insert_if_absent(connection, gallery_images, image)
            stored = [] if is_new or not keep_ids else self._stored_faces(connection, key)
            ids = _match_stored(faces, stored or [])
            rows = []
            for index, face in enumerate(faces):
                if ids[index] is not None:
                    continue
                ids[index] = str(uuid.uuid4())
                rows.append(
                    {
                        **key,
                        "face_id": ids[index],
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
        """Delete faces. Returns the ids that the gallery held; unknown ids are ignored."""
        unique_ids = list(dict.fromkeys(face_ids))
        if not unique_ids:
            return set()
        removed: set[str] = set()
        with self._transaction() as connection:
            revision = self._raise_revision(connection)
            for chunk in _chunks(unique_ids):
                condition = (gallery_faces.c.collection_id == self._collection_id) & gallery_faces.c.face_id.in_(chunk)
                rows = connection.execute(select(gallery_faces.c.seq, gallery_faces.c.face_id).where(condition)).all()
                if not rows:
                    continue
                connection.execute(
                    insert(gallery_removals),
                    [{"collection_id": self._collection_id, "revision": revision, "seq": row.seq} for row in rows],
                )
                connection.execute(delete(gallery_faces).where(condition))
                removed.update(row.face_id for row in rows)
        # Also if no face was removed now: a process may have been killed between the two steps.
        self._drop_removed()
        return removed

    # ------------------------------------------------------------------------------------------------ questions

    def faces(self) -> Iterator[EnrolledFace]:
        """Yield every face, oldest first, read in pages. Faces enrolled meanwhile may or may not be included."""
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
        """Return a face's vector without common components. Raises ``KeyError`` for an unknown id."""
        with self._connection() as connection:
            blob = connection.execute(
                VECTOR, {"collection_id": self._collection_id, "face_id": face_id}
            ).scalar_one_or_none()
        if blob is None:
            raise KeyError(face_id)
        vector: Floats = vectors_of([blob])[0]
        return vector

    def vectors(self, face_ids: Sequence[str]) -> Floats:
        """Return vectors without common components, float32 (n, 128), in the order of ``face_ids``.

        Raises ``KeyError`` for an unknown id.
        """
        return self._search.vectors(face_ids)

    def release_rows(self) -> None:
        """Free the memory of the vectors. The next search reads them again."""
        self._search.release()

    def nearest(self, probe: Floats, floor: float, limit: int, without: str | None = None) -> list[tuple[str, float]]:
        """Return face ids and dot products at or above ``floor``, highest first, at most ``limit``.

        ``probe`` is a vector without common components. ``without`` is a face id to leave out.
        """
        pairs = self._search.nearest(probe, floor, limit + (without is not None))
        return [pair for pair in pairs if pair[0] != without][:limit]

    def rows(self) -> Rows:
        """Return all vectors without common components, including committed changes of other processes."""
        return self._search.rows()

    # ------------------------------------------------------------------------------------------------ inside

    def _drop_removed(self) -> None:
        try:
            self._search.drop_removed()
        except OSError as error:
            raise DatabaseError(
                f'The file "{error.filename}" with vectors of removed faces cannot be changed: {error.strerror}.',
                remedy="Delete the file. The next search builds it again.",
            ) from error

    def _stored_faces(self, connection: Connection, key: dict[str, str]) -> list[RowMapping] | None:
        """Return the stored faces of an image, or None if the image was never enrolled."""
        rows = connection.execute(STORED_FACES, key).mappings().all()
        return [row for row in rows if row["seq"] is not None] if rows else None

    def _raise_revision(self, connection: Connection) -> int:
        parameters = {"collection": self._collection_id}
        row = connection.execute(RAISE_REVISION, parameters).mappings().first()
        if row is None:
            collection = {
                "collection_id": self._collection_id,
                "model": self._model,
                "instance": str(uuid.uuid4()),
                "revision": 0,
                "created_at": now(),
            }
            self._insert_if_absent(connection, gallery_collections, collection)
            row = connection.execute(RAISE_REVISION, parameters).mappings().one()
        check_model(row, self._collection_id, self._model)
        return int(row["revision"])

    def _insert_if_absent(self, connection: Connection, table: Table, values: dict[str, Any]) -> bool:
        """Insert a row unless its key exists. Returns True if the row was inserted.

        Waits for another transaction that inserts the same key.
        """
        return connection.execute(insert_unless_taken(table, connection.dialect.name), values).rowcount == 1

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        with _translated_errors(), self._database.connect() as connection:
            yield connection

    @contextmanager
    def _transaction(self, database: Engine | None = None) -> Iterator[Connection]:
        with _translated_errors(), (database or self._database).begin() as connection:
            yield connection


@contextmanager
def _translated_errors() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise DatabaseError(
            f"The gallery cannot be read or written: {error.orig}",
            remedy="Check that the database can be reached, has room, and is at the current schema.",
        ) from error


def box_of(row: RowMapping) -> BoundingBox:
    return BoundingBox(row["box_left"], row["box_top"], row["box_width"], row["box_height"])


def _match_stored(faces: Sequence[NewFace], stored: Sequence[RowMapping]) -> list[str | None]:
    """Return for every face the id of the stored face that it overlaps most, or None. Uses a stored face once."""
    ids: list[str | None] = [None] * len(faces)
    pairs = match_pairs(faces, stored, SAME_PHOTO, left_key=lambda face: face.box, right_key=box_of)
    for face_index, row_index in pairs:
        ids[face_index] = stored[row_index]["face_id"]
    return ids


def _chunks(ids: Sequence[str]) -> Iterator[list[str]]:
    iterator = iter(ids)
    while chunk := list(islice(iterator, _CHUNK)):
        yield chunk

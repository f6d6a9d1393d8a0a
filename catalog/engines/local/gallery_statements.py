"""The gallery's statements that run for every photo. Built once: building a statement costs as much as running it."""

from __future__ import annotations

from functools import cache

from sqlalchemy import Insert, Table, and_, bindparam, insert, select, update
from sqlalchemy.dialects import sqlite

from catalog.engines.local.tables import gallery_collections, gallery_faces, gallery_images, gallery_removals

_KEY = ("collection_id", "sha256", "external_image_id")

STORED_FACES = (
    select(gallery_faces)
    .select_from(
        gallery_images.outerjoin(
            gallery_faces, and_(*(gallery_faces.c[name] == gallery_images.c[name] for name in _KEY))
        )
    )
    .where(*(gallery_images.c[name] == bindparam(name) for name in _KEY))
    .order_by(gallery_faces.c.seq)
)
"""The faces of an image. One row without a face if the image has none; no row if the image was never enrolled."""

COLLECTION = select(gallery_collections).where(gallery_collections.c.collection_id == bindparam("collection_id"))

RAISE_REVISION = (
    update(gallery_collections)
    .where(gallery_collections.c.collection_id == bindparam("collection"))
    .values(revision=gallery_collections.c.revision + 1)
    .returning(gallery_collections.c.revision, gallery_collections.c.model)
)

VECTOR = select(gallery_faces.c.vector).where(
    gallery_faces.c.collection_id == bindparam("collection_id"), gallery_faces.c.face_id == bindparam("face_id")
)

_IN_COLLECTION = gallery_faces.c.collection_id == bindparam("collection_id")

FACES_BY_SEQ = select(
    gallery_faces.c.seq, gallery_faces.c.collection_id, gallery_faces.c.face_id, gallery_faces.c.vector
).where(gallery_faces.c.seq.in_(bindparam("seqs", expanding=True)))
"""Without a condition on the collection, for which SQLite would read all faces of the collection."""

VECTORS_BY_FACE_ID = select(gallery_faces.c.face_id, gallery_faces.c.vector).where(
    _IN_COLLECTION, gallery_faces.c.face_id.in_(bindparam("face_ids", expanding=True))
)

ADDITIONS = (
    select(gallery_faces.c.seq, gallery_faces.c.face_id, gallery_faces.c.vector)
    .where(
        _IN_COLLECTION,
        gallery_faces.c.revision > bindparam("after"),
        gallery_faces.c.revision <= bindparam("until"),
    )
    .order_by(gallery_faces.c.revision, gallery_faces.c.seq)
    .execution_options(stream_results=True, yield_per=20_000)
)
"""Faces added in a range of revisions that were not removed since, oldest first."""

REMOVALS = (
    select(gallery_removals.c.revision, gallery_removals.c.seq)
    .where(
        gallery_removals.c.collection_id == bindparam("collection_id"),
        gallery_removals.c.revision > bindparam("after"),
        gallery_removals.c.revision <= bindparam("until"),
    )
    .order_by(gallery_removals.c.revision, gallery_removals.c.seq)
)

IS_REMOVAL = select(gallery_removals.c.seq).where(
    gallery_removals.c.collection_id == bindparam("collection_id"),
    gallery_removals.c.revision == bindparam("revision"),
    gallery_removals.c.seq == bindparam("seq"),
)

REMOVED_SEQ = (
    select(gallery_removals.c.seq)
    .where(gallery_removals.c.collection_id == bindparam("collection_id"), gallery_removals.c.seq == bindparam("seq"))
    .limit(1)
)

FACE_ID_OF = select(gallery_faces.c.face_id).where(_IN_COLLECTION, gallery_faces.c.seq == bindparam("seq"))

FACE_AT_OFFSET = select(gallery_faces.c.seq).where(_IN_COLLECTION).limit(1).offset(bindparam("offset"))
"""One row if the collection has more faces than ``offset``."""

COLLECTION_IDS = select(gallery_collections.c.collection_id)

INSERT_FACES = insert(gallery_faces)


@cache
def insert_unless_taken(table: Table, dialect: str) -> Insert:
    """Build an insert that does nothing if the key exists."""
    if dialect == "sqlite":
        return sqlite.insert(table).on_conflict_do_nothing()
    # A command on SQLite starts sooner without this dialect.
    from sqlalchemy.dialects import postgresql

    return postgresql.insert(table).on_conflict_do_nothing()

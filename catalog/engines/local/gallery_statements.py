"""The gallery's statements that run for every photo: built once, because building one costs as much as running it."""

from __future__ import annotations

from functools import cache

from sqlalchemy import Insert, Table, and_, bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from catalog.engines.local.tables import gallery_collections, gallery_faces, gallery_images

_KEY = ("collection_id", "sha256", "external_image_id")

KNOWN_IMAGE = (
    select(gallery_faces)
    .select_from(
        gallery_images.outerjoin(
            gallery_faces, and_(*(gallery_faces.c[name] == gallery_images.c[name] for name in _KEY))
        )
    )
    .where(*(gallery_images.c[name] == bindparam(name) for name in _KEY))
    .order_by(gallery_faces.c.seq)
)
"""The faces of an image; one row without a face when it has none, and no row when it was never enrolled."""

COLLECTION = select(gallery_collections).where(gallery_collections.c.collection_id == bindparam("collection_id"))

RAISE_REVISION = (
    update(gallery_collections)
    .where(gallery_collections.c.collection_id == bindparam("which"))
    .values(revision=gallery_collections.c.revision + 1)
    .returning(gallery_collections.c.revision, gallery_collections.c.model)
)

VECTOR = select(gallery_faces.c.vector).where(
    gallery_faces.c.collection_id == bindparam("collection_id"), gallery_faces.c.face_id == bindparam("face_id")
)

INSERT_FACES = insert(gallery_faces)


@cache
def insert_unless_taken(table: Table, dialect: str) -> Insert:
    """Insert a row unless its key is taken."""
    made = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    return made.on_conflict_do_nothing()

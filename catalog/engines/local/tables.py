"""Tables of the local engine's gallery, in the catalogue's database or in the endpoint's own database.

``migrations/`` creates them for the catalogue and holds a frozen copy. :func:`create_gallery` creates them where no
migration runs, such as in the endpoint's own database.

Several processes share a gallery. Every transaction that adds or removes faces first raises the collection's
``revision`` by one, and so locks that row until it commits. Revisions are therefore in commit order. Changes since
revision r are two indexed reads without gaps.
"""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    Engine,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

gallery_metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

_COLLECTION = "gallery_collections.collection_id"

gallery_collections = Table(
    "gallery_collections",
    gallery_metadata,
    Column("collection_id", Text, primary_key=True, comment="Name of the set of faces that one search runs against."),
    Column("model", Text, nullable=False, comment="Networks that made the vectors; vectors of two models never mix."),
    Column("instance", Text, nullable=False, comment="UUID of this making of the collection: a later one differs."),
    Column("revision", Integer, nullable=False, comment="Raised by one in every transaction that changes its faces."),
    Column("created_at", Text, nullable=False, comment="UTC, ISO 8601 with microseconds and Z."),
    comment="Galleries of the local engine.",
)

gallery_images = Table(
    "gallery_images",
    gallery_metadata,
    Column("collection_id", Text, ForeignKey(_COLLECTION, ondelete="CASCADE"), nullable=False, comment="Its gallery."),
    Column("sha256", Text, nullable=False, comment="SHA-256 of the image's bytes, 64 lower-case hex digits."),
    Column(
        "external_image_id", Text, nullable=False, server_default="", comment="The caller's own name for it, or empty."
    ),
    Column("image_id", Text, nullable=False, comment="UUID made from the content: equal in every collection."),
    Column("created_at", Text, nullable=False, comment="When it was first enrolled; UTC, ISO 8601."),
    PrimaryKeyConstraint("collection_id", "sha256", "external_image_id"),
    comment="Images that were enrolled, those without a face too: the lock that makes enrollment idempotent.",
)

gallery_faces = Table(
    "gallery_faces",
    gallery_metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True, comment="Row number, never reused."),
    Column("face_id", Text, nullable=False, unique=True, comment="Lower-case UUID, never reused."),
    Column("collection_id", Text, nullable=False, comment="Its gallery."),
    Column("sha256", Text, nullable=False, comment="SHA-256 of the image's bytes."),
    Column("external_image_id", Text, nullable=False, server_default="", comment="As of its image."),
    Column("image_id", Text, nullable=False, comment="As of its image."),
    Column("box_left", Float, nullable=False, comment="Left edge, fraction of the upright image's width."),
    Column("box_top", Float, nullable=False, comment="Top edge, fraction of the upright image's height."),
    Column("box_width", Float, nullable=False, comment="Fraction of the upright image's width."),
    Column("box_height", Float, nullable=False, comment="Fraction of the upright image's height."),
    Column("confidence", Float, nullable=False, comment="Certainty that the box holds a face, 0 to 100."),
    Column("vector", LargeBinary, nullable=False, comment="Unit vector, little-endian float16. Biometric data."),
    Column("revision", Integer, nullable=False, comment="The collection's revision that brought it."),
    Column("created_at", Text, nullable=False, comment="UTC, ISO 8601."),
    ForeignKeyConstraint(
        ["collection_id", "sha256", "external_image_id"],
        ["gallery_images.collection_id", "gallery_images.sha256", "gallery_images.external_image_id"],
        ondelete="CASCADE",
    ),
    UniqueConstraint("collection_id", "face_id"),
    CheckConstraint("box_width > 0 AND box_height > 0", name="box_size"),
    Index(None, "collection_id", "sha256"),
    Index(None, "collection_id", "revision"),
    comment="Enrolled faces with their vectors.",
    sqlite_autoincrement=True,
)

gallery_removals = Table(
    "gallery_removals",
    gallery_metadata,
    Column("collection_id", Text, ForeignKey(_COLLECTION, ondelete="CASCADE"), nullable=False, comment="Its gallery."),
    Column("revision", Integer, nullable=False, comment="The collection's revision that took the face out."),
    Column("seq", Integer, nullable=False, comment="Row number the face had."),
    PrimaryKeyConstraint("collection_id", "revision", "seq"),
    comment="Row numbers of faces that were removed, so that other processes drop them from memory.",
)

gallery_users = Table(
    "gallery_users",
    gallery_metadata,
    Column("collection_id", Text, ForeignKey(_COLLECTION, ondelete="CASCADE"), nullable=False, comment="Its gallery."),
    Column("user_id", Text, nullable=False, comment="The caller's name for a person."),
    Column("status", Text, nullable=False, comment="CREATED, UPDATING or ACTIVE."),
    Column("created_at", Text, nullable=False, comment="UTC, ISO 8601."),
    Column("changed_at", Text, nullable=False, comment="When its faces or status last changed; UTC, ISO 8601."),
    PrimaryKeyConstraint("collection_id", "user_id"),
    comment="Users of the endpoint: people as Amazon Rekognition's user vectors know them.",
)

gallery_user_faces = Table(
    "gallery_user_faces",
    gallery_metadata,
    Column("collection_id", Text, nullable=False, comment="Its gallery."),
    Column("face_id", Text, nullable=False, comment="A face belongs to one user at most."),
    Column("user_id", Text, nullable=False, comment="The user it was associated with."),
    Column("associated_at", Text, nullable=False, comment="UTC, ISO 8601."),
    PrimaryKeyConstraint("collection_id", "face_id"),
    ForeignKeyConstraint(
        ["collection_id", "face_id"], ["gallery_faces.collection_id", "gallery_faces.face_id"], ondelete="CASCADE"
    ),
    ForeignKeyConstraint(
        ["collection_id", "user_id"],
        ["gallery_users.collection_id", "gallery_users.user_id"],
        ondelete="CASCADE",
        name="fk_gallery_user_faces_user_id",
    ),
    Index(None, "collection_id", "user_id"),
    comment="Which faces make up a user's vector.",
)

gallery_tags = Table(
    "gallery_tags",
    gallery_metadata,
    Column("collection_id", Text, ForeignKey(_COLLECTION, ondelete="CASCADE"), nullable=False, comment="Its gallery."),
    Column("name", Text, nullable=False, comment="Key of the tag."),
    Column("value", Text, nullable=False, comment="Value of the tag."),
    PrimaryKeyConstraint("collection_id", "name"),
    comment="Tags that clients of the endpoint put on collections.",
)


def create_gallery(database: Engine) -> None:
    """Create missing gallery tables."""
    gallery_metadata.create_all(database)

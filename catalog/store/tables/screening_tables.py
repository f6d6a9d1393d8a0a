"""Watch list, employees and the log of verifications."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
)

from catalog.store.tables.table_columns import RowId, metadata, row_id

watches = Table(
    "watches",
    metadata,
    row_id(),
    Column("name", Text, nullable=False, unique=True, comment="name of the person of interest"),
    Column("threshold", Float, nullable=False, comment="lowest similarity of a hit, 0-100"),
    Column("created_at", Text, nullable=False, comment="UTC"),
    Column("created_by", Text, nullable=False, comment="login name of the user who added it"),
    comment="the watch list: persons of interest, searched by every scan",
)

watch_references = Table(
    "watch_references",
    metadata,
    row_id(),
    Column("watch_id", RowId, ForeignKey("watches.id", ondelete="CASCADE"), nullable=False, comment="its watch"),
    Column("negative", Boolean, nullable=False, comment="true: shows another person who looks similar"),
    Column("image", LargeBinary, nullable=False, comment="padded crop of the face, JPEG. Biometric data"),
    Column("sha256", Text, nullable=False, comment="content hash of the photo"),
    comment="reference faces of the watch list, and faces of other persons who look similar",
)
Index("ix_watch_references_watch_id", watch_references.c.watch_id)

watch_hits = Table(
    "watch_hits",
    metadata,
    row_id(),
    Column("watch_id", RowId, ForeignKey("watches.id", ondelete="CASCADE"), nullable=False, comment="its watch"),
    Column("face_id", RowId, ForeignKey("faces.id", ondelete="CASCADE"), nullable=False, comment="row id of the face"),
    Column("similarity", Float, nullable=False, comment="to the best reference, 0-100"),
    Column("margin", Float, comment="similarity minus that of the best negative reference; null: none"),
    Column("state", Text, nullable=False, comment="open, confirmed or dismissed"),
    Column("found_at", Text, nullable=False, comment="UTC"),
    Column("scan_id", RowId, ForeignKey("scans.id", ondelete="SET NULL"), comment="scan that found it"),
    Column("reviewed_at", Text, comment="UTC; null: open"),
    Column("reviewed_by", Text, comment="login name of the user who reviewed it"),
    UniqueConstraint("watch_id", "face_id"),
    CheckConstraint("state IN ('open', 'confirmed', 'dismissed')", name="state"),
    comment="faces similar to the watch list, to be reviewed by a user",
)
Index("ix_watch_hits_face_id", watch_hits.c.face_id)
Index("ix_watch_hits_scan_id", watch_hits.c.scan_id)

watch_searches = Table(
    "watch_searches",
    metadata,
    Column("watch_id", RowId, ForeignKey("watches.id", ondelete="CASCADE"), primary_key=True, comment="the watch"),
    Column("engine", Text, primary_key=True, comment="local or rekognition"),
    Column("gallery", Text, primary_key=True, comment="gallery or collection that was searched"),
    Column("faces", Text, nullable=False, comment="which faces the gallery had: changes with each face"),
    comment="last complete search for each watch, so that a scan without new faces does not search again",
)

employees = Table(
    "employees",
    metadata,
    row_id(),
    Column("employee_id", Text, nullable=False, unique=True, comment="the caller's id of the person"),
    Column("enrolled_at", Text, nullable=False, comment="UTC"),
    Column("enrolled_by", Text, nullable=False, comment="login name of the user who enrolled the person"),
    comment="persons whom `catalog verify` verifies",
)

employee_references = Table(
    "employee_references",
    metadata,
    row_id(),
    Column("employee_id", RowId, ForeignKey("employees.id", ondelete="CASCADE"), nullable=False, comment="row id"),
    Column("image", LargeBinary, nullable=False, comment="padded crop of the face, JPEG. Biometric data"),
    Column("sha256", Text, nullable=False, comment="content hash of the photo"),
    UniqueConstraint("employee_id", "sha256"),
    comment="the reference faces of an employee",
)

verifications = Table(
    "verifications",
    metadata,
    row_id(),
    Column("at", Text, nullable=False, comment="UTC"),
    Column("content", Text, comment="JSON of request and result; null: forgotten"),
    Column("content_sha256", Text, nullable=False, comment="SHA-256 of the original `content` with its salt"),
    Column("previous", Text, nullable=False, comment="`chain` of the row before; 64 zeros in the first"),
    Column("chain", Text, nullable=False, unique=True, comment="SHA-256 of previous, at and content_sha256"),
    comment="enrollments and verifications, chained by digests so that a change is detected",
)

"""Persons: searches, matches, assignments, decisions, tombstones."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, Float, ForeignKey, Index, Table, Text

from catalog.domain.box_columns import BOX_COLUMNS
from catalog.store.tables.table_columns import RowId, box_columns, metadata, row_id

searches = Table(
    "searches",
    metadata,
    Column(
        "face_id", RowId, ForeignKey("faces.id", ondelete="CASCADE"), primary_key=True, comment="row id of the face"
    ),
    Column("threshold", Float, nullable=False, comment="lowest requested similarity, 0-100"),
    Column(
        "complete",
        Boolean,
        nullable=False,
        comment="false: an absent face is no evidence",
    ),
    Column("searched_at", Text, nullable=False, comment="UTC"),
    comment="faces with a neighbor search, which is not run again",
)

matches = Table(
    "matches",
    metadata,
    Column("face_a", RowId, ForeignKey("faces.id", ondelete="CASCADE"), primary_key=True, comment="the lower row id"),
    Column("face_b", RowId, ForeignKey("faces.id", ondelete="CASCADE"), primary_key=True, comment="the higher row id"),
    Column("similarity", Float, nullable=False, comment="0-100, by the engine"),
    CheckConstraint("face_a < face_b", name="ordered"),
    comment="similar faces of one gallery that searches found",
)
Index("ix_matches_face_b", matches.c.face_b)

persons = Table(
    "persons",
    metadata,
    row_id(),
    Column("person_id", Text, nullable=False, unique=True, comment="permanent public id"),
    Column("name", Text, comment="name by a user; null: unnamed"),
    Column("hidden", Boolean, nullable=False, default=False, comment="left out of lists and reports"),
    Column("birth_date", Text, comment="YYYY-MM-DD; null: unknown"),
    Column("merged_into", RowId, ForeignKey("persons.id"), comment="row id of the person that this id redirects to"),
    Column("created_at", Text, nullable=False, comment="UTC"),
    Column("external_ids", Text, comment="JSON object: scheme (qid, viaf, gnd ...) to id; null: none"),
    comment="persons, named or not",
)
Index("ix_persons_name", persons.c.name)
Index("ix_persons_merged_into", persons.c.merged_into)

assignments = Table(
    "assignments",
    metadata,
    Column(
        "face_id", RowId, ForeignKey("faces.id", ondelete="CASCADE"), primary_key=True, comment="row id of the face"
    ),
    Column("person_id", RowId, ForeignKey("persons.id"), nullable=False, comment="row id of the person"),
    Column("by", Text, nullable=False, comment="cluster or human"),
    Column("similarity", Float, comment="similarity to the person's other faces at the assignment, 0-100"),
    Column("assigned_at", Text, nullable=False, comment="UTC"),
    Column("photo_id", RowId, comment="photo of the face, null if marked as not a face; maintained by triggers"),
    CheckConstraint("by IN ('cluster', 'human')", name="by"),
    comment="persons of faces, at most one per face",
)
Index("ix_assignments_person_id", assignments.c.person_id, assignments.c.photo_id)
Index("ix_assignments_photo_id", assignments.c.photo_id, assignments.c.person_id)

named_appearances = Table(
    "named_appearances",
    metadata,
    row_id(),
    Column("photo_id", RowId, ForeignKey("photos.id", ondelete="CASCADE"), nullable=False, comment="the photo"),
    Column(
        "person_id", RowId, ForeignKey("persons.id", ondelete="CASCADE"), nullable=False, comment="row id of the person"
    ),
    *[Column(name, Float, comment="the region's box; null: the file gives no position") for name in BOX_COLUMNS],
    Column("source", Text, nullable=False, comment="file that states the name"),
    Column("named_at", Text, nullable=False, comment="when it was imported, UTC"),
    comment="persons on a photo without a detected face, as files of other programs state them; never clustered",
)
Index("ix_named_appearances_photo_id", named_appearances.c.photo_id)
Index("ix_named_appearances_person_id", named_appearances.c.person_id)

decisions = Table(
    "decisions",
    metadata,
    row_id(),
    Column("decided_at", Text, nullable=False, comment="UTC"),
    Column("decided_by", Text, nullable=False, comment="login name of the user, or the program that imported it"),
    Column("verb", Text, nullable=False, comment="name, merge, split, confirm, reject, not_a_face, hide, forget ..."),
    Column("person_id", Text, comment="public id of the person"),
    Column("other_person_id", Text, comment="public id of a second person: merged, or split off"),
    Column("name", Text, comment="new name, or the former name, depending on the verb"),
    Column("photo_sha256", Text, comment="content hash of the photo, for a decision on one face"),
    Column("box_left", Float, comment="box of the face, for a decision on one face"),
    Column("box_top", Float, comment="box of the face"),
    Column("box_width", Float, comment="box of the face"),
    Column("box_height", Float, comment="box of the face"),
    Column("details", Text, comment="JSON: further data for replay and undo"),
    Column("undone_by", RowId, ForeignKey("decisions.id"), comment="decision that undid it; null: effective"),
    Column("copy_of", RowId, comment="number of the decision that this one repeats for an edited photo; null: no copy"),
    Column("group", RowId, comment="number of the first decision of a group, undone as a whole; null: no group"),
    comment="decisions of users, append-only, replayed after a change of engine, model or database",
)
Index("ix_decisions_person_id", decisions.c.person_id)
Index("ix_decisions_other_person_id", decisions.c.other_person_id)
Index("ix_decisions_photo_sha256", decisions.c.photo_sha256)
Index("ix_decisions_group", decisions.c.group)
Index("ix_decisions_undone_by", decisions.c.undone_by)

tombstones = Table(
    "tombstones",
    metadata,
    row_id(),
    Column("photo_sha256", Text, nullable=False, comment="content hash of the photo"),
    *box_columns(),
    Column("forgotten_at", Text, nullable=False, comment="UTC"),
    comment="forgotten faces, which are not enrolled again; without name or vector",
)
Index("ix_tombstones_photo_sha256", tombstones.c.photo_sha256)

removals = Table(
    "removals",
    metadata,
    Column("face_id", Text, primary_key=True, comment="the gallery's id of the face"),
    Column("engine", Text, primary_key=True, comment="local or rekognition"),
    Column("gallery", Text, primary_key=True, comment="gallery or collection that still holds it"),
    Column("wanted_at", Text, nullable=False, comment="UTC"),
    comment="pending removals: faces without rows that a gallery must still delete",
)

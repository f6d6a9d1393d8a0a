"""The review: counts per person, questions, skips, answers."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Float, ForeignKey, Index, Integer, Table, Text

from catalog.store.tables.table_columns import RowId, metadata, row_id

person_summaries = Table(
    "person_summaries",
    metadata,
    Column("person_id", RowId, ForeignKey("persons.id", ondelete="CASCADE"), primary_key=True, comment="its person"),
    Column("engine", Text, nullable=False, comment="engine of the counted faces"),
    Column("gallery", Text, nullable=False, comment="gallery of the counted faces"),
    Column("faces", Integer, nullable=False, comment="faces of the person in the gallery"),
    Column("photos", Integer, nullable=False, comment="photos of these faces"),
    Column("clear_faces", Integer, nullable=False, comment="faces large and sharp enough for a user to answer about"),
    Column("first_taken", Text, comment="UTC; null: no photo has a date"),
    Column("last_taken", Text, comment="UTC; null: no photo has a date"),
    Column("state", Text, nullable=False, server_default="open", comment="open (without a name), named or hidden"),
    Column("cover_id", RowId, comment="row id of the clearest face; null: not chosen yet"),
    Index("ix_person_summaries_state", "state", "faces", "person_id"),
    comment="counts per person for the review queue; computed from assignments, may be deleted",
)

review_questions = Table(
    "review_questions",
    metadata,
    row_id(),
    Column("person_id", RowId, ForeignKey("persons.id", ondelete="CASCADE"), nullable=False, comment="first person"),
    Column("other_id", RowId, ForeignKey("persons.id", ondelete="CASCADE"), comment="second person; null: a face"),
    Column("face_id", RowId, ForeignKey("faces.id", ondelete="CASCADE"), comment="unassigned face; null: a person"),
    Column("similarity", Float, nullable=False, comment="of the most similar faces, 0-100"),
    Column("chance", Float, nullable=False, comment="estimated probability of a yes, 0-1"),
    Column("faces", Integer, nullable=False, comment="faces that a yes decides"),
    Column("worth", Float, nullable=False, comment="expected faces decided per second of the user; orders the queue"),
    Column("reason", Text, comment="why a machine did not merge them; null: the similarity is below the threshold"),
    Index(None, "worth"),
    Index(None, "person_id"),
    Index(None, "other_id"),
    Index(None, "face_id"),
    CheckConstraint("(other_id IS NULL) <> (face_id IS NULL)", name="target"),
    comment="open questions of the review queue; computed by the last step of a scan, may be deleted",
)

review_skips = Table(
    "review_skips",
    metadata,
    row_id(),
    Column("person_id", RowId, ForeignKey("persons.id", ondelete="CASCADE"), nullable=False, comment="first person"),
    Column("other_id", RowId, ForeignKey("persons.id", ondelete="CASCADE"), comment="second person, if any"),
    Column("face_id", RowId, ForeignKey("faces.id", ondelete="CASCADE"), comment="unassigned face, if any"),
    Column("until", Text, nullable=False, comment="UTC; the question is not asked before"),
    Index(None, "person_id"),
    Index(None, "other_id"),
    Index(None, "face_id"),
    comment="questions answered with `not sure`; no decisions",
)

review_answers = Table(
    "review_answers",
    metadata,
    Column("key", Text, primary_key=True, comment="idempotency key of the page that showed the question"),
    Column("login", Text, nullable=False, comment="login name of the user"),
    Column("body_sha256", Text, nullable=False, comment="hash of the answer, to refuse another answer with this key"),
    Column("group", RowId, comment="group of the answer's decisions; null: it made none"),
    Column("at", Text, nullable=False, comment="UTC; deleted after seven days"),
    Column(
        "questions", Text, comment="JSON: the questions that the answer changed, as they were, for its undo; null: none"
    ),
    comment="answers of the review pages, so that a repeated answer changes nothing; holds no name",
)

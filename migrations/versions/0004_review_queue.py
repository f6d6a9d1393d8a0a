"""Tables of the review queue: counts per person, open questions, skipped questions and answers."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "person_summaries",
        sa.Column("person_id", ROW_ID, sa.ForeignKey("persons.id", name="fk_person_summaries_person_id_persons", ondelete="CASCADE"), nullable=False, comment="its person"),
        sa.Column("engine", sa.Text, nullable=False, comment="engine of the counted faces"),
        sa.Column("gallery", sa.Text, nullable=False, comment="gallery of the counted faces"),
        sa.Column("faces", sa.Integer, nullable=False, comment="faces of the person in the gallery"),
        sa.Column("photos", sa.Integer, nullable=False, comment="photos of these faces"),
        sa.Column("clear_faces", sa.Integer, nullable=False, comment="faces large and sharp enough for a user to answer about"),
        sa.Column("first_taken", sa.Text, comment="UTC; null: no photo has a date"),
        sa.Column("last_taken", sa.Text, comment="UTC; null: no photo has a date"),
        sa.PrimaryKeyConstraint("person_id", name="pk_person_summaries"),
        comment="counts per person for the review queue; computed from assignments, may be deleted",
    )
    op.create_index("ix_person_summaries_faces", "person_summaries", ["faces"], unique=False)
    op.create_table(
        "review_questions",
        sa.Column("id", ROW_ID, nullable=False, autoincrement=True, comment="internal row id, never shown"),
        sa.Column("person_id", ROW_ID, sa.ForeignKey("persons.id", name="fk_review_questions_person_id_persons", ondelete="CASCADE"), nullable=False, comment="first person"),
        sa.Column("other_id", ROW_ID, sa.ForeignKey("persons.id", name="fk_review_questions_other_id_persons", ondelete="CASCADE"), comment="second person; null: a face"),
        sa.Column("face_id", ROW_ID, sa.ForeignKey("faces.id", name="fk_review_questions_face_id_faces", ondelete="CASCADE"), comment="unassigned face; null: a person"),
        sa.Column("similarity", sa.Float, nullable=False, comment="of the most similar faces, 0-100"),
        sa.Column("chance", sa.Float, nullable=False, comment="estimated probability of a yes, 0-1"),
        sa.Column("faces", sa.Integer, nullable=False, comment="faces that a yes decides"),
        sa.Column("worth", sa.Float, nullable=False, comment="expected faces decided per second of the user; orders the queue"),
        sa.Column("reason", sa.Text, comment="why a machine did not merge them; null: the similarity is below the threshold"),
        sa.CheckConstraint("(other_id IS NULL) <> (face_id IS NULL)", name="ck_review_questions_target"),
        sa.PrimaryKeyConstraint("id", name="pk_review_questions"),
        comment="open questions of the review queue; computed by the last step of a scan, may be deleted",
    )
    op.create_index("ix_review_questions_worth", "review_questions", ["worth"], unique=False)
    op.create_index("ix_review_questions_person_id", "review_questions", ["person_id"], unique=False)
    op.create_index("ix_review_questions_other_id", "review_questions", ["other_id"], unique=False)
    op.create_index("ix_review_questions_face_id", "review_questions", ["face_id"], unique=False)
    op.create_table(
        "review_skips",
        sa.Column("id", ROW_ID, nullable=False, autoincrement=True, comment="internal row id, never shown"),
        sa.Column("person_id", ROW_ID, sa.ForeignKey("persons.id", name="fk_review_skips_person_id_persons", ondelete="CASCADE"), nullable=False, comment="first person"),
        sa.Column("other_id", ROW_ID, sa.ForeignKey("persons.id", name="fk_review_skips_other_id_persons", ondelete="CASCADE"), comment="second person, if any"),
        sa.Column("face_id", ROW_ID, sa.ForeignKey("faces.id", name="fk_review_skips_face_id_faces", ondelete="CASCADE"), comment="unassigned face, if any"),
        sa.Column("until", sa.Text, nullable=False, comment="UTC; the question is not asked before"),
        sa.PrimaryKeyConstraint("id", name="pk_review_skips"),
        comment="questions answered with `not sure`; no decisions",
    )
    op.create_index("ix_review_skips_person_id", "review_skips", ["person_id"], unique=False)
    op.create_index("ix_review_skips_other_id", "review_skips", ["other_id"], unique=False)
    op.create_index("ix_review_skips_face_id", "review_skips", ["face_id"], unique=False)
    op.create_table(
        "review_answers",
        sa.Column("key", sa.Text, nullable=False, comment="idempotency key of the page that showed the question"),
        sa.Column("login", sa.Text, nullable=False, comment="login name of the user"),
        sa.Column("body_sha256", sa.Text, nullable=False, comment="hash of the answer, to refuse another answer with this key"),
        sa.Column("group", ROW_ID, comment="group of the answer's decisions; null: it made none"),
        sa.Column("at", sa.Text, nullable=False, comment="UTC; deleted after seven days"),
        sa.PrimaryKeyConstraint("key", name="pk_review_answers"),
        comment="answers of the review pages, so that a repeated answer changes nothing; holds no name",
    )


def downgrade() -> None:
    raise NotImplementedError("A catalogue goes back to an older schema by its backup: `catalog restore`.")

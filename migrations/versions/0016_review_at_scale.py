"""Indexes and columns with which the review pages read few rows of a large catalogue."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

STATES = """UPDATE person_summaries SET state = (
    SELECT CASE WHEN person.hidden THEN 'hidden' WHEN person.name IS NULL THEN 'open' ELSE 'named' END
    FROM persons AS person WHERE person.id = person_summaries.person_id
)"""


def upgrade() -> None:
    connection = op.get_bind()
    op.add_column(
        "person_summaries",
        sa.Column("state", sa.Text(), nullable=False, server_default="open", comment="open (without a name), named or hidden"),
    )
    op.add_column("person_summaries", sa.Column("cover_id", ROW_ID, nullable=True, comment="row id of the clearest face; null: not chosen yet"))
    connection.exec_driver_sql(STATES)
    op.drop_index("ix_person_summaries_faces", "person_summaries")
    op.create_index("ix_person_summaries_state", "person_summaries", ["state", "faces", "person_id"])
    op.add_column("catalogue", sa.Column("review_state", sa.Text(), nullable=True, comment="for which faces and decisions the review questions are; null: never computed"))
    op.add_column("review_answers", sa.Column("questions", sa.Text(), nullable=True, comment="JSON: the questions that the answer changed, as they were, for its undo; null: none"))
    op.create_index("ix_decisions_other_person_id", "decisions", ["other_person_id"])
    op.create_index("ix_photos_taken_local", "photos", ["taken_local", "id"])
    op.drop_index("ix_locations_photo_id", "locations")
    op.create_index("ix_locations_photo_id", "locations", ["photo_id", "missing_since"])
    op.create_index("ix_locations_folder", "locations", [sa.text("rtrim(uri, replace(uri, '/', ''))")])


def downgrade() -> None:
    raise NotImplementedError("A catalogue goes back to an older schema by its backup: `catalog restore`.")

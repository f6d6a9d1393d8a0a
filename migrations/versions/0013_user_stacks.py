"""Comments on the evidence of stacks, which may be a user's decision."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

COMMENTS = [
    """COMMENT ON COLUMN stacked_photos.evidence IS 'name, edit, image or user: what says that they are one exposure'""",
    """COMMENT ON COLUMN v1_stacks.evidence IS 'name (another format), edit (an edit or a copy), image (a similar image with the same faces), user (a decision); null: this photo counts'""",
]


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        for statement in COMMENTS:
            connection.exec_driver_sql(statement)


def downgrade() -> None:
    raise NotImplementedError("A catalogue goes back to an older schema by its backup: `catalog restore`.")

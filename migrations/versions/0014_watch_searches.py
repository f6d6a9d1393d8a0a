"""The last search for each entry of the watch list."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "watch_searches",
        sa.Column(
            "watch_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False, comment="the watch"
        ),
        sa.Column("engine", sa.Text(), nullable=False, comment="local or rekognition"),
        sa.Column("gallery", sa.Text(), nullable=False, comment="gallery or collection that was searched"),
        sa.Column("faces", sa.Text(), nullable=False, comment="which faces the gallery had: changes with each face"),
        sa.ForeignKeyConstraint(
            ["watch_id"], ["watches.id"], name=op.f("fk_watch_searches_watch_id_watches"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("watch_id", "engine", "gallery", name=op.f("pk_watch_searches")),
        comment="last complete search for each watch, so that a scan without new faces does not search again",
    )


def downgrade() -> None:
    raise NotImplementedError("A catalogue goes back to an older schema by its backup: `catalog restore`.")

"""An index on the undo of each decision: an undo finds the later decisions in force without reading all payloads."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_decisions_undone_by", "decisions", ["undone_by"])


def downgrade() -> None:
    raise NotImplementedError("A catalogue goes back to an older schema by its backup: `catalog restore`.")

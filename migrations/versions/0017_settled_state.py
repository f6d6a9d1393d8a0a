"""A column that notes what the steps after a scan have settled, so that the next scan without news skips them."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("catalogue", sa.Column("settled_state", sa.Text(), nullable=True, comment="facts and settings for which the steps after a scan had nothing to do; null: not known"))


def downgrade() -> None:
    raise NotImplementedError("A catalogue goes back to an older schema by its backup: `catalog restore`.")

"""The answer to a paid call that enrolled no face, until its charge is recorded."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "call_intents",
        sa.Column(
            "answer",
            sa.Text(),
            nullable=True,
            comment="JSON list of the rejected faces, if no face was enrolled; null: no answer known",
        ),
    )


def downgrade() -> None:
    raise NotImplementedError("A catalogue goes back to an older schema by its backup: `catalog restore`.")

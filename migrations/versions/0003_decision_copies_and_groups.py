"""Columns of the decision log: which decisions are copies for edited photos, and which form a group."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column(
        "decisions",
        sa.Column(
            "copy_of",
            ROW_ID,
            nullable=True,
            comment="number of the decision that this one repeats for an edited photo; null: no copy",
        ),
    )
    op.add_column(
        "decisions",
        sa.Column(
            "group",
            ROW_ID,
            nullable=True,
            comment="number of the first decision of a group, undone as a whole; null: no group",
        ),
    )
    op.create_index("ix_decisions_group", "decisions", ["group"], unique=False)
    decisions = sa.table(
        "decisions", sa.column("id", ROW_ID), sa.column("details", sa.Text()), sa.column("copy_of", ROW_ID)
    )
    connection = op.get_bind()
    # Until this revision a copy was known by a key of its JSON.
    query = sa.select(decisions.c.id, decisions.c.details).where(decisions.c.details.like('%"carried_from":%'))
    for number, details in connection.execute(query).all():
        try:
            original = int(json.loads(details).get("copy_of", number))
        except (ValueError, TypeError, AttributeError, RecursionError):
            original = number  # a damaged row stays one; reading it names it
        connection.execute(sa.update(decisions).where(decisions.c.id == number).values(copy_of=original))


def downgrade() -> None:
    raise NotImplementedError("A catalogue goes back to an older schema by its backup: `catalog restore`.")

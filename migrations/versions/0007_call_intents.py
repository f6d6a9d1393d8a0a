"""Call intents, written before paid calls, and the identity of the catalogue."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "call_intents",
        sa.Column(
            "id", ROW_ID, autoincrement=False, nullable=False, comment="random number, chosen by the caller"
        ),
        sa.Column("engine", sa.Text(), nullable=False, comment="name of the paid engine"),
        sa.Column("gallery", sa.Text(), nullable=False, comment="gallery that the call is for"),
        sa.Column("region", sa.Text(), nullable=False, comment="AWS region; empty elsewhere"),
        sa.Column("operation", sa.Text(), nullable=False, comment="IndexFaces, SearchFaces ..."),
        sa.Column(
            "sha256", sa.Text(), nullable=True, comment="content hash of the photo to be enrolled; null for other calls"
        ),
        sa.Column(
            "microdollars", sa.BigInteger(), nullable=False, comment="price of the call, in millionths of a US dollar"
        ),
        sa.Column("started_at", sa.Text(), nullable=False, comment="UTC"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_intents")),
        comment="paid calls without a recorded charge: written before the call, deleted with its charge",
    )
    op.create_table(
        "catalogue",
        sa.Column("id", ROW_ID, autoincrement=False, nullable=False, comment="always 1"),
        sa.Column(
            "owner",
            sa.Text(),
            nullable=False,
            comment="random name of this catalogue, marks its faces in shared galleries",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalogue")),
        comment="one row: the identity of this catalogue",
    )

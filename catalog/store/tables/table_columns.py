"""What the tables share: metadata, types, and columns that several tables have."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, Integer, MetaData, Text

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

metadata = MetaData(naming_convention=NAMING)

# SQLite has automatic row ids for INTEGER PRIMARY KEY only.
RowId = BigInteger().with_variant(Integer(), "sqlite")

# Uris are compared as bytes, so that a listing and the locations of a source can be merged, and so that all locations
# below a folder are a range of the index. SQLite compares text as bytes by default.
Uri = Text().with_variant(Text(collation="C"), "postgresql")


def row_id() -> Column[int]:
    return Column("id", RowId, primary_key=True, autoincrement=True, comment="internal row id, never shown")


def box_columns() -> list[Column[float]]:
    return [
        Column("box_left", Float, nullable=False, comment="left edge, fraction of the upright width; may be below 0"),
        Column("box_top", Float, nullable=False, comment="top edge, fraction of the upright height; may be below 0"),
        Column("box_width", Float, nullable=False, comment="width, fraction of the upright width"),
        Column("box_height", Float, nullable=False, comment="height, fraction of the upright height"),
    ]


def boolean_attribute(name: str, question: str) -> list[Column[bool] | Column[float]]:
    return [
        Column(name, Boolean, comment=f"{question}; null: not measured"),
        Column(f"{name}_confidence", Float, comment=f"confidence of `{name}`, 0-100"),
    ]

"""Rows of the documented views, with the same Python types from both databases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from enum import StrEnum
from itertools import islice
from typing import Any

from sqlalchemy import Connection

from catalog.domain.box_columns import BOX_COLUMNS
from catalog.store.public_views import View, expand_macros

BATCH_ROWS = 20_000


class ColumnType(StrEnum):
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    TEXT = "text"


_INTEGERS = {
    *("photos", "faces", "measured", "scan_id", "calls", "places", "width", "height", "size", "taken_at_offset"),
    *("age_low", "age_high", "exit_code", "discovered", "new", "unchanged", "changed", "moved", "duplicate", "skipped"),
    *("failed", "rejected", "persons_new", "decision_id"),
    *("hit_id", "hits", "open_hits", "reference_faces", "negative_faces", "entry"),
}
_NUMBERS = {
    *BOX_COLUMNS,
    *("similarity", "confidence", "roll", "yaw", "pitch", "brightness", "sharpness", "share"),
    *("threshold", "margin", "accept", "refuse"),
    *("gps_latitude", "gps_longitude", "gps_altitude", "dollars"),
    *("apparent_age", "apparent_birth_year", "eye_yaw", "eye_pitch"),
}
_BOOLEANS = {
    *("hidden", "undone", "smile", "eyeglasses", "sunglasses", "beard", "mustache", "eyes_open", "mouth_open"),
    *("face_occluded", "counts"),
}


def column_type(name: str) -> ColumnType:
    """Return the type of a view column. A column name has the same type in every view."""
    if name in _BOOLEANS:
        return ColumnType.BOOLEAN
    if name in _INTEGERS:
        return ColumnType.INTEGER
    return ColumnType.NUMBER if name in _NUMBERS or name.endswith("_confidence") else ColumnType.TEXT


MONTHLY_VIEWS = frozenset(
    {
        *("v1_photos", "v1_faces", "v1_appearances", "v1_named_appearances"),
        *("v1_locations", "v1_rejected_faces", "v1_hits"),
    }
)
"""Views of which each row is about a photo of the catalogue, whose date it is grouped by."""


def view_batches(connection: Connection, view: View) -> Iterator[list[list[Any]]]:
    """Stream the rows of a view in batches of up to ``BATCH_ROWS``, values in the order of its columns."""
    names = [column.name for column in view.columns]
    return _batches(connection, f"SELECT {', '.join(names)} FROM {view.name}", names)  # noqa: S608  our own views


def monthly_batches(connection: Connection, view: View) -> Iterator[list[list[Any]]]:
    """As :func:`view_batches`, with one more value: the local month of the photo, such as 2024-06, its year, or None.

    The view is one of ``MONTHLY_VIEWS``.
    """
    names = [column.name for column in view.columns]
    shown = ", ".join(f"shown.{name}" for name in names)
    select = expand_macros(
        f"SELECT {shown}, LOCAL_MONTH(dated) FROM {view.name} AS shown"  # noqa: S608  our own views
        " LEFT JOIN photos AS dated ON dated.sha256 = shown.photo_sha256"
    )
    return _batches(connection, select, [*names, "month"])


def _batches(connection: Connection, select: str, names: Sequence[str]) -> Iterator[list[list[Any]]]:
    types = [column_type(name) for name in names]
    if connection.dialect.name == "postgresql":
        # All rows are read, not the first tenth, for which PostgreSQL plans a cursor.
        connection.exec_driver_sql("SET LOCAL cursor_tuple_fraction = 1.0")
    rows = iter(connection.exec_driver_sql(select, execution_options={"yield_per": BATCH_ROWS}))
    while batch := list(islice(rows, BATCH_ROWS)):
        yield [[_converted(value, kind) for value, kind in zip(row, types, strict=True)] for row in batch]


def _converted(value: Any, kind: ColumnType) -> Any:
    """SQLite returns booleans as 0 and 1, PostgreSQL returns sums as ``Decimal``."""
    if value is None:
        return None
    if kind is ColumnType.BOOLEAN:
        return bool(value)
    if kind is ColumnType.INTEGER:
        return int(value)
    return float(value) if isinstance(value, Decimal) else value

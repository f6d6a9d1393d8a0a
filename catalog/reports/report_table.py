"""The table that a report or an SQL statement returns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

SQL_TIME_LIMIT = 300.0
"""Seconds that a statement of the user may take by default."""
Value = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class ReportTable:
    """Rows of plain values. ``truncated``: there are more rows than the limit."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]
    truncated: bool = False

    def records(self) -> Iterator[dict[str, Value]]:
        return (dict(zip(self.columns, row, strict=True)) for row in self.rows)

"""The table that a report or an SQL statement returns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

SQL_TIME_LIMIT = 300.0
"""Seconds that a statement of the user may take by default."""
Value = str | int | float | bool | None
_ROWS_PER_CALL = 1000
"""Rows between two calls of ``on_rows``."""


@dataclass(frozen=True, slots=True)
class ReportTable:
    """Rows of plain values. ``truncated``: there are more rows than the limit."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]
    truncated: bool = False

    def records(self) -> Iterator[dict[str, Value]]:
        return (dict(zip(self.columns, row, strict=True)) for row in self.rows)


class ReportRows:
    """Rows that are read from the database while they are iterated, once. Memory holds a few of them.

    ``truncated`` is known after the last row, and so is ``count``. ``on_rows`` is called with numbers of further rows.
    """

    def __init__(
        self,
        columns: Sequence[str],
        rows: Iterable[tuple[Value, ...]],
        limit: int | None,
        on_rows: Callable[[int], None] | None = None,
    ) -> None:
        self.columns = tuple(columns)
        self.truncated = False
        self.count = 0
        self._rows = rows
        self._limit = limit
        self._on_rows = on_rows

    def __iter__(self) -> Iterator[tuple[Value, ...]]:
        for row in self._rows:
            if self.count == self._limit:
                self.truncated = True
                return
            self.count += 1
            if self._on_rows is not None and self.count % _ROWS_PER_CALL == 0:
                self._on_rows(_ROWS_PER_CALL)
            yield row

    def table(self) -> ReportTable:
        """Read all rows."""
        rows = tuple(self)
        return ReportTable(self.columns, rows, self.truncated)

"""Run a named report. Reads only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, text

from catalog.domain.errors import UsageError
from catalog.reports.co_occurrence import most_frequent_companion, shared_photos
from catalog.reports.confidence_interval import SMALL_SAMPLE, wilson_interval
from catalog.reports.filters import ReportFilters, parameters
from catalog.reports.gallery_filter import Gallery, gallery_values
from catalog.reports.reading import reading
from catalog.reports.report_registry import BandColumns, Report
from catalog.reports.report_table import ReportRows, Value
from catalog.store.database import Database

UNLIMITED = 2**63 - 1
_STREAMED_ROWS = 10_000
"""Rows in memory at a time, if a report has more."""
_Rows = Iterator[tuple[Value, ...]]


@contextmanager
def open_report(
    database: Database,
    report: Report,
    filters: ReportFilters | None = None,
    limit: int | None = None,
    *,
    gallery: Gallery | None = None,
    on_rows: Callable[[int], None] | None = None,
) -> Iterator[ReportRows]:
    """Run a report on the photos that pass the filters and on the faces of a gallery. Rows are read inside the block.

    Without a gallery, or if it holds no face, uses the gallery with the latest enrolled face. ``limit``: most rows.

    Raises ``UsageError`` for a filter that the report does not accept, ``PersonError`` for an unknown or ambiguous
    person.
    """
    filters = filters or ReportFilters()
    unknown = [name for name in filters.names if name not in report.parameters]
    if unknown:
        accepted = ", ".join(f"--{name}" for name in ("since", "until", "person", "album") if name in report.parameters)
        raise UsageError(
            f'The report "{report.name}" does not accept --{unknown[0]}.', remedy=f"It accepts: {accepted}."
        )
    with reading(database) as connection:
        values = parameters(filters, connection) | gallery_values(connection, gallery)
        if report.shares:
            values["shared"] = shared_photos(connection, values, None if limit is None else limit + 1)
        sql = report.select(database.dialect, several=bool(values["several"]))
        companions = most_frequent_companion(connection, values) if report.company else None
        columns, rows = _query(connection, sql, values, limit)
        if companions is not None:
            columns, rows = _with_co_occurrence(columns, rows, companions)
        if report.band:
            columns, rows = _with_band(columns, rows, report.band)
        yield ReportRows(columns, rows, limit, on_rows)


def _query(
    connection: Connection, sql: str, values: Mapping[str, str], limit: int | None
) -> tuple[tuple[str, ...], _Rows]:
    """Run SQL with named parameters. Its ``:limit`` is one above ``limit``, so that a further row is noticed."""
    statement = text(sql)
    if limit is None or limit > _STREAMED_ROWS:
        if connection.dialect.name == "postgresql":
            # All rows are read, not the first tenth, for which PostgreSQL plans a cursor.
            connection.exec_driver_sql("SET LOCAL cursor_tuple_fraction = 1.0")
        statement = statement.execution_options(yield_per=_STREAMED_ROWS)
    result = connection.execute(statement, {**values, "limit": UNLIMITED if limit is None else limit + 1})
    return tuple(result.keys()), (tuple(map(plain_value, row)) for row in result)


def _with_co_occurrence(
    columns: Sequence[str], rows: _Rows, companions: Mapping[str, str]
) -> tuple[tuple[str, ...], _Rows]:
    """Add a column ``company``: name or id of the most frequent companion of each person."""
    column = columns.index("person_id")
    return (*columns, "company"), ((*row, companions.get(str(row[column]))) for row in rows)


def plain_value(value: Any) -> Value:
    """Convert a database value to text, number, boolean or None. Bytes become hex digits."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if value is None or isinstance(value, str | int | float):
        return value
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else str(value)


def _with_band(columns: Sequence[str], rows: _Rows, band: BandColumns) -> tuple[tuple[str, ...], _Rows]:
    """Add the share in percent, its 95 % confidence interval, and ``sample``: small or ok."""
    count, total = columns.index(band.count), columns.index(band.total)
    with_share = ((*row, *_share(_integer(row[count]), _integer(row[total]))) for row in rows)
    return (*columns, "share", "share_low", "share_high", "sample"), with_share


def _share(count: int, total: int) -> Sequence[Value]:
    low, high = wilson_interval(count, total)
    sample = "small" if total < SMALL_SAMPLE else "ok"
    return round(100 * count / total, 1), round(100 * low, 1), round(100 * high, 1), sample


def _integer(value: Value) -> int:
    assert isinstance(value, int)
    return value

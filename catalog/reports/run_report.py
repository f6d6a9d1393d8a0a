"""Asks the catalogue: a named report, or one SQL statement of the user's own. Nothing is ever written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, text

from catalog.domain.errors import UsageError
from catalog.reports.co_occurrence import most_frequent_companion, shared_photos
from catalog.reports.confidence_interval import SMALL_SAMPLE, wilson_interval
from catalog.reports.filters import ReportFilters, parameters
from catalog.reports.gallery_filter import Gallery, gallery_values
from catalog.reports.report_registry import BandColumns, Report
from catalog.store.database import Database

UNLIMITED = 2**63 - 1
Value = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class ReportTable:
    """Rows of plain values. ``truncated``: there were more rows than the limit allowed."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]
    truncated: bool = False

    def records(self) -> Iterator[dict[str, Value]]:
        return (dict(zip(self.columns, row, strict=True)) for row in self.rows)


@contextmanager
def reading(database: Database) -> Iterator[Connection]:
    """A connection for questions that look at much of the catalogue."""
    with database.read() as connection:
        if database.dialect == "sqlite":
            # Pages are read in place instead of being copied: a third of the time on a catalogue of a million faces.
            connection.exec_driver_sql("PRAGMA mmap_size = 17179869184")
            connection.exec_driver_sql("PRAGMA cache_size = -131072")
        yield connection


def run_report(
    database: Database,
    report: Report,
    scope: ReportFilters | None = None,
    limit: int | None = None,
    *,
    gallery: Gallery | None = None,
) -> ReportTable:
    """The report's answer within a scope, as ``gallery`` knows the faces.

    Without a gallery, or where it holds no face, it is about the one that a face was enrolled in last.

    Raises ``UsageError`` for a limit of scope that the report does not know, and for a person
    that nobody or several are.
    """
    scope = scope or ReportFilters()
    unknown = [name for name in scope.given if name not in report.parameters]
    if unknown:
        known = ", ".join(f"--{name}" for name in ("since", "until", "person", "album") if name in report.parameters)
        raise UsageError(f'The report "{report.name}" knows no --{unknown[0]}.', remedy=f"It knows: {known}.")
    with reading(database) as connection:
        values = parameters(scope, connection) | gallery_values(connection, gallery)
        if report.shares:
            values["shared"] = shared_photos(connection, values, None if limit is None else limit + 1)
        sql = report.select(database.dialect, several=bool(values["several"]))
        answer = ask(connection, sql, values, limit)
        if report.company:
            answer = with_co_occurrence(connection, answer, values)
    return with_band(answer, report.band) if report.band else answer


def ask(connection: Connection, sql: str, values: Mapping[str, str], limit: int | None = None) -> ReportTable:
    """Run SQL of our own with named parameters; its ``:limit`` is one above ``limit``, to see whether there is more."""
    statement = text(sql)
    result = connection.execute(statement, {**values, "limit": UNLIMITED if limit is None else limit + 1})
    columns = tuple(result.keys())
    rows = [tuple(map(plain, row)) for row in result]
    return ReportTable(columns, tuple(rows[:limit]), truncated=limit is not None and len(rows) > limit)


def with_co_occurrence(connection: Connection, answer: ReportTable, values: Mapping[str, str]) -> ReportTable:
    """Add the name, or else the id, of whoever shares the most photos with each person of the answer."""
    person = answer.columns.index("person_id")
    friends = most_frequent_companion(connection, values)
    rows = [(*row, friends.get(str(row[person]))) for row in answer.rows]
    return ReportTable((*answer.columns, "company"), tuple(rows), answer.truncated)


def plain(value: Any) -> Value:
    """A database's value as text, number, truth or nothing."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if value is None or isinstance(value, str | int | float):
        return value
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else str(value)


def with_band(answer: ReportTable, band: BandColumns) -> ReportTable:
    """Add the share in percent, its 95 % band, and a mark where it rests on few faces."""
    count, total = answer.columns.index(band.count), answer.columns.index(band.total)
    rows = [(*row, *_share(_whole(row[count]), _whole(row[total]))) for row in answer.rows]
    columns = (*answer.columns, "share", "share_low", "share_high", "sample")
    return ReportTable(columns, tuple(rows), answer.truncated)


def _share(count: int, total: int) -> Sequence[Value]:
    low, high = wilson_interval(count, total)
    sample = "small" if total < SMALL_SAMPLE else "ok"
    return round(100 * count / total, 1), round(100 * low, 1), round(100 * high, 1), sample


def _whole(value: Value) -> int:
    assert isinstance(value, int)
    return value

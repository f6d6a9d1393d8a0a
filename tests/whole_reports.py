"""Reports and statements read to their last row."""

from __future__ import annotations

from catalog.reports.filters import ReportFilters
from catalog.reports.gallery_filter import Gallery
from catalog.reports.report_registry import Report
from catalog.reports.report_table import SQL_TIME_LIMIT, ReportTable
from catalog.reports.run_report import open_report
from catalog.reports.sql_statement import open_statement
from catalog.store.database import Database


def run_report(
    database: Database,
    report: Report,
    filters: ReportFilters | None = None,
    limit: int | None = None,
    *,
    gallery: Gallery | None = None,
) -> ReportTable:
    """Run a report; see :func:`open_report`."""
    with open_report(database, report, filters, limit, gallery=gallery) as rows:
        return rows.table()


def run_statement(
    database: Database,
    sql: str,
    limit: int | None = None,
    *,
    seconds: float = SQL_TIME_LIMIT,
    allow_superuser: bool = False,
) -> ReportTable:
    """Run one SELECT; see :func:`open_statement`."""
    with open_statement(database, sql, limit, seconds=seconds, allow_superuser=allow_superuser) as rows:
        return rows.table()

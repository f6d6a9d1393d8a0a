"""Reports, the user's own SQL, status and charges."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from catalog.app.engines import configured_engine
from catalog.app.lazy_module import LazyModule
from catalog.app.open_database import shown_address
from catalog.app.resources import Resources
from catalog.reports.filters import ReportFilters
from catalog.reports.gallery_filter import Gallery
from catalog.reports.report_registry import find_report
from catalog.reports.report_table import ReportRows
from catalog.reports.status import Status, read_status
from catalog.store import charges as store
from catalog.store.charges import ChargeSum
from catalog.store.gallery_info import faces_by_gallery

if TYPE_CHECKING:
    from catalog.reports import run_report, sql_statement
else:  # the status needs no report
    run_report = LazyModule("catalog.reports.run_report")
    sql_statement = LazyModule("catalog.reports.sql_statement")


def status(resources: Resources) -> Status:
    with resources.reading() as database:
        counts = read_status(database)
    # A missing catalogue is read from memory; its own address is the one to show.
    return replace(counts, database=shown_address(resources.settings))


def charges(resources: Resources, since: datetime | None) -> tuple[ChargeSum, ...]:
    month = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    with resources.reading() as database, database.read() as connection:
        return tuple(store.charges_since(connection, since or month))


def charges_by_scan(resources: Resources, scans: int) -> tuple[ChargeSum, ...]:
    with resources.reading() as database, database.read() as connection:
        return tuple(store.charges_by_scan(connection, scans=scans))


def price_note(resources: Resources, engine: str, region: str) -> str:
    is_known = engine in resources.settings.engine_options
    return configured_engine(resources.settings, engine).price_note(region) if is_known else ""


@dataclass(frozen=True, slots=True)
class StoredFaces:
    """Faces of this catalogue that a paid engine stores, and their price."""

    engine: str
    gallery: str
    faces: int
    dollars_a_month: Decimal


def stored_faces(resources: Resources) -> tuple[StoredFaces, ...]:
    with resources.reading() as database, database.read() as connection:
        galleries = faces_by_gallery(connection)
    stored = []
    for name, gallery_name, faces in galleries:
        if name in resources.settings.engine_options:
            engine = configured_engine(resources.settings, name)
            dollars = faces * engine.spec.face_month_price(engine.options)
            if dollars:
                stored.append(StoredFaces(name, gallery_name, faces, dollars))
    return tuple(stored)


@contextmanager
def open_report(
    resources: Resources, name: str, filters: ReportFilters, limit: int | None, on_rows: Callable[[int], None] | None
) -> Iterator[ReportRows]:
    with (
        resources.reading() as database,
        run_report.open_report(
            database, find_report(name), filters, limit, gallery=gallery(resources), on_rows=on_rows
        ) as rows,
    ):
        yield rows


@contextmanager
def open_sql(
    resources: Resources,
    statement: str,
    limit: int | None,
    seconds: float,
    allow_superuser: bool,
    on_rows: Callable[[int], None] | None,
) -> Iterator[ReportRows]:
    with (
        resources.reading() as database,
        sql_statement.open_statement(
            database, statement, limit, seconds=seconds, allow_superuser=allow_superuser, on_rows=on_rows
        ) as rows,
    ):
        yield rows


def gallery(resources: Resources) -> Gallery:
    """The gallery that the settings select."""
    return Gallery(resources.settings.engine.name, resources.gallery)

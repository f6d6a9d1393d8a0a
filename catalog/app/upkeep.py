"""Upkeep of a catalogue: missing photos, the gallery, the database's schema."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from catalog.app.after_scan import ASSIGNMENT_ONLY, run_after_scan_steps
from catalog.app.open_database import database_address, shown_address
from catalog.app.resources import Resources
from catalog.domain.charges import Charge, Operation
from catalog.domain.uri import FILE_SCHEME, S3_SCHEME, absolute_path, file_uri
from catalog.engines.engine_spec import SpendingLimit
from catalog.identities.assignment.neighbor_searches import plan_searches
from catalog.scanning import prune as pruning
from catalog.scanning import reconcile as reconciling
from catalog.scanning.prune import PruneResult
from catalog.scanning.reconcile import GalleryDifference, GalleryRepair
from catalog.scanning.remove_source import plan_source_removal
from catalog.scanning.remove_source import remove_source as remove
from catalog.scanning.summary import Summary
from catalog.store import log_copying
from catalog.store import scans as scan_rows
from catalog.store.source_rows import SourceRow, read_sources, scanned_sources

if TYPE_CHECKING:  # loads Alembic
    from catalog.store.migrate import Upgrade


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """``difference`` before the repair; ``repair`` is None if none was asked for, and then ``quotes`` are its costs.

    Of the quotes, IndexFaces is exact if every photo can be read. SearchFaces is an upper bound.
    """

    difference: GalleryDifference
    repair: GalleryRepair | None
    quotes: tuple[Charge, ...] = ()


def reconcile(resources: Resources, *, dry_run: bool, remove_unknown: bool, limit: SpendingLimit) -> Reconciliation:
    with resources.with_spending_limit(limit) as limited:
        shared = resources.configured_engine.capabilities.shares_gallery and not remove_unknown
        return _compare(limited, shared) if dry_run else _repair(limited, shared)


def _compare(resources: Resources, shared: bool) -> Reconciliation:
    difference = reconciling.compare(
        resources.database, resources.repair_engine, gallery=resources.gallery, shared=shared
    )
    if not resources.configured_engine.capabilities.is_paid or not difference.missing:
        return Reconciliation(difference, None)
    with resources.database.read() as connection:
        searches = plan_searches(
            connection,
            engine=resources.settings.engine.name,
            gallery=resources.gallery,
            new_photos=0,  # the photos are known, and their faces keep their searches
        )
    index = resources.quote(Operation.INDEX_FACES, len(difference.missing))
    return Reconciliation(difference, None, (index, resources.quote(Operation.SEARCH_FACES, searches.at_most)))


def _repair(resources: Resources, shared: bool) -> Reconciliation:
    difference, repair = reconciling.reconcile(
        resources.database,
        resources.repair_engine,
        gallery=resources.gallery,
        shared=shared,
        region=resources.region,
        read=resources.read_location,
        open_photo=resources.open_photo,
        now=datetime.now(UTC),
        store_expressions=resources.settings.employees.store_expressions,
    )
    if repair.enrolled:
        run_after_scan_steps(resources, None, Summary(), ASSIGNMENT_ONLY)
    return Reconciliation(difference, repair)


def prune(resources: Resources, older_than: timedelta, *, dry_run: bool) -> PruneResult:
    now = datetime.now(UTC)
    if dry_run:
        with resources.existing_database() as database:
            return pruning.plan_prune(database, now - older_than)
    return pruning.prune(
        resources.database,
        lambda: resources.engine,
        name=resources.settings.engine.name,
        gallery=resources.gallery,
        before=now - older_than,
        now=now,
    )


def copying_log(resources: Resources) -> AbstractContextManager[None]:
    return log_copying.copying_log(resources.database)


def scan_progress(resources: Resources) -> int | None:
    with resources.reading() as database, database.read() as connection:
        running = scan_rows.running_scans(connection)
        return scan_rows.count_recorded(connection, running) if running else None


def sources(resources: Resources) -> tuple[SourceRow, ...]:
    with resources.existing_database() as database, database.read() as connection:
        return tuple(read_sources(connection))


def remove_source(resources: Resources, address: str, *, dry_run: bool) -> PruneResult:
    with resources.existing_database() as database, database.read() as connection:
        uri = source_uri(address, scanned_sources(connection))
    if dry_run:
        with resources.existing_database() as database:
            return plan_source_removal(database, uri)
    return remove(
        resources.database,
        lambda: resources.engine,
        uri,
        name=resources.settings.engine.name,
        gallery=resources.gallery,
        now=datetime.now(UTC),
    )


def source_uri(address: str, scanned: Sequence[str]) -> str:
    """The uri of a source as it was scanned; the folder need not exist any more."""
    uri = address if address.startswith((FILE_SCHEME, S3_SCHEME)) else file_uri(absolute_path(address))
    folder = uri.rstrip("/") + "/"
    return folder if folder in scanned else uri


def upgrade_database(resources: Resources) -> tuple[str, Upgrade]:
    # Heavy: Alembic, which no other call needs for a catalogue that is up to date.
    from catalog.store import migrate

    return shown_address(resources.settings), migrate.upgrade(database_address(resources.settings))

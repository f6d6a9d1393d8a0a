"""The row of a scan in the table ``scans``: written at the beginning, completed at the end, however the scan ends."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from catalog.domain.engine import Engine
from catalog.domain.errors import CatalogError, DatabaseError
from catalog.scanning.summary import Summary
from catalog.store.database import Database
from catalog.store.scans import ScanState, close_abandoned, finish_scan, record_charges, start_scan

log = logging.getLogger(__name__)


@contextlib.contextmanager
def recorded_scan(
    database: Database,
    engine: Engine,
    summary: Summary,
    *,
    gallery: str,
    region: str,
    version: str,
    sources: Sequence[str],
    is_shared: bool,
) -> Iterator[int]:
    """Record that a scan begins and, after the block, how it ended. Yields the scan's id.

    Charges of calls whose responses were lost are recorded with the end. Scans of the same sources that were killed are
    marked as interrupted, unless the sources are shared: then they may still be running.
    """
    with database.begin() as connection:
        if not is_shared:
            close_abandoned(connection, sources)
        scan_id = start_scan(
            connection,
            engine=engine.name,
            gallery=gallery,
            model=engine.model,
            sources=sources,
            version=version,
            now=datetime.now(UTC),
        )
    log.info("scan started", extra={"scan": scan_id, "sources": sources, "engine": engine.name, "gallery": gallery})
    state: ScanState = "failed"
    exit_code = 1
    try:
        yield scan_id
        state, exit_code = "completed", 3 if summary.failed else 0
        if summary.suspect_folders:
            exit_code = summary.suspect_folders.exit_code
        if summary.limit:
            state, exit_code = "limited", summary.limit.exit_code
    except (KeyboardInterrupt, GeneratorExit):
        state, exit_code = "interrupted", 130
        raise
    except CatalogError as error:
        exit_code = error.exit_code
        raise
    finally:
        unreported = engine.take_unreported_charges()
        summary.add_charges(unreported)
        now = datetime.now(UTC)
        with _unless_already_failing(state), database.begin() as connection:
            record_charges(
                connection, unreported, engine=engine.name, region=region, command="scan", scan_id=scan_id, now=now
            )
            finish_scan(connection, scan_id, state=state, exit_code=exit_code, counts=summary.counts(), now=now)
        log.info("scan ended", extra={"scan": scan_id, "state": state, "exit_code": exit_code, **summary.counts()})


@contextlib.contextmanager
def _unless_already_failing(state: ScanState) -> Iterator[None]:
    """Suppress a database error where the scan fails anyway, so that the first error is the one that is raised."""
    try:
        yield
    except DatabaseError:
        if state == "completed":
            raise

"""Run one scan: plan, read, enroll, record, close each source, then the after-scan steps.

For each source:

1. ``plan`` compares the listing with the known locations. Unchanged photos are done, and are passed on in batches.
2. ``read_stage`` reads and hashes the others. Content that the gallery holds goes to step 4.
3. ``enroll_stage`` decodes a photo and enrolls its faces.
4. ``record_stage`` writes photos, locations, faces and charges, many in one transaction.
5. ``close_source`` marks locations that a complete listing did not show as missing.

The database is the only record of progress. A scan that ends early, even by a kill, is resumed by the same command.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING

from catalog.domain.engine import Engine
from catalog.domain.errors import CatalogError, LimitReached, SourceError, UsageError
from catalog.domain.photos import Outcome
from catalog.domain.source import Source
from catalog.domain.uri import display
from catalog.scanning.close_source import close_source
from catalog.scanning.enroll_stage import OpenPhoto
from catalog.scanning.enrollment_claims import SoloClaims
from catalog.scanning.photo_reader import MakeReader
from catalog.scanning.pipeline import ScanPipeline
from catalog.scanning.plan import LONGEST_URI, Unchanged
from catalog.scanning.record_stage import Recorder
from catalog.scanning.scan_row import recorded_scan
from catalog.scanning.shared_scan import SharedScan
from catalog.scanning.solo_scan import SoloScan, SourceScan
from catalog.scanning.stop_signal import StopSignal
from catalog.scanning.summary import Summary
from catalog.store.database import Database
from catalog.store.photos import count_lost_photos
from catalog.store.source_locks import Locks, lock_sources

if TYPE_CHECKING:
    from catalog.scanning.paid_shots import PaidShots

log = logging.getLogger(__name__)

LOCK_CHECK_SECONDS = 5.0

_PHOTOS_PER_WORKER = 8
"""Photos that a worker takes from the queue of a shared source at once, for each of its threads."""


@dataclass(frozen=True, slots=True)
class RunLimits:
    """When a scan begins and ends, and what it believes.

    ``photos`` is the number of photos to read, None for all. ``wait_seconds`` is how long another scan of a source is
    waited for. With ``believe_empty`` an empty source or folder is believed, and its photos become missing. ``shared``
    lets other workers take part in the same sources.
    """

    photos: int | None = None
    stop: StopSignal = field(default_factory=StopSignal)
    wait_seconds: float = 0
    believe_empty: bool = False
    shared: bool = False


def scan(
    sources: Sequence[Source],
    *,
    database: Database,
    engine: Engine,
    open_photo: OpenPhoto,
    after_scan: Callable[[int, Summary], None],
    gallery: str,
    version: str,
    workers: int,
    region: str = "",
    limits: RunLimits | None = None,
    zone: tzinfo | None = None,
    store_expressions: bool = False,
    pays_per_shot: bool = False,
    make_reader: MakeReader | None = None,
) -> Iterator[Outcome | Unchanged | Summary]:
    """Scan the sources; yields an outcome for each photo, those of unchanged ones many at once, and last the summary.

    ``zone`` is the zone of the library. With ``pays_per_shot`` one file of an exposure is enrolled, as far as names
    tell. ``make_reader`` makes a reader of photos on other machines; by default threads of this process read.
    ``after_scan`` is called once with the scan's id and the summary, after the last photo. Raises SourceError,
    EngineError, DatabaseError and LockHeld, and KeyboardInterrupt when ``limits.stop`` was interrupted. Everything
    recorded before that is kept.

    ``store_expressions`` stores expressions also while employees are enrolled for verification.
    """
    limits = limits or RunLimits()
    uris = [source.uri for source in sources]
    _check_arguments(uris, database, limits)
    began, summary = datetime.now(UTC), Summary()
    with (
        lock_sources(database, uris, shared=limits.shared, wait_seconds=limits.wait_seconds) as locks,
        recorded_scan(
            database,
            engine,
            summary,
            gallery=gallery,
            region=region,
            version=version,
            sources=uris,
            is_shared=limits.shared,
        ) as scan_id,
    ):
        recorder = Recorder(
            database,
            engine,
            gallery=gallery,
            region=region,
            scan_id=scan_id,
            zone=zone,
            store_expressions=store_expressions,
        )
        recorder.drain_pending_removals()
        pipeline = ScanPipeline(
            recorder,
            engine,
            open_photo,
            workers=workers,
            limit=limits.photos,
            stop=limits.stop,
            before_record=_periodic_check(locks),
            claims=SoloClaims(locks),
            paid_shots=_paid_shots(database, engine, gallery) if pays_per_shot else None,
            reader=None if make_reader is None else make_reader(recorder.is_enrolled),
        )
        missing: list[int] = []
        has_closed = not limits.shared  # of the workers of a shared source, the one that closed it runs the steps
        try:
            for source in sources:
                part: SourceScan = SoloScan(source, database, engine.name, gallery)
                if limits.shared:
                    size = _PHOTOS_PER_WORKER * workers
                    part = SharedScan(source, database, locks, engine.name, gallery, began=began, batch_size=size)
                yield from _counted(part, pipeline, limits.stop, summary)
                if pipeline.is_full:
                    summary.limit = _out_of_time() if limits.stop.is_out_of_time else None
                    break
                if part.is_planner:
                    has_closed = True
                    closed = close_source(database, scan_id, part.listing, believe_empty=limits.believe_empty)
                    summary.suspect_folders = summary.suspect_folders or closed.suspects
                    missing.extend(closed.missing)
            else:
                locks.check()
                recorder.release(uris)
                summary.reclassify_moved(recorder.recount_moved())
                with database.read() as connection:
                    summary.missing = count_lost_photos(connection, missing)
        except LimitReached as reached:
            summary.limit = reached
        finally:
            pipeline.close()
        if limits.stop.is_interrupted:
            raise KeyboardInterrupt
        try:
            if has_closed:
                after_scan(scan_id, summary)
        except LimitReached as reached:
            summary.limit = summary.limit or reached
    yield summary


def _paid_shots(database: Database, engine: Engine, gallery: str) -> PaidShots:
    from catalog.scanning.paid_shots import PaidShots  # not loaded for engines that cost nothing

    return PaidShots(database, engine=engine.name, gallery=gallery)


def _check_arguments(uris: Sequence[str], database: Database, limits: RunLimits) -> None:
    for uri in uris:
        if len(uri) > LONGEST_URI:
            raise SourceError(f'The path of the source "...{display(uri)[-60:]}" is too long.')
    if limits.shared and database.dialect != "postgresql":
        raise UsageError("Several workers can share a source on PostgreSQL only.", remedy="Leave --worker out.")


def _counted(
    part: SourceScan, pipeline: ScanPipeline, stop: StopSignal, summary: Summary
) -> Iterator[Outcome | Unchanged]:
    """Yield the outcomes of one source and count them. If anything fails, finished enrollments are recorded."""
    with stop.polled():
        try:
            for outcome in part.run(pipeline, stop):
                if isinstance(outcome, Unchanged):
                    summary.count_untouched(len(outcome.locations))
                else:
                    summary.count(outcome)
                yield outcome
        except BaseException:  # charges must be recorded even on KeyboardInterrupt, because the calls were billed
            _save(pipeline, summary)
            raise


def _save(pipeline: ScanPipeline, summary: Summary) -> None:
    """Record finished photos after a failure. A second failure is logged; the first one is raised by the caller."""
    try:
        for outcome in pipeline.save():
            summary.count(outcome)
    except Exception as error:  # noqa: BLE001 - the first failure is the one to report, whatever this one is
        reason = str(error) if isinstance(error, CatalogError) else type(error).__name__
        log.error("finished photos could not be recorded", extra={"reason": reason})


def _out_of_time() -> LimitReached:
    return LimitReached(
        "The time limit of the scan is reached. Finished photos are recorded.",
        remedy="Run the same command again to continue.",
    )


def _periodic_check(locks: Locks) -> Callable[[], None]:
    """Check the locks every few seconds: they are lost when the database server closes their connection."""
    checked = time.monotonic()

    def check() -> None:
        nonlocal checked
        if time.monotonic() - checked >= LOCK_CHECK_SECONDS:
            locks.check()
            checked = time.monotonic()

    return check

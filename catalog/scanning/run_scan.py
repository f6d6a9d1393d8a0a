"""The corridor: one scan from listing to persons, named step by step."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from catalog.domain.engine import Engine, Metered
from catalog.domain.errors import CatalogError, DatabaseError, LimitReached, SourceError, UsageError
from catalog.domain.photos import Outcome, OutcomeKind
from catalog.domain.source import Source
from catalog.domain.uri import display
from catalog.scanning.enrollment_claims import OwnClaims
from catalog.scanning.missing_detection import MissingDetection, missing_folder_error
from catalog.scanning.pipeline import ScanPipeline
from catalog.scanning.plan import LONGEST_URI
from catalog.scanning.read_stage import Open
from catalog.scanning.record_stage import Recorder
from catalog.scanning.seen_locations import CompletedListing
from catalog.scanning.shared_scan import SharedWalk
from catalog.scanning.solo_scan import SoloWalk, Walk
from catalog.scanning.stop_signal import StopSignal
from catalog.scanning.summary import Summary
from catalog.store.database import Database
from catalog.store.photos import count_locations_below, locations_below, mark_missing
from catalog.store.scans import (
    ScanState,
    close_abandoned,
    complete_source,
    finish_scan,
    record_charges,
    record_problem,
    start_scan,
)
from catalog.store.source_locks import Locks, lock_sources

log = logging.getLogger(__name__)

LOCK_CHECK_SECONDS = 5.0

_TAKE = 8
"""Photos that a worker of a shared source takes at once, for each of its threads."""


@dataclass(frozen=True, slots=True)
class Limits:
    """When to begin, when to end, and what not to believe.

    ``photos`` ends a scan after so many were read; ``stop`` when it is told to or its time is over; ``wait_seconds`` is
    how long another scan of a source is waited for; ``believe_empty`` takes an empty source, or folder, for what it is;
    ``shared`` lets other workers take part in the same sources.
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
    open_photo: Open,
    settle: Callable[[int, Summary], None],
    gallery: str,
    version: str,
    workers: int,
    region: str = "",
    limits: Limits | None = None,
) -> Iterator[Outcome | Summary]:
    """Catalogue the sources; yields an outcome for each photo and, last, the summary.

    ``settle`` is called once with the scan's id after the last photo, to work out who is who, and adds to the summary.
    Raises SourceError, EngineError, DatabaseError and LockHeld, and KeyboardInterrupt when ``limits.stop`` was
    interrupted. What was recorded until then is kept, and the same command
    again goes on from there.
    """
    limits = limits or Limits()
    uris = [source.uri for source in sources]
    _refuse_long(uris)
    if limits.shared and database.dialect != "postgresql":
        raise UsageError("Several workers can share a source on PostgreSQL only.", remedy="Leave --worker out.")
    began = _now()
    with lock_sources(database, uris, shared=limits.shared, wait_seconds=limits.wait_seconds) as locks:
        summary = Summary()
        with _booked(database, engine, gallery, version, uris, summary, region=region, shared=limits.shared) as scan_id:
            recorder = Recorder(database, engine, gallery=gallery, region=region, scan_id=scan_id)
            recorder.drain_pending_removals()
            line = ScanPipeline(
                recorder,
                engine,
                open_photo,
                workers=workers,
                limit=limits.photos,
                stop=limits.stop,
                on_record=_now_and_then(locks),
                claims=OwnClaims(locks),
            )
            settles = not limits.shared
            try:
                for source in sources:
                    walk: Walk = SoloWalk(source, database, engine.name, gallery)
                    if limits.shared:
                        take = _TAKE * workers
                        walk = SharedWalk(source, database, locks, engine.name, gallery, began=began, take=take)
                    yield from _counted(walk, line, limits.stop, summary)
                    if line.full:
                        summary.limit = _out_of_time() if limits.stop.out_of_time else None
                        break
                    if walk.planned:
                        settles = True
                        doubt = _close_source(database, scan_id, walk.listing, limits)
                        summary.doubt = summary.doubt or doubt
                else:
                    recorder.release(uris)
                    summary.moved_instead(recorder.recount_moved())
            except LimitReached as reached:
                summary.limit = reached
            finally:
                line.close()
            if limits.stop.interrupted:
                raise KeyboardInterrupt
            try:
                if settles:
                    settle(scan_id, summary)
            except LimitReached as reached:
                summary.limit = summary.limit or reached
    yield summary


@contextlib.contextmanager
def _booked(
    database: Database,
    engine: Engine,
    gallery: str,
    version: str,
    uris: Sequence[str],
    summary: Summary,
    *,
    region: str,
    shared: bool,
) -> Iterator[int]:
    """The scan's row: made at the beginning, and completed at the end, however it ends. Gives its id.

    With the end goes into the ledger what was paid, perhaps, for answers that never came.
    """
    with database.begin() as connection:
        if not shared:
            close_abandoned(connection, uris)
        scan_id = start_scan(
            connection,
            engine=engine.name,
            gallery=gallery,
            model=engine.model,
            sources=uris,
            version=version,
            now=_now(),
        )
    log.info("scan started", extra={"scan": scan_id, "sources": uris, "engine": engine.name, "gallery": gallery})
    state: ScanState = "failed"
    exit_code = 1
    try:
        yield scan_id
        state, exit_code = "completed", 3 if summary.failed else 0
        if summary.doubt:
            exit_code = summary.doubt.exit_code
        if summary.limit:
            state, exit_code = "limited", summary.limit.exit_code
    except (KeyboardInterrupt, GeneratorExit):
        state, exit_code = "interrupted", 130
        raise
    except CatalogError as error:
        exit_code = error.exit_code
        raise
    finally:
        lost = engine.take_unreported_charges() if isinstance(engine, Metered) else ()
        summary.pay(lost)
        with _unless_already_failing(state), database.begin() as connection:
            record_charges(
                connection, lost, engine=engine.name, region=region, command="scan", scan_id=scan_id, now=_now()
            )
            finish_scan(connection, scan_id, state=state, exit_code=exit_code, counts=summary.counts(), now=_now())
        ended = {"scan": scan_id, "state": state, "exit_code": exit_code, **summary.counts()}
        log.info("scan ended", extra=ended)


def _refuse_long(uris: Sequence[str]) -> None:
    for uri in uris:
        if len(uri) > LONGEST_URI:
            raise SourceError(f'The path of the source "...{display(uri)[-60:]}" is too long.')


def _counted(walk: Walk, line: ScanPipeline, stop: StopSignal, summary: Summary) -> Iterator[Outcome]:
    with stop.gently():
        try:
            for outcome in walk.walk(line, stop):
                summary.count(outcome)
                yield outcome
        except BaseException:  # whatever it was, answers that were paid for are kept
            _save(line, summary)
            raise


def _save(line: ScanPipeline, summary: Summary) -> None:
    """What failed is told by whoever raised it, also where it keeps this from being recorded."""
    try:
        for outcome in line.save():
            summary.count(outcome)
    except Exception as error:  # noqa: BLE001  the first failure is the one to tell, whatever this one is
        reason = str(error) if isinstance(error, CatalogError) else type(error).__name__
        log.error("what was done last could not be recorded", extra={"reason": reason})


def _out_of_time() -> LimitReached:
    return LimitReached(
        "The time of the scan is over; what it did is kept.", remedy="The same command again goes on from there."
    )


def _close_source(database: Database, scan_id: int, listing: CompletedListing, limits: Limits) -> SourceError | None:
    """A listing that went to its end tells what is gone; returned is what of that is not believed."""
    source, seen = listing.source, listing.seen
    vanished = MissingDetection(source.uri)
    with database.read() as connection:
        present = count_locations_below(connection, source.uri)
        if present and not listing.photos and not limits.believe_empty:
            raise SourceError(
                f'The source "{display(source.uri)}" is empty, where {present:,} photos were.',
                remedy="Check whether its disk is mounted. If the photos are really gone, scan again with --force.",
            )
        if not (seen.countable and len(seen) == present):
            for place in locations_below(connection, source.uri):
                if place not in seen and place.location_id <= listing.newest:
                    vanished.add(place)
        doubtful = [] if limits.believe_empty else vanished.doubtful(connection, present)
    gone = vanished.gone(doubtful)
    doubt = missing_folder_error(source.uri, doubtful) if doubtful else None
    with database.begin() as connection:
        mark_missing(connection, gone, _now())
        for each in doubtful:
            outcome = Outcome(each.folder, OutcomeKind.SKIPPED, reason=str(missing_folder_error(source.uri, [each])))
            record_problem(connection, scan_id, outcome, _now())
        complete_source(connection, scan_id, source.uri, listing.photos, _now())
    log.info("source completed", extra={"source": source.uri, "discovered": listing.photos, "missing": len(gone)})
    return doubt


def _now_and_then(locks: Locks) -> Callable[[], None]:
    """A check of the locks every few seconds: a scan must not go on without them after the server was restarted."""
    checked = time.monotonic()

    def check() -> None:
        nonlocal checked
        if time.monotonic() - checked >= LOCK_CHECK_SECONDS:
            locks.check()
            checked = time.monotonic()

    return check


@contextlib.contextmanager
def _unless_already_failing(state: ScanState) -> Iterator[None]:
    """The end of a scan that fails because the database is gone cannot be recorded; the first error is what counts."""
    try:
        yield
    except DatabaseError:
        if state == "completed":
            raise


def _now() -> datetime:
    return datetime.now(UTC)

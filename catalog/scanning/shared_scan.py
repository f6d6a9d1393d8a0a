"""One source, several workers: one of them plans, all of them work, the planner closes the source.

The worker that holds the planning lock lists the source and fills the work queue while the others already take from
it. The scan is done when the queue is empty and the planner has closed the source. If a planner dies, its lock is
released, and the next worker that finds no work plans again; what is recorded by then is unchanged.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from catalog.domain.photos import Outcome, OutcomeKind, PhotoRef
from catalog.domain.source import OtherFile, Skipped, Source
from catalog.scanning.photo_task import PhotoTask
from catalog.scanning.pipeline import ScanPipeline
from catalog.scanning.plan import LONGEST_URI, Excluded, Step, Unchanged, plan, too_long
from catalog.scanning.seen_locations import CompletedListing, SeenLocations
from catalog.scanning.stop_signal import StopSignal
from catalog.store.database import Database
from catalog.store.photos import locations_by_uri, newest_location
from catalog.store.scans import last_completed
from catalog.store.source_locks import PLANNING, Locks, try_lock
from catalog.store.work_queue import add_work, any_work, claim_work, clear_work

_PAUSE_SECONDS = 0.2
_QUEUED_TOGETHER = 200
"""Photos added to the work queue in one transaction."""

_LONGEST_KEY = LONGEST_URI + 100
"""Characters of a source and a photo address together: the index of the queue holds both in one row."""


def _photo_count(step: Step) -> int:
    if isinstance(step, Unchanged):
        return len(step.locations)
    return int(isinstance(step, PhotoTask) or (isinstance(step, Skipped) and not step.uri.endswith("/")))


@dataclass(slots=True)
class SharedScan:
    """A source scanned together with other workers.

    ``is_planner``: this worker listed the source, with ``listed`` photos, and closes it. ``newest`` is the highest row
    id of a location when the listing began. ``batch_size`` photos are claimed from the queue at once.
    """

    source: Source
    database: Database
    locks: Locks
    engine: str
    gallery: str
    began: datetime
    batch_size: int
    is_planner: bool = False
    listed: int = 0
    newest: int = 0
    seen: SeenLocations = field(default_factory=SeenLocations)

    def run(self, pipeline: ScanPipeline, stop: StopSignal) -> Iterator[Outcome | Unchanged]:
        """Plan unless another worker does, then work until the queue is empty and the source is closed."""
        while not pipeline.is_full:
            if not self.is_planner and not self._is_completed() and try_lock(self.locks, PLANNING + self.source.uri):
                self.is_planner = True
                yield from self._plan(pipeline, stop)
            photo_count = yield from self._work(pipeline, stop)
            if photo_count:
                continue
            with self.database.read() as connection:
                has_work = any_work(connection, self.source.uri)
            if not has_work and (self.is_planner or self._is_completed()):
                break
            time.sleep(_PAUSE_SECONDS)

    @property
    def listing(self) -> CompletedListing:
        return CompletedListing(self.source, self.seen, self.listed, self.newest)

    def _is_completed(self) -> bool:
        with self.database.read() as connection:
            completed = last_completed(connection, self.source.uri)
        return completed is not None and completed >= self.began

    def _plan(self, pipeline: ScanPipeline, stop: StopSignal) -> Iterator[Outcome | Unchanged]:
        with self.database.begin() as connection:
            clear_work(connection, self.source.uri)
            self.newest = newest_location(connection)
        queued: list[PhotoRef] = []
        for step in plan(self.database, self.source, engine=self.engine, gallery=self.gallery):
            if stop.is_due:
                break
            self.listed += _photo_count(step)
            if isinstance(step, PhotoTask) and len(self.source.uri) + len(step.ref.uri) > _LONGEST_KEY:
                step = too_long(step.ref.uri)
            match step:
                case Unchanged(locations):
                    self.seen.add_present(locations.ids)
                    yield step
                case Excluded(item, known):
                    if known is not None or item.uri.endswith("/"):
                        self.seen.add_left_out(item.uri, item.rule)
                    yield Outcome(item.uri, OutcomeKind.LEFT_OUT, reason=item.rule)
                case OtherFile(uri):
                    yield Outcome(uri, OutcomeKind.NOT_A_PHOTO)
                case Skipped():
                    self.seen.add_below(step.uri)
                    yield from pipeline.add_finished(PhotoTask.of_skipped(self.source, step))
                case PhotoTask():
                    if step.known is not None:
                        self.seen.add_known(step.known)
                    queued.append(step.ref)
            if len(queued) >= _QUEUED_TOGETHER:
                self._add_work(queued)
        self._add_work(queued)

    def _add_work(self, queued: list[PhotoRef]) -> None:
        with self.database.begin() as connection:
            add_work(connection, self.source.uri, queued)
        queued.clear()

    def _work(self, pipeline: ScanPipeline, stop: StopSignal) -> Generator[Outcome, None, int]:
        """Take photos from the queue and complete them; returns how many there were."""
        with claim_work(self.database, self.source.uri, self.batch_size) as claimed:
            with self.database.read() as connection:
                location_by_uri = locations_by_uri(connection, [ref.uri for ref in claimed.refs])
            pipeline.in_flight.claims = claimed
            for ref in claimed.refs:
                yield from pipeline.submit(PhotoTask(self.source, ref, location_by_uri.get(ref.uri)))
            yield from pipeline.finish()
            if stop.is_interrupted:
                # The queue gets the photos back. The next worker finds those that were recorded unchanged.
                raise KeyboardInterrupt
            return len(claimed.refs)

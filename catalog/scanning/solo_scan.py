"""One source, one process: follow the plan from the beginning of the listing to its end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from catalog.domain.photos import Outcome, OutcomeKind
from catalog.domain.source import OtherFile, Source
from catalog.scanning.photo_task import PhotoTask
from catalog.scanning.pipeline import ScanPipeline
from catalog.scanning.plan import Excluded, Unchanged, plan
from catalog.scanning.seen_locations import CompletedListing, SeenLocations
from catalog.scanning.stop_signal import StopSignal
from catalog.store.database import Database


class SourceScan(Protocol):
    """The scan of one source."""

    is_planner: bool
    """This process lists the source, and so marks its missing locations."""

    def run(self, pipeline: ScanPipeline, stop: StopSignal) -> Iterator[Outcome | Unchanged]:
        """Yield the outcomes, those of unchanged photos many at once.

        Ends early when the pipeline is full or the scan must stop.
        """

    @property
    def listing(self) -> CompletedListing:
        """The listing, once :meth:`run` has reached its end."""


class SoloScan:
    """Passes unchanged photos on at once and sends all others through the pipeline."""

    is_planner = True

    def __init__(self, source: Source, database: Database, engine: str, gallery: str) -> None:
        self._source = source
        self._database = database
        self._engine = engine
        self._gallery = gallery
        self._photo_count = 0
        self._seen = SeenLocations()

    def run(self, pipeline: ScanPipeline, stop: StopSignal) -> Iterator[Outcome | Unchanged]:
        locations = pipeline.seen = self._seen
        count, not_photos = 0, pipeline.not_photos
        for step in plan(self._database, self._source, engine=self._engine, gallery=self._gallery):
            if isinstance(step, Unchanged):
                locations.add_present(step.locations.ids)
                count += len(step.locations)
                yield step
                if stop.is_due:
                    break
            elif isinstance(step, Excluded):
                if step.location is not None or step.item.uri.endswith("/"):
                    locations.add_left_out(step.item.uri, step.item.rule)
                yield Outcome(step.item.uri, OutcomeKind.LEFT_OUT, reason=step.item.rule)
            elif isinstance(step, OtherFile):
                yield Outcome(step.uri, OutcomeKind.NOT_A_PHOTO)
            elif pipeline.is_full:
                break
            elif isinstance(step, PhotoTask):
                count += 1
                yield from pipeline.submit(step)
            else:
                count += not step.uri.endswith("/")
                locations.add_below(step.uri)
                yield from pipeline.add_finished(PhotoTask.of_skipped(self._source, step))
        yield from pipeline.finish()
        self._photo_count = count - (pipeline.not_photos - not_photos)

    @property
    def listing(self) -> CompletedListing:
        return CompletedListing(self._source, self._seen, self._photo_count)

"""One source, one worker: follow the plan from the listing's beginning to its end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from catalog.domain.photos import Outcome, OutcomeKind
from catalog.domain.source import Source
from catalog.scanning.pipeline import ScanPipeline
from catalog.scanning.plan import ToRead, Unchanged, plan
from catalog.scanning.record_stage import Problem
from catalog.scanning.seen_locations import CompletedListing, SeenLocations
from catalog.scanning.stop_signal import StopSignal
from catalog.store.database import Database


class Walk(Protocol):
    """A way through a source."""

    planned: bool
    """Whether this worker listed the source, and so closes it."""

    def walk(self, line: ScanPipeline, stop: StopSignal) -> Iterator[Outcome]:
        """Everything that there is to do; ends early when the line is full or the scan is to stop."""

    @property
    def listing(self) -> CompletedListing:
        """What the listing told, once the walk went to its end."""


class SoloWalk:
    """What is unchanged is told at once, the rest goes through the line."""

    planned = True

    def __init__(self, source: Source, database: Database, engine: str, gallery: str) -> None:
        self._source = source
        self._database = database
        self._engine = engine
        self._gallery = gallery
        self._photos = 0
        self._seen = SeenLocations()

    def walk(self, line: ScanPipeline, stop: StopSignal) -> Iterator[Outcome]:
        seen = line.seen = self._seen
        number = 0
        for step in plan(self._database, self._source, engine=self._engine, gallery=self._gallery):
            if isinstance(step, Unchanged):
                seen.add(step.place.location_id)
                number += 1
                yield Outcome(step.ref.uri, OutcomeKind.UNCHANGED, step.place.sha256)
                if number % 256 == 0 and stop.due:
                    break
            elif line.full:
                break
            elif isinstance(step, ToRead):
                number += 1
                yield from line.take(step)
            else:
                number += not step.uri.endswith("/")
                seen.add_below(step.uri)
                yield from line.tell(Problem(step.uri, OutcomeKind.SKIPPED, step.reason))
        self._photos = number
        yield from line.finish()

    @property
    def listing(self) -> CompletedListing:
        return CompletedListing(self._source, self._seen, self._photos)

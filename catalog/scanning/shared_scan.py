"""One source, several workers: one of them plans, all of them work, one of them closes.

Whoever holds the planning lock lists the source and puts what must be read on a list, from which the others take at
once. When the list is empty and the planner has closed the source, all is done. A planner that dies gives its lock
back, and the next worker that finds nothing to do plans anew: what is recorded by then is unchanged.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select

from catalog.domain.photos import Outcome, OutcomeKind, PhotoRef
from catalog.domain.source import Skipped, Source
from catalog.scanning.pipeline import ScanPipeline
from catalog.scanning.plan import LONGEST_URI, ToRead, Unchanged, plan, too_long
from catalog.scanning.record_stage import Problem
from catalog.scanning.seen_locations import CompletedListing, SeenLocations
from catalog.scanning.stop_signal import StopSignal
from catalog.store.database import Database
from catalog.store.photos import locations_by_uri
from catalog.store.scans import last_completed
from catalog.store.source_locks import PLANNING, Locks, try_lock
from catalog.store.tables import locations
from catalog.store.work_queue import add_work, any_work, claim_work, clear_work

_PAUSE_SECONDS = 0.2
_PLANNED_AT_ONCE = 200


@dataclass(slots=True)
class SharedWalk:
    """A source walked together with other workers.

    ``planned`` says that this worker listed it, ``listed`` photos long, and so closes it. Of the places up to row id
    ``newest`` those are gone that the listing did not show.
    """

    source: Source
    database: Database
    locks: Locks
    engine: str
    gallery: str
    began: datetime
    take: int
    planned: bool = False
    listed: int = 0
    newest: int = 0
    seen: SeenLocations = field(default_factory=SeenLocations)

    def walk(self, line: ScanPipeline, stop: StopSignal) -> Iterator[Outcome]:
        """Plan if nobody does, then work until nothing is left."""
        while not line.full:
            if not self.planned and not self._is_completed() and try_lock(self.locks, PLANNING + self.source.uri):
                self.planned = True
                yield from self._plan(line, self.seen, stop)
            worked = yield from self._work(line, stop)
            if worked:
                continue
            with self.database.read() as connection:
                left = any_work(connection, self.source.uri)
            if not left and (self.planned or self._is_completed()):
                break
            time.sleep(_PAUSE_SECONDS)

    @property
    def listing(self) -> CompletedListing:
        return CompletedListing(self.source, self.seen, self.listed, self.newest)

    def _is_completed(self) -> bool:
        with self.database.read() as connection:
            completed = last_completed(connection, self.source.uri)
        return completed is not None and completed >= self.began

    def _plan(self, line: ScanPipeline, seen: SeenLocations, stop: StopSignal) -> Iterator[Outcome]:
        with self.database.begin() as connection:
            clear_work(connection, self.source.uri)
            self.newest = connection.scalar(select(func.coalesce(func.max(locations.c.id), 0))) or 0
        waiting: list[PhotoRef] = []
        for step in plan(self.database, self.source, engine=self.engine, gallery=self.gallery):
            if stop.due:
                break
            self.listed += not (isinstance(step, Skipped) and step.uri.endswith("/"))
            # The list's index holds both addresses in one row.
            if isinstance(step, ToRead) and len(self.source.uri) + len(step.ref.uri) > LONGEST_URI + 100:
                step = too_long(step.ref.uri)
            match step:
                case Unchanged(ref, place):
                    seen.add(place.location_id)
                    yield Outcome(ref.uri, OutcomeKind.UNCHANGED, place.sha256)
                case Skipped(uri, reason):
                    seen.add_below(uri)
                    yield from line.tell(Problem(uri, OutcomeKind.SKIPPED, reason))
                case ToRead(ref=ref, place=known):
                    if known is not None:
                        seen.add_known(known)
                    waiting.append(ref)
            if len(waiting) >= _PLANNED_AT_ONCE:
                self._add(waiting)
        self._add(waiting)

    def _add(self, waiting: list[PhotoRef]) -> None:
        with self.database.begin() as connection:
            add_work(connection, self.source.uri, waiting)
        waiting.clear()

    def _work(self, line: ScanPipeline, stop: StopSignal) -> Generator[Outcome, None, int]:
        """Take some photos and work on them; returns how many there were."""
        with claim_work(self.database, self.source.uri, self.take) as taken:
            with self.database.read() as connection:
                known = locations_by_uri(connection, [ref.uri for ref in taken.refs])
            line.claims = taken
            for ref in taken.refs:
                yield from line.take(ToRead(self.source, ref, known.get(ref.uri)))
            yield from line.finish()
            if stop.interrupted:
                # What was not done is given back, and what was done is found recorded by whoever takes it next.
                raise KeyboardInterrupt
            return len(taken.refs)

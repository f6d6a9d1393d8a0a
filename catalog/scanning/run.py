"""The corridor: one scan from listing to persons, named step by step.

Work is done by a pool of threads; decisions and writing are done by one, in the order of the listing, so that a scan's
outcome does not depend on which thread was faster. A photo passes two waits: for its bytes (which decide whether it is
known), and, if it is not, for its faces. Both lines are bounded, so memory does not grow with the library.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from catalog.engines.base import Engine
from catalog.errors import PhotoError
from catalog.images.fingerprint import sha256_of
from catalog.images.opened import OpenedPhoto
from catalog.scanning.plan import Step, ToRead, Unchanged, plan
from catalog.scanning.record import Recorder
from catalog.scanning.seen import Seen
from catalog.scanning.summary import Summary
from catalog.sources.base import Content, Skipped, Source
from catalog.store.database import Database
from catalog.store.photos import mark_missing, places_below
from catalog.store.scans import ScanState, complete_source, finish_scan, start_scan
from catalog.vocabulary import Enrollment, Outcome, OutcomeKind

Open = Callable[[bytes], OpenedPhoto]
"""Decodes a photo's bytes. Raises PhotoError."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A photo whose bytes are here."""

    step: ToRead
    content: Content
    sha256: str


@dataclass(frozen=True, slots=True)
class Sighting:
    """A photo whose faces are enrolled."""

    photo: OpenedPhoto
    enrollment: Enrollment


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
    limit: int | None = None,
) -> Iterator[Outcome | Summary]:
    """Catalogue the sources; yields an outcome for each photo and, last, the summary.

    ``settle`` is called once with the scan's id after the last photo, to work out who is who, and adds to the summary.
    ``limit`` ends the scan after so many photos were read. Raises SourceError, EngineError and DatabaseError; what was
    recorded until then is kept, and the same command again goes on from there.
    """
    summary = Summary()
    with database.begin() as connection:
        scan_id = start_scan(
            connection,
            engine=engine.name,
            gallery=gallery,
            model=engine.model,
            sources=[source.uri for source in sources],
            version=version,
            now=_now(),
        )
    state: ScanState = "failed"
    exit_code = 1
    try:
        recorder = Recorder(database, engine, gallery=gallery, region=region, scan_id=scan_id)
        recorder.pay_debts()
        line = _Line(recorder, engine, open_photo, workers, limit)
        try:
            for source in sources:
                before = summary.discovered
                for outcome in _walk(source, database, engine.name, gallery, recorder, line):
                    summary.count(outcome)
                    yield outcome
                if line.full:
                    break
                _close_source(database, scan_id, source, line.seen, summary.discovered - before)
        finally:
            line.close()
        settle(scan_id, summary)
        state, exit_code = "completed", 3 if summary.failed else 0
    except (KeyboardInterrupt, GeneratorExit):
        state, exit_code = "interrupted", 130
        raise
    finally:
        with database.begin() as connection:
            finish_scan(connection, scan_id, state=state, exit_code=exit_code, counts=summary.counts(), now=_now())
    yield summary


def _walk(
    source: Source, database: Database, engine: str, gallery: str, recorder: Recorder, line: _Line
) -> Iterator[Outcome]:
    """Follow the plan: what is unchanged or skipped is told at once, the rest goes through the line."""
    with database.read() as connection:
        for step in plan(connection, source, engine=engine, gallery=gallery):
            if line.full:
                break
            yield from _follow(step, recorder, line)
    yield from line.finish()


def _follow(step: Step, recorder: Recorder, line: _Line) -> Iterator[Outcome]:
    match step:
        case Unchanged(ref, place):
            line.seen.add(place.location_id)
            yield Outcome(ref.uri, OutcomeKind.UNCHANGED, place.sha256)
        case Skipped(uri, reason):
            outcome = recorder.problem(uri, OutcomeKind.SKIPPED, reason)
            line.seen.add_below(uri)
            if not uri.endswith("/"):
                yield outcome
        case ToRead():
            yield from line.take(step)


def _close_source(database: Database, scan_id: int, source: Source, seen: Seen, discovered: int) -> None:
    """A listing that went to its end tells what is gone."""
    with database.begin() as connection:
        gone = [place.location_id for place in places_below(connection, source.uri) if place not in seen]
        mark_missing(connection, gone, _now())
        complete_source(connection, scan_id, source.uri, discovered, _now())


class _Line:
    """The two waits of a photo: for its bytes, then for its faces; results come out in the order they went in."""

    def __init__(self, recorder: Recorder, engine: Engine, open_photo: Open, workers: int, limit: int | None) -> None:
        self.seen = Seen()
        self._left = limit
        self._recorder = recorder
        self._engine = engine
        self._open_photo = open_photo
        self._window = 4 * workers
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="scan")
        self._reading: deque[tuple[ToRead, Future[Arrival]]] = deque()
        self._seeing: deque[tuple[Arrival, Future[Sighting] | None]] = deque()
        self._in_sight: set[str] = set()

    @property
    def full(self) -> bool:
        """The user's limit on photos read is reached."""
        return self._left is not None and self._left <= 0

    def take(self, step: ToRead) -> Iterator[Outcome]:
        """Put one photo in the line; gives the outcomes that this pushed out at the other end."""
        if self._left is not None:
            self._left -= 1
        self._reading.append((step, self._pool.submit(_read, step)))
        while len(self._reading) > self._window:
            yield from self._arrive()
        while self._reading and self._reading[0][1].done():
            yield from self._arrive()

    def finish(self) -> Iterator[Outcome]:
        """Everything that is still in the line."""
        while self._reading:
            yield from self._arrive()
        while self._seeing:
            yield self._leave()

    def close(self) -> None:
        """Drop what nobody waits for any more."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _arrive(self) -> Iterator[Outcome]:
        """The first photo's bytes are here: known content is recorded at once, the rest goes on to the engine."""
        step, future = self._reading.popleft()
        try:
            arrival = future.result()
        except PhotoError as error:
            yield self._fail(step, None, error)
            return
        if arrival.sha256 in self._in_sight:
            # The same content is with the engine right now: wait behind it rather than enroll, and pay, twice.
            self._seeing.append((arrival, None))
        elif (recorded := self._recorder.known(step, arrival.sha256)) is not None:
            self.seen.add(recorded.location_id)
            yield recorded.outcome
        else:
            self._submit(arrival)
        while len(self._seeing) > self._window or (self._seeing and self._ready(self._seeing[0][1])):
            yield self._leave()

    def _leave(self) -> Outcome:
        """The first photo's faces are here, or it waited for its twin to be recorded."""
        arrival, future = self._seeing.popleft()
        if future is None:
            recorded = self._recorder.known(arrival.step, arrival.sha256)
            if recorded is None:  # its twin failed
                arrival, future = arrival, self._pool.submit(_see, arrival, self._engine, self._open_photo)
        if future is not None:
            self._in_sight.discard(arrival.sha256)
            try:
                sighting = future.result()
            except PhotoError as error:
                return self._fail(arrival.step, arrival.sha256, error)
            recorded = self._recorder.enrolled(
                arrival.step, arrival.sha256, len(arrival.content.data), sighting.photo, sighting.enrollment
            )
        assert recorded is not None
        self.seen.add(recorded.location_id)
        return recorded.outcome

    def _submit(self, arrival: Arrival) -> None:
        self._in_sight.add(arrival.sha256)
        self._seeing.append((arrival, self._pool.submit(_see, arrival, self._engine, self._open_photo)))

    def _fail(self, step: ToRead, sha256: str | None, error: PhotoError) -> Outcome:
        if step.place is not None:
            self.seen.add(step.place.location_id)
        return self._recorder.problem(step.ref.uri, OutcomeKind.FAILED, str(error), sha256)

    @staticmethod
    def _ready(future: Future[Sighting] | None) -> bool:
        return future is None or future.done()


def _read(step: ToRead) -> Arrival:
    content = step.source.open(step.ref)
    return Arrival(step, content, sha256_of(content.data))


def _see(arrival: Arrival, engine: Engine, open_photo: Open) -> Sighting:
    photo = replace(open_photo(arrival.content.data), address=arrival.content.address)
    enrollment = engine.enroll(photo, arrival.sha256)
    # The pixels are no longer needed; what waits in the line stays small.
    return Sighting(replace(photo, pixels=photo.pixels[:0], data=b""), enrollment)


def _now() -> datetime:
    return datetime.now(UTC)

"""The line of photos that are being worked on: wait for the bytes, wait for the faces, be recorded with others.

Work is done by a pool of threads; decisions and writing are done by one. A photo passes two waits: for its bytes (which
decide whether it is known), and, if it is not, for its faces. Both are bounded: memory does not grow with the library.

What was found is recorded in groups, because each transaction waits for the disk: a group closes when it is large, when
it is half a second old, and at once when money was paid for something in it.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

from catalog.domain.engine import Engine
from catalog.domain.errors import CatalogError, PhotoError
from catalog.domain.photos import Outcome, OutcomeKind
from catalog.scanning.enrollment_claims import Claims
from catalog.scanning.plan import ToRead
from catalog.scanning.read_stage import Open, read, see
from catalog.scanning.record_stage import Arrival, Enrolled, Finding, Known, Problem, Recorder, Sighting
from catalog.scanning.seen_locations import SeenLocations
from catalog.scanning.stop_signal import StopSignal

log = logging.getLogger(__name__)

GROUP = 200
"""Findings recorded in one transaction at most."""

GROUP_SECONDS = 0.5
"""How long a finding may wait to be recorded."""

_PAUSE_SECONDS = 0.2
"""Between questions after what another scan is enrolling."""

_FAILURES_BORNE = 3
"""Findings that may fail to be recorded, each by itself, before the rest is given up."""


class ScanPipeline:
    """Takes what the plan wants read, gives outcomes once they are recorded."""

    def __init__(
        self,
        recorder: Recorder,
        engine: Engine,
        open_photo: Open,
        *,
        workers: int,
        limit: int | None,
        stop: StopSignal,
        on_record: Callable[[], None],
        claims: Claims,
    ) -> None:
        self.seen = SeenLocations()
        self.claims = claims
        self._left = limit
        self._stop = stop
        self._recorder = recorder
        self._engine = engine
        self._open_photo = open_photo
        self._on_record = on_record
        self._window = 4 * workers
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="scan")
        self._reading: deque[tuple[ToRead, Future[Arrival]]] = deque()
        self._seeing: deque[tuple[Arrival, Future[Sighting] | None]] = deque()
        self._in_sight: set[str] = set()
        self._postponed: list[Arrival] = []
        self._broken: CatalogError | None = None
        self._found: list[Finding] = []
        self._found_since = 0.0
        self._saving = False

    @property
    def full(self) -> bool:
        """No further photo may be begun: a limit is reached, the scan is to stop, or source or engine are unusable."""
        return self._stop.due or self._broken is not None or (self._left is not None and self._left <= 0)

    def take(self, step: ToRead) -> Iterator[Outcome]:
        """Put one photo in the line; gives the outcomes that this pushed out at the other end."""
        if self._left is not None:
            self._left -= 1
        self._reading.append((step, self._pool.submit(read, step)))
        while len(self._reading) > self._window or (self._reading and self._reading[0][1].done()):
            yield from self._arrive()

    def tell(self, problem: Problem) -> Iterator[Outcome]:
        """A photo that is not taken, with the reason."""
        yield from self._find(problem)

    def finish(self) -> Iterator[Outcome]:
        """Everything that is still in the line; what is not begun when the scan is to stop is left out.

        Raises what made source or engine unusable, once everything that was under way, and perhaps paid for, is
        recorded.
        """
        while self._reading or self._seeing or self._found or self._postponed:
            if self._stop.interrupted:
                self._leave_out()
            if self._reading:
                yield from self._arrive()
            elif self._seeing:
                yield from self._depart()
            elif self._found:
                yield from self._record()
            else:
                yield from self._ask_again()
        if self._broken is not None:
            raise self._broken

    def save(self) -> list[Outcome]:
        """Record what is done or with the engine, after something else failed; the outcomes.

        Answers of the engine may have been paid for. Nothing is begun any more, and nobody's locks are asked about:
        what is recorded is true whoever else scans.
        """
        self._saving = True
        self._on_record = lambda: None
        for _, reading in self._reading:
            reading.cancel()
        self._reading.clear()
        seeing = [(arrival, future) for arrival, future in self._seeing if future is not None and not future.cancel()]
        self._seeing.clear()
        for arrival, future in seeing:
            while not future.done() and not self._stop.overdue:
                wait([future], timeout=0.1 if self._stop.interrupted else GROUP_SECONDS)
            if future.done() and future.exception() is None:
                self._found.append(Enrolled(arrival, future.result()))
        try:
            return list(self._record()) if self._found else []
        except Exception:  # noqa: BLE001  perhaps for one of them only, and the others were paid for
            return self._save_apart(self._found)

    def _save_apart(self, findings: list[Finding]) -> list[Outcome]:
        """Record enrollments each by itself; raises the last failure when it looks like the database's own."""
        outcomes: list[Outcome] = []
        failures = 0
        for finding in findings:
            if isinstance(finding, Enrolled):
                self._found = [finding]
                try:
                    outcomes += self._record()
                except Exception:  # whatever keeps this one from being recorded need not hold for the next
                    failures += 1
                    if failures > _FAILURES_BORNE:
                        raise
        return outcomes

    def close(self) -> None:
        """Drop what nobody waits for any more."""
        self._pool.shutdown(wait=not self._stop.overdue, cancel_futures=True)

    def _leave_out(self) -> None:
        """After an interruption: what no thread has begun, and in the end what is not done in time."""
        late = self._stop.overdue
        self._reading = deque(
            entry for entry in self._reading if not entry[1].cancel() and (entry[1].done() or not late)
        )
        self._seeing = deque(
            (arrival, future)
            for arrival, future in self._seeing
            if future is None or (not future.cancel() and (future.done() or not late))
        )

    def _arrive(self) -> Iterator[Outcome]:
        """The first photo's bytes are here: known content is recorded soon, the rest goes on to the engine."""
        step, future = self._reading[0]
        yield from self._await(future)
        if not future.done():  # interrupted
            return
        self._reading.popleft()
        try:
            arrival = future.result()
        except PhotoError as error:
            yield from self._fail(step, None, error)
            return
        except CatalogError as error:
            self._break(step, error)
            return
        if arrival.sha256 in self._in_sight:
            # The same content is with the engine right now: wait behind it rather than enroll, and pay, twice.
            self._seeing.append((arrival.light, None))
        elif self._recorder.holds(arrival.sha256):
            yield from self._find(Known(arrival.light))
        elif not self._stop.interrupted and self._broken is None:
            yield from self._enroll(arrival)
        while len(self._seeing) > self._window or (self._seeing and _ready(self._seeing[0][1])):
            before = len(self._seeing)
            yield from self._depart()
            if len(self._seeing) == before:  # interrupted
                return

    def _enroll(self, arrival: Arrival) -> Iterator[Outcome]:
        """Let the engine have a photo whose content is nobody else's right now."""
        if not self.claims.claim(arrival.step.ref.uri, arrival.sha256):
            if self.claims.waits:
                self._postponed.append(arrival.light)
        elif self._recorder.holds(arrival.sha256):  # between the two questions another scan finished with it
            self.claims.let_go(arrival.sha256)
            yield from self._find(Known(arrival.light))
        else:
            self._in_sight.add(arrival.sha256)
            self._seeing.append((arrival.light, self._pool.submit(see, arrival, self._engine, self._open_photo)))

    def _ask_again(self) -> Iterator[Outcome]:
        """What another scan was enrolling: known by now, free again, or still to be waited for."""
        postponed, self._postponed = self._postponed, []
        for arrival in postponed:
            if self._stop.due or self._broken is not None:
                return  # not begun, and so left out
            if self._recorder.holds(arrival.sha256):
                yield from self._find(Known(arrival))
            elif self.claims.claim(arrival.step.ref.uri, arrival.sha256):
                self.claims.let_go(arrival.sha256)
                self._reading.append((arrival.step, self._pool.submit(read, arrival.step)))
            else:
                self._postponed.append(arrival)
        if self._postponed and not self._reading:
            self._on_record()
            time.sleep(_PAUSE_SECONDS)

    def _depart(self) -> Iterator[Outcome]:
        """The first photo's faces are here, or its twin's are."""
        arrival, future = self._seeing[0]
        if future is None:
            self._seeing.popleft()
            yield from self._find(Known(arrival))
            return
        yield from self._await(future)
        if not future.done():  # interrupted
            return
        self._seeing.popleft()
        try:
            sighting = future.result()
        except PhotoError as error:
            self._out_of_sight(arrival.sha256)
            yield from self._fail(arrival.step, arrival.sha256, error)
            return
        except CatalogError as error:
            self._out_of_sight(arrival.sha256)
            self._break(arrival.step, error)
            return
        yield from self._find(Enrolled(arrival, sighting))

    def _await(self, future: Future[Any]) -> Iterator[Outcome]:
        """Wait for a thread, but let neither findings nor an interruption wait for it."""
        while not future.done():
            left = GROUP_SECONDS - (time.monotonic() - self._found_since) if self._found else GROUP_SECONDS
            wait([future], timeout=max(left, 0.01))
            if self._found and time.monotonic() - self._found_since >= GROUP_SECONDS:
                yield from self._record()
            if self._stop.interrupted:
                if self._stop.overdue or future.cancelled():
                    return
                wait([future], timeout=0.1)

    def _out_of_sight(self, sha256: str) -> None:
        """The engine is done with a content, and it is recorded, or never will be."""
        self._in_sight.discard(sha256)
        if not self._saving:  # the locks may be what failed; they end with the scan
            self.claims.let_go(sha256)

    def _fail(self, step: ToRead, sha256: str | None, error: PhotoError) -> Iterator[Outcome]:
        if step.place is not None:
            self.seen.add_known(step.place)
        log.info("photo failed", extra={"uri": step.ref.uri, "reason": str(error)})
        yield from self._find(Problem(step.ref.uri, OutcomeKind.FAILED, str(error), sha256))

    def _break(self, step: ToRead, error: CatalogError) -> None:
        """Source or engine are of no use any more: the first sentence counts, and nothing new is begun."""
        self._broken = self._broken or error
        if step.place is not None:
            self.seen.add_known(step.place)

    def _find(self, finding: Finding) -> Iterator[Outcome]:
        """Keep a finding with others until its group closes."""
        if not self._found:
            self._found_since = time.monotonic()
        self._found.append(finding)
        paid = isinstance(finding, Enrolled) and finding.sighting.enrollment.charges
        if paid or len(self._found) >= GROUP or time.monotonic() - self._found_since >= GROUP_SECONDS:
            yield from self._record()

    def _record(self) -> Iterator[Outcome]:
        self._on_record()
        findings = self._found
        results = self._recorder.record(findings)
        self._found = []  # not before: findings that could not be recorded are tried again by `save`
        for finding, recorded in zip(findings, results, strict=True):
            if isinstance(finding, Enrolled):
                self._out_of_sight(finding.arrival.sha256)
            if recorded is not None:
                if recorded.location_id is not None:
                    self.seen.add(recorded.location_id)
                # A folder that cannot be looked into is told among the problems; it is no photo.
                if not recorded.outcome.uri.endswith("/"):
                    yield recorded.outcome
            elif isinstance(finding, Known) and not self._stop.interrupted and not self._saving:
                # The twin that it waited for failed, so it is not known after all: from the start.
                self._reading.append((finding.arrival.step, self._pool.submit(read, finding.arrival.step)))


def _ready(future: Future[Sighting] | None) -> bool:
    return future is None or future.done()

"""The pipeline of a scan: two bounded windows of threads, for reading and for enrolling, and one recording thread.

Threads read and enroll. The thread that iterates over the outcomes decides what happens next and records. Both windows
are bounded, so that memory does not grow with the number of photos. Tasks leave a window in the order in which they
entered it.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

from catalog.domain.engine import Engine
from catalog.domain.errors import CatalogError, PhotoError
from catalog.domain.photos import Outcome, OutcomeKind
from catalog.scanning.enroll_stage import OpenPhoto, enroll_photo
from catalog.scanning.enrollment_claims import EnrollmentClaims
from catalog.scanning.in_flight import InFlight
from catalog.scanning.photo_reader import PhotoReader, ThreadReader
from catalog.scanning.photo_task import PhotoTask, TaskState
from catalog.scanning.record_batch import BATCH_SECONDS, RecordBatch
from catalog.scanning.record_stage import Recorder
from catalog.scanning.seen_locations import SeenLocations
from catalog.scanning.stop_signal import StopSignal

if TYPE_CHECKING:  # for paid engines only
    from catalog.scanning.paid_shots import PaidShots

log = logging.getLogger(__name__)

_PAUSE_SECONDS = 0.2
"""Seconds between two questions about contents that another scan enrolls."""

_Running = tuple[PhotoTask, "Future[PhotoTask]"]
_Enrolling = tuple[PhotoTask, "Future[PhotoTask] | None"]
"""A task with its result to come; None: a copy, which waits for the task of its content before it."""


class ScanPipeline:
    """Takes listed tasks and yields an outcome for each one that is recorded.

    ``limit`` is the number of photos to read, None for all. ``before_record`` runs before each transaction and may
    raise. ``reader`` reads elsewhere; by default the threads of the pipeline read.
    """

    def __init__(
        self,
        recorder: Recorder,
        engine: Engine,
        open_photo: OpenPhoto,
        *,
        workers: int,
        limit: int | None,
        stop: StopSignal,
        before_record: Callable[[], None],
        claims: EnrollmentClaims,
        paid_shots: PaidShots | None = None,
        reader: PhotoReader | None = None,
    ) -> None:
        self.seen = SeenLocations()
        self.in_flight = InFlight(claims)
        self.not_photos = 0
        """Submitted files that turned out not to be photos."""
        self._remaining = limit
        self._stop = stop
        self._recorder = recorder
        self._engine = engine
        self._open_photo = open_photo
        self._before_record = before_record
        self._paid_shots = paid_shots
        self._window = 4 * workers
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="scan")
        self._reader = reader or ThreadReader(self._pool, self._window)
        self._reading: deque[_Running] = deque()
        self._enrolling: deque[_Enrolling] = deque()
        self._batch = RecordBatch(recorder)
        self._was_enrolled_by_content: dict[str, bool] = {}
        self._failure: CatalogError | None = None
        self._is_saving = False

    @property
    def is_full(self) -> bool:
        """No further photo may start: a limit is reached, the scan must stop, or the source or engine failed."""
        return self._stop.is_due or self._failure is not None or (self._remaining is not None and self._remaining <= 0)

    # ------------------------------------------------------------------------------------------------ for callers

    def submit(self, task: PhotoTask) -> Iterator[Outcome]:
        """Start reading a listed task; yields the outcomes of earlier tasks that are recorded meanwhile."""
        if self._remaining is not None:
            self._remaining -= 1
        self._start_reading(task)
        while len(self._reading) > self._reader.window or (self._reading and self._reading[0][1].done()):
            yield from self._finish_reading()

    def add_finished(self, task: PhotoTask) -> Iterator[Outcome]:
        """Add a task to be recorded; yields outcomes if that makes the batch due."""
        self._batch.add(task)
        if self._batch.is_due:
            yield from self._record()

    def finish(self) -> Iterator[Outcome]:
        """Complete and record all tasks. When the scan must stop, tasks that no thread has started are dropped.

        Raises the failure of the source or the engine after everything that was started, and perhaps charged, is
        recorded.
        """
        while self._reading or self._enrolling or self._batch or self.in_flight.has_postponed:
            if self._stop.is_interrupted:
                self._drop_unstarted()
            if self._reading:
                self._reader.flush()
                yield from self._finish_reading()
            elif self._enrolling:
                yield from self._finish_enrolling()
            elif self._batch:
                yield from self._record()
            else:
                yield from self._retry_postponed()
        if self._failure is not None:
            raise self._failure

    def save(self) -> list[Outcome]:
        """Record finished and running enrollments after a failure, because they may have been charged.

        Nothing new is started. Locks are not checked: the recorded facts are valid even if another scan holds them.
        """
        self._is_saving = True
        self._before_record = lambda: None
        for _, future in self._reading:
            future.cancel()
        self._reading.clear()
        running = [future for _, future in self._enrolling if future is not None and not future.cancel()]
        self._enrolling.clear()
        for future in running:
            while not future.done() and not self._stop.is_overdue:
                wait([future], timeout=0.1 if self._stop.is_interrupted else BATCH_SECONDS)
            if future.done() and future.exception() is None:
                self._batch.add(future.result())
        try:
            return list(self._record()) if self._batch else []
        except Exception:  # noqa: BLE001 - the cause may lie in one task; the others may have been charged
            return list(self._publish(self._batch.record_one_by_one()))

    def close(self) -> None:
        """End the threads. After an interruption a thread that hangs is not waited for."""
        self._reader.close()
        self._pool.shutdown(wait=not self._stop.is_overdue, cancel_futures=True)

    # ------------------------------------------------------------------------------------------------ read

    def _start_reading(self, task: PhotoTask) -> None:
        self._reading.append((task, self._reader.start(task)))

    def _finish_reading(self) -> Iterator[Outcome]:
        """Wait for the first read. A known content is recorded, another one goes to the engine."""
        listed, future = self._reading[0]
        yield from self._wait_for(future)
        if not future.done():  # interrupted
            return
        self._reading.popleft()
        try:
            task = future.result()
        except PhotoError as error:
            yield from self._fail(listed, error)
            return
        except CatalogError as error:
            self._give_up(listed, error)
            return
        if task.state is TaskState.NOT_A_PHOTO:
            self.not_photos += 1
            if self._remaining is not None:
                self._remaining += 1
            yield Outcome(task.ref.uri, OutcomeKind.NOT_A_PHOTO)
        elif task.content_hash in self.in_flight:
            self._enrolling.append((task.without_content(), None))
        elif self._was_enrolled(task.content_hash):
            yield from self.add_finished(task.known_content())
        elif not self._stop.is_interrupted and self._failure is None:
            yield from self._start_enrolling(task)
        while len(self._enrolling) > self._window or (self._enrolling and _is_done(self._enrolling[0][1])):
            before = len(self._enrolling)
            yield from self._finish_enrolling()
            if len(self._enrolling) == before:  # interrupted
                return

    def _was_enrolled(self, sha256: str) -> bool:
        """Whether the gallery held the content a moment ago. One query answers for all photos that are read by now.

        An answer may be outdated, and both answers are checked: a claim precedes the enrollment, and a known content
        is recorded only if it is known then.
        """
        if sha256 not in self._was_enrolled_by_content:
            contents = {sha256, *_contents(future for _, future in self._reading)}
            enrolled = self._recorder.enrolled_contents(contents)
            self._was_enrolled_by_content = {content: content in enrolled for content in contents}
        return self._was_enrolled_by_content.pop(sha256)

    # ------------------------------------------------------------------------------------------------ enroll

    def _start_enrolling(self, task: PhotoTask) -> Iterator[Outcome]:
        sha256 = task.content_hash
        if task.content is None and task.prepared is None:  # the reader believed that the gallery holds the content
            self._start_reading(task.relisted())
            return
        if not self.in_flight.claim(task):
            return
        if self._recorder.is_enrolled(sha256):  # another scan recorded it before it was claimed here
            self.in_flight.release(sha256)
            yield from self.add_finished(task.known_content())
            return
        self.in_flight.begin(sha256)
        future = self._pool.submit(enroll_photo, task, self._engine, self._open_photo, self._paid_shots)
        self._enrolling.append((task.without_content(), future))

    def _finish_enrolling(self) -> Iterator[Outcome]:
        """Wait for the first enrollment. A copy of an enrolled content is known by now."""
        task, future = self._enrolling[0]
        if future is None:
            self._enrolling.popleft()
            yield from self.add_finished(task.known_content())
            return
        yield from self._wait_for(future)
        if not future.done():  # interrupted
            return
        self._enrolling.popleft()
        try:
            enrolled = future.result()
        except PhotoError as error:
            self._end(task)
            yield from self._fail(task, error)
            return
        except CatalogError as error:
            self._end(task)
            self._give_up(task, error)
            return
        yield from self.add_finished(enrolled)

    def _retry_postponed(self) -> Iterator[Outcome]:
        """Ask again for contents that another scan was enrolling. Each is known now, free again, or still claimed."""
        for task in self.in_flight.take_postponed():
            if self._stop.is_due or self._failure is not None:
                return
            if self._recorder.is_enrolled(task.content_hash):
                yield from self.add_finished(task.known_content())
            elif self.in_flight.claim(task):
                self.in_flight.release(task.content_hash)
                self._start_reading(task.relisted())
        if self.in_flight.has_postponed and not self._reading:
            self._before_record()
            time.sleep(_PAUSE_SECONDS)

    # ------------------------------------------------------------------------------------------------ record

    def _record(self) -> Iterator[Outcome]:
        self._before_record()
        yield from self._publish(self._batch.record())

    def _publish(self, results: list[tuple[PhotoTask, PhotoTask]]) -> Iterator[Outcome]:
        """Outcomes of recorded tasks. A copy whose original failed is not known after all and is read again."""
        for task, result in results:
            if task.state is TaskState.ENROLLED:
                self._end(task)
            if result.outcome is None:
                if not self._stop.is_interrupted and not self._is_saving:
                    self._start_reading(result)
                continue
            if result.location_id is not None:
                self.seen.add(result.location_id)
            # A folder that cannot be read is recorded among the problems. It is not a photo.
            if not result.outcome.uri.endswith("/"):
                yield result.outcome

    # ------------------------------------------------------------------------------------------------ waiting, failing

    def _wait_for(self, future: Future[PhotoTask]) -> Iterator[Outcome]:
        """Wait for a thread. Meanwhile due batches are recorded, and an interruption ends the wait."""
        while not future.done():
            wait([future], timeout=max(self._batch.seconds_until_due, 0.01))
            if self._batch.is_due:
                yield from self._record()
            if self._stop.is_interrupted:
                if self._stop.is_overdue or future.cancelled():
                    return
                wait([future], timeout=0.1)

    def _drop_unstarted(self) -> None:
        """After an interruption drop what no thread has started, and after the grace period what is not done."""
        is_late = self._stop.is_overdue

        def is_kept(future: Future[PhotoTask] | None) -> bool:
            return future is None or (not future.cancel() and (future.done() or not is_late))

        self._reading = deque(item for item in self._reading if is_kept(item[1]))
        self._enrolling = deque(item for item in self._enrolling if is_kept(item[1]))

    def _end(self, task: PhotoTask) -> None:
        # While saving, the locks may be the cause of the failure. They end with the scan.
        self.in_flight.end(task.content_hash, release=not self._is_saving)

    def _fail(self, task: PhotoTask, error: PhotoError) -> Iterator[Outcome]:
        self._mark_seen(task)
        log.info("photo failed", extra={"uri": task.ref.uri, "reason": str(error)})
        yield from self.add_finished(task.failed(str(error)))

    def _give_up(self, task: PhotoTask, error: CatalogError) -> None:
        """The source or the engine cannot be used any more. Nothing new is started; the first error is raised later."""
        self._failure = self._failure or error
        self._mark_seen(task)

    def _mark_seen(self, task: PhotoTask) -> None:
        if task.known is not None:
            self.seen.add_known(task.known)


def _contents(futures: Iterable[Future[PhotoTask]]) -> Iterator[str]:
    """The content hashes of tasks that are read."""
    for future in futures:
        if future.done() and not future.cancelled() and future.exception() is None:
            sha256 = future.result().sha256
            if sha256 is not None:
                yield sha256


def _is_done(future: Future[PhotoTask] | None) -> bool:
    return future is None or future.done()

"""Reads photos on the workers of a cluster: collects listed tasks into chunks and hands out their results.

Memory stays bounded: at most ``window`` photos are collected, at work or waiting to be recorded.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Protocol

from catalog.app.cluster_means import ComputingCluster
from catalog.app.photo_preparation import (
    ChunkResult,
    ListedPhoto,
    PreparationChunk,
    PreparationResult,
    SourceProbe,
    WorkerRequirements,
)
from catalog.domain.errors import CatalogError, EngineError, PhotoError, SourceError
from catalog.domain.photo_format import HEAD
from catalog.domain.source import Source
from catalog.domain.uri import display
from catalog.scanning.photo_task import PhotoTask

log = logging.getLogger(__name__)

_CHUNK_SECONDS = 3.0
"""Seconds of work in one chunk. A worker that dies loses so much, and Dask's overhead, milliseconds, is small."""

_FIRST_CHUNK = 4
_MAX_CHUNK = 50
_MAX_CHUNK_OF_BYTES = 4
"""Photos of a chunk whose results hold images of up to 5 MB each."""

_CHUNKS_PER_THREAD = 2
_MIN_CHUNKS = 4
"""A window of fewer chunks could fill before the oldest one is sent."""

_MAX_WINDOW_OF_BYTES = 64
"""Photos in progress whose results hold images: 320 MB at most."""


class WorkersKilledError(Exception):
    """A chunk was given up, because each worker that began it died."""


class PreparationCluster(ComputingCluster, Protocol):
    """Workers that prepare photos."""

    def check(self, requirements: WorkerRequirements) -> dict[str, CatalogError | None]:
        """Ask each present worker whether it fulfils the requirements: its refusal by its name. Raises EngineError."""

    def submit(self, chunk: PreparationChunk) -> Future[ChunkResult]:
        """Prepare a chunk on any worker. The future raises EngineError and WorkersKilledError."""

    def drop(self) -> None:
        """Cancel every chunk that is not done."""


_Pending = tuple[PhotoTask, "Future[PhotoTask]"]


@dataclass(slots=True)
class _Speed:
    """Seconds of one photo, a moving average over chunks. Written by the threads that deliver results."""

    seconds: float | None = None
    lock: Lock = field(default_factory=Lock)

    def add(self, photo_count: int, seconds: float) -> None:
        with self.lock:
            latest = seconds / photo_count
            self.seconds = latest if self.seconds is None else 0.7 * self.seconds + 0.3 * latest

    def chunk_size(self, most: int) -> int:
        if self.seconds is None:
            return min(_FIRST_CHUNK, most)
        return min(max(round(_CHUNK_SECONDS / max(self.seconds, 1e-6)), 1), most)


class RemoteReader:
    """Implements ``PhotoReader``. ``sends_images``: results hold the images that a paid engine is sent."""

    def __init__(
        self,
        cluster: PreparationCluster,
        requirements_of: Callable[[Source], WorkerRequirements],
        is_enrolled: Callable[[str], bool],
        *,
        sends_images: bool,
    ) -> None:
        self._cluster = cluster
        self._requirements_of = requirements_of
        self._is_enrolled = is_enrolled
        self._sends_images = sends_images
        self._speed = _Speed()
        self._collected: deque[_Pending] = deque()
        self._source: Source | None = None
        self._requirements: WorkerRequirements | None = None
        self._chunk_size = self._next_size()

    @property
    def window(self) -> int:
        chunks = max(_CHUNKS_PER_THREAD * self._cluster.threads, _MIN_CHUNKS)
        most = max(_MAX_WINDOW_OF_BYTES, _MIN_CHUNKS * self._chunk_size) if self._sends_images else 1 << 30
        return min(chunks * self._chunk_size, most)

    def start(self, task: PhotoTask) -> Future[PhotoTask]:
        if task.source is not self._source:
            self.flush()
            self._source, self._requirements = task.source, None
        future: Future[PhotoTask] = Future()
        self._collected.append((task, future))
        if len(self._collected) >= self._chunk_size:
            self.flush()
        return future

    def flush(self) -> None:
        pending = [item for item in self._collected if not item[1].cancelled()]
        self._collected.clear()
        if not pending:
            return
        try:
            requirements = self._required(pending)
        except CatalogError as error:
            _fail(pending, error)
            return
        self._send(requirements, pending)
        self._chunk_size = self._next_size()

    def close(self) -> None:
        self._cluster.drop()

    def _next_size(self) -> int:
        return self._speed.chunk_size(_MAX_CHUNK_OF_BYTES if self._sends_images else _MAX_CHUNK)

    # ------------------------------------------------------------------------------------------------ requirements

    def _required(self, pending: Sequence[_Pending]) -> WorkerRequirements:
        """The requirements for the present source. Before the first photo, every present worker is asked.

        Raises EngineError and SourceError, which name the worker that refuses.
        """
        if self._requirements is None or self._requirements.probe is None:
            source = pending[0][0].source
            self._requirements = replace(self._requirements_of(source), probe=_probe(source, pending))
            for worker, refusal in self._cluster.check(self._requirements).items():
                if refusal is not None:
                    raise refusal_of(worker, source, refusal)
        return self._requirements

    # ------------------------------------------------------------------------------------------------ chunks

    def _send(self, requirements: WorkerRequirements, pending: Sequence[_Pending]) -> None:
        chunk = PreparationChunk(requirements, tuple(self._listed(task) for task, _ in pending))
        sent = self._cluster.submit(chunk)
        sent.add_done_callback(lambda done: self._deliver(requirements, pending, done))

    def _listed(self, task: PhotoTask) -> ListedPhoto:
        known = task.known.sha256 if task.known is not None and self._is_enrolled(task.known.sha256) else None
        return ListedPhoto(task.ref, task.known is not None, known)

    def _deliver(
        self, requirements: WorkerRequirements, pending: Sequence[_Pending], done: Future[ChunkResult]
    ) -> None:
        """Give each task its result. Runs in a thread of the cluster."""
        try:
            result = done.result()
        except WorkersKilledError:
            self._send_alone(requirements, pending)
            return
        except BaseException as error:  # noqa: BLE001 - the thread that waits for the photo raises it
            _fail(pending, error)
            return
        if result.refusal is not None:
            _fail(pending, refusal_of("", pending[0][0].source, result.refusal))
            return
        self._speed.add(len(pending), result.seconds)
        for (task, future), read in zip(pending, result.results, strict=True):
            with suppress(InvalidStateError):  # the scan has cancelled it
                _resolve(task, future, read)

    def _send_alone(self, requirements: WorkerRequirements, pending: Sequence[_Pending]) -> None:
        """Find the photo that ends its workers, so that the others of its chunk are catalogued."""
        if len(pending) == 1:
            _fail(pending, PhotoError("Reading the photo ended several workers of the cluster, one after another."))
            return
        log.warning("a chunk ended its workers and is sent photo by photo", extra={"photos": len(pending)})
        for item in pending:
            self._send(requirements, [item])


def refusal_of(worker: str, source: Source, refusal: CatalogError) -> CatalogError:
    """The refusal of a worker as the error of the scan."""
    name = f'worker "{worker}"' if worker else "worker that joined the cluster"
    if isinstance(refusal, SourceError):
        return SourceError(
            f'A {name} cannot read the source "{display(source.uri)}": {refusal}',
            remedy="Give every worker access to the source: the same mount, or credentials for the bucket.",
        )
    return EngineError(f"A {name} cannot take part in the scan: {refusal}", remedy=refusal.remedy)


def _probe(source: Source, pending: Sequence[_Pending]) -> SourceProbe | None:
    """The first photo of the tasks that this machine can read; None if there is none."""
    for task, _ in pending:
        with suppress(PhotoError):
            return SourceProbe(task.ref, source.head(task.ref, HEAD))
    return None


def _resolve(task: PhotoTask, future: Future[PhotoTask], read: PreparationResult) -> None:
    if read.error is not None:
        future.set_exception(read.error)
    elif not read.sha256:
        future.set_result(task.not_a_photo())
    else:
        future.set_result(task.read_elsewhere(read.sha256, read.size, read.prepared, read.dates))


def _fail(pending: Sequence[_Pending], error: BaseException) -> None:
    for _, future in pending:
        with suppress(InvalidStateError):  # the scan has cancelled it
            future.set_exception(error)

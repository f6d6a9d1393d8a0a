"""A connection to a Dask cluster whose workers prepare photos.

Tasks have no effect, so that a chunk is simply sent again when the connection to the scheduler was lost.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import InvalidStateError as FutureIsDone
from contextlib import ExitStack, suppress
from types import TracebackType
from typing import Any

from catalog.app.photo_preparation import ChunkResult, PreparationChunk, WorkerRequirements
from catalog.app.remote_reader import WorkersKilledError
from catalog.distributed import dask_setup, tasks
from catalog.domain.errors import CatalogError, EngineError, UsageError

# isort: split
from distributed import Client, KilledWorker
from distributed import Future as DaskFuture
from distributed.comm.core import CommClosedError
from distributed.security import Security

log = logging.getLogger(__name__)

_LOOK_SECONDS = 2.0
_ANSWER_SECONDS = 10.0
_INSTALL = "Install face-catalog[cluster] of the same release on every machine."
_CONTINUE = "Start it again, then run the same command to continue."


class DaskCluster:
    """Implements ``PreparationCluster``; a context manager.

    ``wait_seconds`` is how long a scheduler that does not answer, and a cluster without workers, are waited for.
    """

    def __init__(self, address: str, security: Security | None, *, wait_seconds: float, least_threads: int = 1) -> None:
        """Connects, and waits until the workers have ``least_threads`` threads. Raises EngineError and UsageError."""
        self.address = address
        self._wait_seconds = wait_seconds
        self._least_threads = least_threads
        self._stack = ExitStack()
        self._lock = threading.Lock()
        self._open: dict[Future[Any], Any] = {}
        self._failure: CatalogError | None = None
        self._is_closed = threading.Event()
        self._threads = 0
        self._client = self._connect(security)
        self._stack.callback(self._client.close, timeout=_ANSWER_SECONDS)
        self._seen = time.monotonic()
        try:
            self._check_scheduler()
            self._await_workers()
        except BaseException:  # also KeyboardInterrupt
            self._stack.close()
            raise
        self._watcher = threading.Thread(target=self._watch, name="cluster-watch", daemon=True)
        self._watcher.start()

    def __enter__(self) -> DaskCluster:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def keep(self, stack: ExitStack) -> None:
        """Close a stack with the cluster, after the connection."""
        connection, self._stack = self._stack, ExitStack()
        self._stack.enter_context(stack)
        self._stack.enter_context(connection)

    def close(self) -> None:
        """Drop open chunks and disconnect; workers of this machine end. A second call does nothing."""
        self._is_closed.set()
        self.drop()
        self._stack.close()

    # ------------------------------------------------------------------------------------------------ connecting

    def _connect(self, security: Security | None) -> Client:
        try:
            return Client(self.address, security=security, timeout=self._wait_seconds, set_as_default=False)
        except (OSError, TimeoutError) as error:
            raise EngineError(
                f'The cluster at "{self.address}" cannot be reached.',
                remedy="Check that its scheduler runs, the address, and the certificates.",
            ) from error
        except (TypeError, RuntimeError, ValueError) as error:  # Dask's sentences about certificates
            raise UsageError(
                f'The cluster at "{self.address}" does not accept these certificates: {error}.',
                remedy="Name the folder with the certificates in the setting cluster.tls.",
            ) from error

    def _check_scheduler(self) -> None:
        """The scheduler unpacks tasks and needs the same release. Raises EngineError."""
        try:
            release = self._client.run_on_scheduler(tasks.release)
        except Exception as error:  # whatever unpickling raises over there
            raise EngineError(f"The scheduler cannot load catalog: {_reason(error)}.", remedy=_INSTALL) from error
        own = tasks.release()
        if release != own:
            raise EngineError(
                f"The scheduler runs catalog {release}, and this machine runs catalog {own}.", remedy=_INSTALL
            )

    def _await_workers(self) -> None:
        while self._count_threads() < self._least_threads:
            if time.monotonic() - self._seen > self._wait_seconds:
                raise self._no_worker()
            time.sleep(0.2)
        self._seen = time.monotonic()

    # ------------------------------------------------------------------------------------------------ contract

    @property
    def threads(self) -> int:
        return self._threads

    def check(self, requirements: WorkerRequirements) -> dict[str, CatalogError | None]:
        own = tasks.release()
        refusals: dict[str, CatalogError | None] = {}
        for worker, release in self._run(tasks.release).items():
            if isinstance(release, BaseException):
                refusals[worker] = EngineError(f"It cannot load catalog: {_reason(release)}.", remedy=_INSTALL)
            elif release != own:
                refusals[worker] = EngineError(
                    f"It runs catalog {release}, and this machine runs catalog {own}.", remedy=_INSTALL
                )
        if refusals:
            return refusals
        for worker, refusal in self._run(tasks.check, requirements).items():
            if isinstance(refusal, BaseException) and not isinstance(refusal, CatalogError):
                refusals[worker] = EngineError(f"It fails with {_reason(refusal)}.", remedy=_INSTALL)
            else:
                refusals[worker] = refusal
        return refusals

    def share(self, value: Any) -> Any:
        try:
            (shared,) = self._client.scatter([value], broadcast=True, hash=False, timeout=self._wait_seconds)
        except Exception as error:  # the scheduler is gone, or no worker is left
            raise self._failure or self._unreachable(error) from error
        return shared

    def submit(self, chunk: PreparationChunk) -> Future[ChunkResult]:
        return self.run(tasks.prepare, chunk)

    def run(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Call a pure function of an importable module on any worker. The future raises as that of :meth:`submit`."""
        result: Future[Any] = Future()
        with self._lock:
            failure = self._failure
            self._open[result] = None
        if failure is not None:
            self._finish(result, error=failure)
        else:
            self._start(result, function, arguments)
        return result

    def drop(self) -> None:
        with self._lock:
            futures = [future for future in self._open.values() if future is not None]
            self._open.clear()
        if futures:
            with suppress(Exception):  # the scheduler may be gone
                self._client.cancel(futures, asynchronous=False)

    # ------------------------------------------------------------------------------------------------ inside

    def _run(self, function: Callable[..., Any], *arguments: Any) -> dict[str, Any]:
        """Call a function once on each worker that lives; an exception is its result. Raises EngineError."""
        try:
            answers: dict[str, Any] = self._client.run(function, *arguments, on_error="return")
        except Exception as error:  # the scheduler is gone
            raise self._unreachable() from error
        # A worker that takes the place of one that ended is checked with its first chunk.
        return {worker: answer for worker, answer in answers.items() if not isinstance(answer, CommClosedError)}

    def _start(self, result: Future[Any], function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        try:
            key = f"catalog-{uuid.uuid4()}"
            future = self._client.submit(function, *arguments, key=key, pure=False)
        except Exception as error:  # noqa: BLE001 - the client is closed
            self._finish(result, error=self._failure or self._unreachable(error))
            return
        with self._lock:
            if result not in self._open:  # dropped meanwhile
                return
            self._open[result] = future
        future.add_done_callback(lambda done: self._deliver(result, function, arguments, done))

    def _deliver(
        self, result: Future[Any], function: Callable[..., Any], arguments: tuple[Any, ...], done: Any
    ) -> None:
        """Hand a finished task on. Runs in Dask's thread for callbacks."""
        with self._lock:
            if result not in self._open:  # dropped or failed meanwhile
                return
        try:
            if done.status == "finished":
                self._finish(result, value=done.result(timeout=self._wait_seconds))
                return
            error = done.exception(timeout=_ANSWER_SECONDS) if done.status == "error" else None
        except Exception:  # noqa: BLE001 - the connection was lost while the result was fetched
            error = None
        if isinstance(error, KilledWorker):
            self._finish(result, error=WorkersKilledError(str(error)))
        elif isinstance(error, CatalogError):
            self._finish(result, error=error)
        elif error is not None:
            self._finish(result, error=EngineError(f"A worker failed with {_reason(error)}.", remedy=_INSTALL))
        else:
            self._start_again(result, function, arguments)

    def _start_again(self, result: Future[Any], function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        """Send a task again when the client is connected again, which it tries for ``wait_seconds``."""
        log.info("connection to the cluster was lost", extra={"cluster": self.address})
        deadline = time.monotonic() + self._wait_seconds
        while self._client.status == "connecting" and time.monotonic() < deadline and not self._is_closed.is_set():
            time.sleep(0.1)
        lost = [value for value in arguments if isinstance(value, DaskFuture) and value.status != "finished"]
        if lost:
            self._finish(result, error=self._failure or self._data_lost())
        elif self._client.status == "running":
            self._start(result, function, arguments)
        else:
            self._finish(result, error=self._failure or self._unreachable())

    def _finish(self, result: Future[Any], *, value: Any = None, error: Exception | None = None) -> None:
        with self._lock:
            self._open.pop(result, None)
        with suppress(FutureIsDone):
            if error is None:
                result.set_result(value)
            else:
                result.set_exception(error)

    def _watch(self) -> None:
        """Fail all chunks when the cluster has had no worker, or no scheduler, for too long."""
        while not self._is_closed.wait(_LOOK_SECONDS):
            if self._count_threads():
                self._seen = time.monotonic()
            elif time.monotonic() - self._seen > self._wait_seconds:
                reachable = self._client.status == "running"
                self._fail(self._no_worker() if reachable else self._unreachable())
                return

    def _count_threads(self) -> int:
        """Threads of the present workers; 0 also if the scheduler does not answer."""
        scheduler: Any = self._client.scheduler
        try:
            threads = self._client.sync(scheduler.ncores, callback_timeout=_ANSWER_SECONDS)
        except Exception:  # noqa: BLE001 - closed, or not connected at the moment
            return 0
        self._threads = sum(threads.values())
        return self._threads

    def _fail(self, failure: CatalogError) -> None:
        with self._lock:
            self._failure = failure
            results = list(self._open)
        for result in results:
            self._finish(result, error=failure)

    def _unreachable(self, cause: BaseException | None = None) -> EngineError:
        error = EngineError(f'The cluster at "{self.address}" cannot be reached any more.', remedy=_CONTINUE)
        error.__cause__ = cause
        return error

    def _data_lost(self) -> EngineError:
        return EngineError(
            f'All workers of the cluster at "{self.address}" that held the data of this step have ended.',
            remedy="Run the same command again.",
        )

    def _no_worker(self) -> EngineError:
        return EngineError(
            f'The cluster at "{self.address}" has had no worker for {self._wait_seconds:g} seconds.',
            remedy="Start workers, then run the same command to continue.",
        )


def _reason(error: BaseException) -> str:
    text = " ".join(str(error).split()).rstrip(".")
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def security_for(tls: str, role: str) -> Security:
    """See :func:`catalog.distributed.dask_setup.security_of`."""
    return dask_setup.security_of(tls, role)

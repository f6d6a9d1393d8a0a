"""A scheduler and workers as processes of this machine. A worker that dies is started anew."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

from catalog.domain.errors import EngineError

_START_SECONDS = 60.0
_LOOK_SECONDS = 0.5
_MAX_QUICK_ENDS = 5
"""Workers that may end right after their start, one after another, before no further one is started."""

_QUICK_SECONDS = 10.0


class NodeProcess:
    """One process that runs ``node``. Its address is known when it is ready."""

    def __init__(self, *arguments: str) -> None:
        """Raises EngineError if it cannot be started."""
        self.began = time.monotonic()
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own code, by our own interpreter
                # -P: a folder named catalog in the current folder is not imported
                [sys.executable, "-P", "-m", "catalog.distributed.node", *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=_environment(),
                start_new_session=True,  # signals of the terminal go to the parent alone
            )
        except OSError as error:
            raise EngineError(f"A process of the cluster cannot be started: {error}.") from error

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def wait_until_ready(self) -> str:
        """The address. Raises EngineError if the process ends, or is not ready within a minute."""
        timer = threading.Timer(_START_SECONDS, self._process.kill)
        timer.start()
        try:
            assert self._process.stdout is not None
            address = self._process.stdout.readline().decode().strip()
        finally:
            timer.cancel()
        if not address:
            self.end()
            raise EngineError(
                "A process of the cluster did not start.", remedy="Its message is above; the port may be in use."
            )
        return address

    def end(self) -> None:
        """Close the standard input, at which the process ends. One that does not end is killed."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class ClusterProcesses:
    """A scheduler, unless one runs elsewhere, and ``workers`` worker processes.

    ``host`` and ``port`` are those of the scheduler; port 0 is any free one. ``tls`` is a folder with certificates;
    without one the connections are not encrypted. ``join`` is the address of a running scheduler.
    """

    def __init__(self, workers: int, *, host: str = "127.0.0.1", port: int = 0, tls: str = "", join: str = "") -> None:
        options = ["--tls", tls] if tls else []
        self._scheduler: NodeProcess | None = None
        self._lock = threading.Lock()
        self._is_closed = threading.Event()
        self._workers: list[NodeProcess] = []
        self._quick_ends = 0
        try:
            if not join:
                self._scheduler = NodeProcess("scheduler", "--host", host, "--port", str(port), *options)
                join = self._scheduler.wait_until_ready()
                options += ["--host", host]
            self.address = join
            self._arguments = ("worker", "--scheduler", join, *options)
            self._workers = [NodeProcess(*self._arguments) for _ in range(workers)]
            for worker in self._workers:
                worker.wait_until_ready()
        except BaseException:  # also KeyboardInterrupt: no process is left behind
            self.close()
            raise
        self._supervisor = threading.Thread(target=self._supervise, name="cluster", daemon=True)
        self._supervisor.start()

    @property
    def worker_ids(self) -> Sequence[int]:
        """Process ids of the present workers."""
        with self._lock:
            return [worker.pid for worker in self._workers]

    @property
    def scheduler_id(self) -> int | None:
        """Process id of the scheduler; None if it runs elsewhere."""
        return None if self._scheduler is None else self._scheduler.pid

    def wait(self) -> None:
        """Return never; raises EngineError when the scheduler has ended, or workers end again and again."""
        while True:
            if self._scheduler is not None and not self._scheduler.is_running:
                raise EngineError("The scheduler of the cluster has ended.", remedy="Start the cluster again.")
            if self._quick_ends >= _MAX_QUICK_ENDS:
                raise EngineError(
                    "The workers end right after their start.",
                    remedy=f'Check that the scheduler at "{self.address}" runs, and the certificates.',
                )
            time.sleep(_LOOK_SECONDS)

    def close(self) -> None:
        """End all processes. A second call does nothing."""
        self._is_closed.set()
        with self._lock:
            processes, self._workers = self._workers, []
            if self._scheduler is not None:
                processes = [*processes, self._scheduler]
            for process in processes:
                process.end()
            self._scheduler = None

    def _supervise(self) -> None:
        while not self._is_closed.wait(_LOOK_SECONDS):
            with self._lock:
                for index, worker in enumerate(self._workers):
                    if not worker.is_running and self._quick_ends < _MAX_QUICK_ENDS:
                        self._replace(index, worker)

    def _replace(self, index: int, worker: NodeProcess) -> None:
        is_quick = time.monotonic() - worker.began < _QUICK_SECONDS
        self._quick_ends = self._quick_ends + 1 if is_quick else 0
        worker.end()
        with suppress(EngineError):  # tried again at the next look
            self._workers[index] = NodeProcess(*self._arguments)


def _environment() -> dict[str, str]:
    """The environment without the settings and the credentials of the database, which no worker needs."""
    secrets = ("CATALOG_", "PG")
    public = {name: value for name, value in os.environ.items() if not name.startswith(secrets)}
    return public | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}

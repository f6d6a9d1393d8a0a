"""Stage 2 as the pipeline sees it: something that reads listed photos, in threads of this process or elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

from catalog.scanning.photo_task import PhotoTask
from catalog.scanning.read_stage import read_photo


class PhotoReader(Protocol):
    """Reads listed photos. Used from one thread."""

    @property
    def window(self) -> int:
        """Photos that may be in progress at once, more than the reader collects before it starts them."""

    def start(self, task: PhotoTask) -> Future[PhotoTask]:
        """Read a listed task. The future raises PhotoError, SourceError and EngineError."""

    def flush(self) -> None:
        """Start the tasks that wait to be read together with others."""

    def close(self) -> None:
        """Drop the tasks that are not done. They had no effect."""


MakeReader = Callable[[Callable[[str], bool]], PhotoReader]
"""Makes a reader of a function that returns whether the gallery holds a content hash."""


class ThreadReader:
    """Reads in the threads of a pool, which its owner closes."""

    def __init__(self, pool: ThreadPoolExecutor, window: int) -> None:
        self._pool = pool
        self.window = window

    def start(self, task: PhotoTask) -> Future[PhotoTask]:
        return self._pool.submit(read_photo, task)

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """The pool ends with its owner."""

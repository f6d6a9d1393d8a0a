"""Batches of finished tasks, each recorded in one transaction, because every transaction waits for the disk.

A batch is due when it holds 200 tasks, when its first task is half a second old, and at once when it holds a task that
was charged.
"""

from __future__ import annotations

import time

from catalog.scanning.photo_task import PhotoTask, TaskState
from catalog.scanning.record_stage import Recorder

BATCH_TASKS = 200
"""Tasks recorded in one transaction at most."""

BATCH_SECONDS = 0.5
"""Seconds that a task may wait to be recorded."""

_TOLERATED_FAILURES = 3
"""Tasks that may fail when recorded one by one, before the rest is given up."""


class RecordBatch:
    """Finished tasks that are not recorded yet. Used from one thread."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._tasks: list[PhotoTask] = []
        self._started = 0.0
        self._is_charged = False

    def __bool__(self) -> bool:
        return bool(self._tasks)

    def add(self, task: PhotoTask) -> None:
        if not self._tasks:
            self._started = time.monotonic()
        self._tasks.append(task)
        self._is_charged = self._is_charged or task.is_charged

    @property
    def is_due(self) -> bool:
        return bool(self._tasks) and (
            self._is_charged or len(self._tasks) >= BATCH_TASKS or self.seconds_until_due <= 0
        )

    @property
    def seconds_until_due(self) -> float:
        """Seconds until the first task is too old; the full time for an empty batch."""
        age = time.monotonic() - self._started if self._tasks else 0.0
        return BATCH_SECONDS - age

    def record(self) -> list[tuple[PhotoTask, PhotoTask]]:
        """Record all tasks in one transaction; pairs of a task and its result, see :meth:`Recorder.record`.

        If that raises, the batch keeps its tasks.
        """
        tasks = list(self._tasks)
        results = self._recorder.record(tasks)
        self._tasks.clear()
        self._is_charged = False
        return list(zip(tasks, results, strict=True))

    def record_one_by_one(self) -> list[tuple[PhotoTask, PhotoTask]]:
        """Record each enrolled task in its own transaction, for when the batch as a whole failed.

        A task that cannot be recorded does not keep the others from it. Raises the last failure if there are so many
        that the database itself seems to be the cause.
        """
        tasks, failures = list(self._tasks), 0
        self._tasks.clear()
        recorded: list[tuple[PhotoTask, PhotoTask]] = []
        for task in tasks:
            if task.state is not TaskState.ENROLLED:
                continue
            try:
                recorded += zip([task], self._recorder.record([task]), strict=True)
            except Exception:  # the cause may lie in this task alone
                failures += 1
                if failures > _TOLERATED_FAILURES:
                    raise
        return recorded

"""Estimate of how long a scan takes: from earlier scans, or from a few photos that the engine looks at now."""

from __future__ import annotations

import time
from collections.abc import Sequence

from catalog.app.engines import free_engine
from catalog.app.plan_sample import measure_sample
from catalog.app.resources import Resources
from catalog.domain.uri import FILE_SCHEME
from catalog.scanning.photo_task import PhotoTask
from catalog.store.scans import seconds_per_photo

TIMED_PHOTOS = 6
"""Photos of folders that a free engine looks at, if no earlier scan tells the time."""


def estimated_seconds(resources: Resources, photos: int, sample: Sequence[PhotoTask]) -> float | None:
    """Seconds for reading and enrolling so many photos; None if nothing tells.

    Without an earlier scan of this engine, a free engine looks at up to :data:`TIMED_PHOTOS` photos of folders. Objects
    of buckets are not read for it, because that costs.
    """
    if not photos:
        return 0.0
    with resources.existing_database() as database, database.read() as connection:
        photo_seconds = seconds_per_photo(connection, resources.settings.engine.name)
    if photo_seconds is None and not resources.configured_engine.capabilities.is_paid:
        local = [task for task in sample if task.ref.uri.startswith(FILE_SCHEME)][:TIMED_PHOTOS]
        photo_seconds = _timed(resources, local)
    return None if photo_seconds is None else photo_seconds * photos


def _timed(resources: Resources, tasks: Sequence[PhotoTask]) -> float | None:
    if len(tasks) < 2:
        return None
    engine = free_engine(resources.settings).open_without_gallery(resources.engine_resources)
    try:
        measure_sample(tasks[:1], engine, resources.open_photo)  # the first photo loads the networks
        started = time.monotonic()
        measure_sample(tasks[1:], engine, resources.open_photo)
        seconds = time.monotonic() - started
    finally:
        engine.close()
    return seconds / (len(tasks) - 1) / resources.workers

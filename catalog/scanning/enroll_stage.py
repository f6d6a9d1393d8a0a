"""Stage 3 of a scan, in threads: decode a photo and enroll its faces in the gallery."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from catalog.domain.engine import Engine
from catalog.domain.opened_photo import OpenedPhoto
from catalog.scanning.photo_task import PhotoTask

OpenPhoto = Callable[[bytes], OpenedPhoto]
"""Decodes the bytes of a photo. Raises PhotoError."""


def enroll_photo(task: PhotoTask, engine: Engine, open_photo: OpenPhoto) -> PhotoTask:
    """Enroll a task that was read and holds its content. Raises PhotoError and EngineError."""
    if task.content is None:
        raise ValueError("a task without content cannot be enrolled")
    photo = open_photo(task.content.oriented_data)
    metadata = replace(photo.metadata, dates=photo.metadata.dates + task.content.dates)
    photo = replace(photo, address=task.content.address, metadata=metadata)
    return task.enrolled(photo, engine.enroll(photo, task.content_hash))

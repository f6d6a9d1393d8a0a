"""Stage 3 of a scan, in threads: decode a photo and enroll its faces in the gallery."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from catalog.domain.engine import Engine
from catalog.domain.errors import PhotoError
from catalog.domain.faces import Enrollment
from catalog.domain.opened_photo import OpenedPhoto
from catalog.domain.source import Content
from catalog.scanning.photo_task import PhotoTask

if TYPE_CHECKING:  # for paid engines only
    from catalog.scanning.paid_shots import PaidShots

OpenPhoto = Callable[[bytes], OpenedPhoto]
"""Decodes the bytes of a photo. Raises PhotoError."""


def enroll_photo(
    task: PhotoTask, engine: Engine, open_photo: OpenPhoto, paid_shots: PaidShots | None = None
) -> PhotoTask:
    """Enroll a task that was read and holds its content, or was prepared. Raises PhotoError and EngineError.

    With ``paid_shots`` a photo is not sent to the engine if another file of the same exposure was.
    """
    photo, enroll = _opened(task, engine, open_photo)
    # Before the engine is asked: paid_shots compares the times of files, those of sidecars too.
    photo = replace(photo, metadata=replace(photo.metadata, dates=photo.metadata.dates + task.dates))
    if paid_shots is None:
        return task.enrolled(photo, enroll())
    uri, sha256 = task.ref.uri, task.content_hash
    with paid_shots.one_at_a_time(uri):
        if paid_shots.is_sent(uri, photo, sha256):
            return task.enrolled(photo, Enrollment((), skipped_in_stack=True))
        enrollment = enroll()
        if not enrollment.skipped_by_prefilter:
            paid_shots.add(uri, photo, sha256)
        return task.enrolled(photo, enrollment)


def _opened(task: PhotoTask, engine: Engine, open_photo: OpenPhoto) -> tuple[OpenedPhoto, Callable[[], Enrollment]]:
    """The photo, perhaps without pixels, and the call that enrolls it."""
    prepared = task.prepared
    if isinstance(prepared, PhotoError):
        raise prepared
    if prepared is not None:
        return prepared.photo, lambda: engine.enroll_prepared(prepared, task.content_hash)
    if task.content is None:
        raise ValueError("a task without content cannot be enrolled")
    photo = open_content(task.content, open_photo)
    return photo, lambda: engine.enroll(photo, task.content_hash)


def open_content(content: Content, open_photo: OpenPhoto) -> OpenedPhoto:
    """Decode the bytes of a source, with the address that the source gives. Raises PhotoError."""
    return replace(open_photo(content.oriented_data), address=content.address)

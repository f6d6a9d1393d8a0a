"""Stage 2 of a scan, in threads: read the bytes of a listed photo and hash them."""

from __future__ import annotations

from catalog.domain.content_hash import sha256_of
from catalog.scanning.photo_task import PhotoTask


def read_photo(task: PhotoTask) -> PhotoTask:
    """Read a listed task. Raises PhotoError and SourceError."""
    content = task.source.open(task.ref)
    return task.read(sha256_of(content.data), content)

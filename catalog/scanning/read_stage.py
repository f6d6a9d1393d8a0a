"""Stage 2 of a scan, in threads: read the bytes of a listed photo and hash them.

Of a file whose name does not say that it is a photo, the first bytes are read before the rest. A file that the user
named as a source, or that was a photo before, is read whatever its name.
"""

from __future__ import annotations

from catalog.domain.content_hash import sha256_of
from catalog.domain.file_names import is_named_like_a_photo
from catalog.domain.photo_format import HEAD, sniff
from catalog.domain.photos import PhotoRef
from catalog.domain.source import Source
from catalog.domain.uri import entry_name
from catalog.scanning.photo_task import PhotoTask


def read_photo(task: PhotoTask) -> PhotoTask:
    """Read a listed task. Raises PhotoError and SourceError."""
    if task.known is None and not is_photo(task.source, task.ref):
        return task.not_a_photo()
    content = task.source.open(task.ref)
    return task.read(sha256_of(content.data), content)


def is_photo(source: Source, ref: PhotoRef) -> bool:
    """Decide by the name or, if that does not say it, by the first bytes. Raises PhotoError and SourceError."""
    if ref.uri == source.uri or is_named_like_a_photo(entry_name(ref.uri)):
        return True
    return sniff(source.head(ref, HEAD)) is not None

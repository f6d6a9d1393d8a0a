"""The identity of a photo's content: the SHA-256 of its bytes, as 64 lower-case hex digits."""

from __future__ import annotations

import hashlib
from io import BufferedIOBase


def sha256_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def sha256_of_stream(stream: BufferedIOBase) -> str:
    """The digest of what is left in a stream, read piece by piece."""
    return hashlib.file_digest(stream, "sha256").hexdigest()

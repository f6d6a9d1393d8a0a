"""Content hash: the SHA-256 of a file's bytes, as 64 lower-case hex digits. It identifies a photo."""

from __future__ import annotations

import hashlib
from io import BufferedIOBase


def sha256_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def sha256_of_stream(stream: BufferedIOBase) -> str:
    """Hash the rest of a stream, read piece by piece."""
    return hashlib.file_digest(stream, "sha256").hexdigest()

"""Folders of photos for tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from catalog.domain.photos import PhotoRef
from catalog.domain.source import Skipped
from catalog.domain.uri import file_path
from catalog.sources.folder import FolderSource


def write(path: Path, data: bytes = b"photo") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def photos(source: FolderSource) -> list[bytes]:
    """Paths of the listed photos, below the source."""
    refs = [entry for entry in source.list() if isinstance(entry, PhotoRef)]
    return [file_path(ref.uri).removeprefix(source.path) for ref in refs]


def skipped(source: FolderSource) -> list[Skipped]:
    return [entry for entry in source.list() if isinstance(entry, Skipped)]


@contextmanager
def without_root() -> Iterator[None]:
    """Run the block without root's permissions, so that files can be unreadable."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)

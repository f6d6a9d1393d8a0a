"""Pictures that commands leave where they are told to: for their owner only, because they show people."""

from __future__ import annotations

import os
from pathlib import Path

from catalog.domain.errors import UsageError
from catalog.domain.uri import display_name


def write_privately(path: Path, data: bytes) -> None:
    """Write a file with mode 0600, whole or not at all. Raises UsageError."""
    part = path.with_name(f"{path.name}.part")
    try:
        descriptor = os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        part.replace(path)
    except OSError as error:
        name = display_name(os.fsencode(path))
        raise UsageError(f'The file "{name}" cannot be written: {error.strerror}.') from error


def picture_path(out: Path, photo: Path, *, several: bool) -> Path:
    """Where a copy of a photo goes: ``out`` itself, or a file in it where several photos share it."""
    if not several:
        return out
    try:
        out.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        name = display_name(os.fsencode(out))
        raise UsageError(f'The folder "{name}" cannot be made: {error.strerror}.') from error
    return out / f"{photo.name}.faces.jpg"

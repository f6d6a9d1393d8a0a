"""Files that only their owner may read, because they show people."""

from __future__ import annotations

import os
from pathlib import Path

from catalog.domain.errors import UsageError
from catalog.domain.photo_format import DRAWN, HEAD, sniff
from catalog.domain.uri import display_name
from catalog.store.whole_file import whole_file


def refuse_photo(path: Path | None) -> None:
    """Raise UsageError if an output would replace a photo. A picture that this program drew may be replaced."""
    try:
        if path is None or not path.is_file():  # a pipe would block
            return
        with path.open("rb") as file:
            edges = file.read(HEAD)
            file.seek(max(len(edges), path.stat().st_size - HEAD))
            edges += file.read(HEAD)  # a TGA file is recognized by its end
    except OSError:
        return  # the attempt to write says why
    if sniff(edges) is not None and DRAWN not in edges:
        name = display_name(os.fsencode(path))
        raise UsageError(f'The output "{name}" is a photo, which is never replaced.', remedy="Name another file.")


def write_privately(path: Path, data: bytes) -> None:
    """Write a file with mode 0600, completely or not at all. Raises UsageError."""
    try:
        with whole_file(path) as file:
            file.write(data)
    except OSError as error:
        name = display_name(os.fsencode(path))
        raise UsageError(f'The file "{name}" cannot be written: {error.strerror}.') from error


def make_private_folder(folder: Path) -> None:
    """Create a folder with mode 0700 unless it exists. Raises UsageError."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        name = display_name(os.fsencode(folder))
        raise UsageError(f'The folder "{name}" cannot be created: {error.strerror}.') from error

"""Files that appear at their name when they are complete."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Open a private file, which replaces ``path`` when the block ends without an error. Follows a symbolic link.

    Until then it has no name, so that a killed process leaves nothing. Where the file system has no files without a
    name, it is called ``.NAME.xxxxxxxx.part``. A pipe or a device, such as /dev/stdout, is written to and not replaced.
    Raises ``OSError``.
    """
    path = path.resolve()
    if path.exists() and not path.is_file():
        with path.open("wb") as device:
            yield device
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    part = path.parent / f".{path.name}.{secrets.token_hex(4)}.part"
    try:
        descriptor = _without_name(folder)
        has_name = descriptor is None
        if descriptor is None:
            descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
            part = Path(name)
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            if not has_name:
                # With a folder descriptor, os.link follows the link of /proc to the file itself.
                os.link(f"/proc/self/fd/{descriptor}", part.name, dst_dir_fd=folder)
            part.replace(path)
    finally:
        part.unlink(missing_ok=True)
        os.close(folder)


def _without_name(folder: int) -> int | None:
    """Open a new file without a name in a folder; None where that is not possible."""
    flag = getattr(os, "O_TMPFILE", 0)
    if not flag or not os.path.exists("/proc/self/fd"):  # noqa: PTH110
        return None
    try:
        return os.open(".", flag | os.O_RDWR, 0o600, dir_fd=folder)
    except OSError:
        return None

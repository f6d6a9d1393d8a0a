"""Temporary files of the tests lie in memory: SQLite and PostgreSQL wait for a disk at each commit."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

_SHARED_MEMORY = Path("/dev/shm")
_LEAST_FREE = 4 << 30
"""Free bytes in memory, below which the tests use the disk. A run on two processors takes about 1 GB."""


def use_memory() -> None:
    """Set TMPDIR to a folder in memory, also for the processes that tests start. A TMPDIR that is set stays.

    Nothing changes where memory is no folder, such as on macOS, or is small, such as in most containers.
    """
    if "TMPDIR" in os.environ or not _is_suited(_SHARED_MEMORY):
        return
    folder = _SHARED_MEMORY / f"catalog-tests-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid() or folder.is_symlink():
        return  # of another user, who could read the files
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)


def _is_suited(folder: Path) -> bool:
    """The folder can be written to, has room, and allows programs: tests write scripts and run them."""
    if not os.access(folder, os.W_OK) or shutil.disk_usage(folder).free < _LEAST_FREE:
        return False
    return not os.statvfs(folder).f_flag & os.ST_NOEXEC

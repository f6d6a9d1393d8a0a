"""The folder that the pages are written to: for its owner only, and free of what an earlier run left.

Photos show people: the folder is made with mode 0700 and each file with 0600. Whoever was forgotten, hidden or renamed
since the last run must not stay behind in old files, so everything that a run did not write or keep is removed. That is
only done to a folder that an earlier run has marked as its own.
"""

from __future__ import annotations

import os
from pathlib import Path

from catalog.domain.errors import UsageError
from catalog.domain.uri import display_name

_MARK = ".catalog-pages"


class SiteFolder:
    """Opens or makes the folder at ``path``. Raises ``UsageError``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._kept: set[str] = {_MARK}
        self._made: set[Path] = set()
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            if any(path.iterdir()) and not (path / _MARK).exists():
                raise UsageError(
                    f'The folder "{display_name(os.fsencode(path))}" holds something else.',
                    remedy="Name an empty or new folder, or one that `catalog report html` has made.",
                )
            path.chmod(0o700)
            (path / _MARK).touch(mode=0o600)
        except OSError as error:
            raise _unwritable(path, error) from error

    def keep(self, name: str) -> bool:
        """Whether an earlier run left this file; then it stays. For pictures, whose names tell their content."""
        if not (self.path / name).exists():
            return False
        self._kept.add(name)
        return True

    def write(self, name: str, content: str | bytes) -> None:
        """Write a file unless it holds that already; ``name`` is relative, with slashes. Raises UsageError."""
        path = self.path / name
        self._kept.add(name)
        data = content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content
        try:
            self._make(path.parent)
            if path.is_file() and path.stat().st_size == len(data) and path.read_bytes() == data:
                return
            # Beside its place first: a reader, or a kill, never meets half a file.
            written = path.with_name(f"{path.name}.part")
            descriptor = os.open(written, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            written.replace(path)
        except OSError as error:
            raise _unwritable(path, error) from error

    def _make(self, folder: Path) -> None:
        """Each level with its mode: `parents=True` would leave those above to the umask."""
        if folder not in self._made and folder != self.path:
            self._make(folder.parent)
            folder.mkdir(mode=0o700, exist_ok=True)
            self._made.add(folder)

    def sweep(self) -> int:
        """Remove what this run neither wrote nor kept; returns how many files went."""
        gone = 0
        for path in sorted(self.path.rglob("*"), reverse=True):
            if path.is_dir() and not path.is_symlink():
                if not any(path.iterdir()):
                    path.rmdir()
            elif path.relative_to(self.path).as_posix() not in self._kept:
                path.unlink()
                gone += 1
        return gone


def _unwritable(path: Path, error: OSError) -> UsageError:
    return UsageError(f'"{display_name(os.fsencode(path))}" cannot be written: {error.strerror}.')

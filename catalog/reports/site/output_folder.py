"""The output folder of the pages, private and without files of earlier runs.

The folder has mode 0700 and each file 0600. Persons who were forgotten, hidden or renamed since the last run must not
stay in old files, so that a run removes all files that it did not write or keep. A run does so only in a folder that an
earlier run marked.
"""

from __future__ import annotations

import os
from pathlib import Path

from catalog.domain.errors import UsageError
from catalog.domain.uri import display_name

_MARKER = ".catalog-pages"


class SiteFolder:
    """Opens or creates the folder at ``path``. Raises ``UsageError``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._kept: set[str] = {_MARKER}
        self._created: set[Path] = set()
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            if any(path.iterdir()) and not (path / _MARKER).exists():
                raise UsageError(
                    f'The folder "{display_name(os.fsencode(path))}" contains other files.',
                    remedy="Name an empty or new folder, or one that `catalog report html` created.",
                )
            path.chmod(0o700)
            (path / _MARKER).touch(mode=0o600)
        except OSError as error:
            raise _unwritable(path, error) from error

    def keep(self, name: str) -> bool:
        """Keep a file of an earlier run and return True if it exists. For images, whose names identify the content."""
        if not (self.path / name).exists():
            return False
        self._kept.add(name)
        return True

    def write(self, name: str, content: str | bytes) -> None:
        """Write a file if its content differs. ``name`` is relative, with slashes. Raises ``UsageError``."""
        path = self.path / name
        self._kept.add(name)
        data = content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content
        try:
            self._create_folder(path.parent)
            if path.is_file() and path.stat().st_size == len(data) and path.read_bytes() == data:
                return
            # A temporary file first, so that readers never see half a file, also after a kill.
            part = path.with_name(f"{path.name}.part")
            descriptor = os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            part.replace(path)
        except OSError as error:
            raise _unwritable(path, error) from error

    def _create_folder(self, folder: Path) -> None:
        """Create a folder and its parents with mode 0700. ``mkdir(parents=True)`` would apply the umask to parents."""
        if folder not in self._created and folder != self.path:
            self._create_folder(folder.parent)
            folder.mkdir(mode=0o700, exist_ok=True)
            self._created.add(folder)

    def sweep(self) -> int:
        """Remove all files except those that this run wrote or kept. Returns the number of removed files."""
        removed = 0
        for path in sorted(self.path.rglob("*"), reverse=True):
            if path.is_dir() and not path.is_symlink():
                if not any(path.iterdir()):
                    path.rmdir()
            elif path.relative_to(self.path).as_posix() not in self._kept:
                path.unlink()
                removed += 1
        return removed


def _unwritable(path: Path, error: OSError) -> UsageError:
    return UsageError(f'"{display_name(os.fsencode(path))}" cannot be written: {error.strerror}.')

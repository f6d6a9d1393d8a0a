"""Files beside a photo that hold its metadata: XMP sidecars, ``.picasa.ini`` and Google Takeout's JSON.

Names are compared without case, because Windows and cameras write ``IMG_1.XMP``. An exact match comes first.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from pathlib import Path

from catalog.domain.companion_names import name_key, sidecar_names, takeout_names

_KEPT_FOLDERS = 64
"""Folders whose file names are kept in memory. Photos are read folder by folder."""


class CompanionFinder:
    """Finds companion files by listing each folder once."""

    def __init__(self) -> None:
        self._folders: OrderedDict[Path, dict[str, str]] = OrderedDict()

    def sidecar(self, photo: Path) -> Path | None:
        """Return ``photo.jpg.xmp`` in any case, if it exists."""
        return self._existing(photo, f"{photo.name}.xmp")

    def sidecars(self, photo: Path) -> list[Path]:
        """Return ``photo.jpg.xmp`` and ``photo.xmp`` (Lightroom), if they exist."""
        paths = [self._existing(photo, name) for name in sidecar_names(photo.name)]
        return list(dict.fromkeys(path for path in paths if path is not None))

    def picasa(self, photo: Path) -> Path | None:
        return self._existing(photo, ".picasa.ini") or self._existing(photo, "picasa.ini")

    def takeout(self, photo: Path) -> Path | None:
        """Return the JSON file of Google Takeout for a photo, if it exists."""
        names = (self._existing(photo, name) for name in takeout_names(photo.name))
        return next((path for path in names if path is not None), None)

    def _existing(self, photo: Path, name: str) -> Path | None:
        names = self._names(photo.parent)
        matching = names.get(name_key(name))
        if matching is None:
            return None
        exact = photo.with_name(name)
        return exact if os.path.lexists(exact) else photo.with_name(matching)

    def _names(self, folder: Path) -> dict[str, str]:
        names = self._folders.get(folder)
        if names is None:
            try:
                # Reverse order: of several names that differ in case only, the first in order of bytes is used.
                names = {name_key(name): name for name in sorted(os.listdir(folder), reverse=True)}  # noqa: PTH208  names only
            except OSError:
                names = {}
            self._folders[folder] = names
            if len(self._folders) > _KEPT_FOLDERS:
                self._folders.popitem(last=False)
        else:
            self._folders.move_to_end(folder)
        return names

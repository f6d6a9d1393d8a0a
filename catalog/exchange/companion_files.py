"""Files beside a photo that hold its metadata: XMP sidecars, ``.picasa.ini`` and Google Takeout's JSON.

Names are compared without case, because Windows and cameras write ``IMG_1.XMP``. An exact match comes first.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path

_KEPT_FOLDERS = 64
"""Folders whose file names are kept in memory. Photos are read folder by folder."""
_TAKEOUT_STEM_LENGTH = 46
"""Google cuts the name of a JSON file to 46 characters before ".json"."""
_NUMBER = re.compile(r"\(\d+\)$")
_EDITED = re.compile(
    r"-(edited|bearbeitet|modifié|modificato|editado|ha editado|editat|bewerkt|edytowane|編集済み|编辑"
    r"|effects|smile|mix|collage|animation|motion)$",
    re.IGNORECASE,
)


class CompanionFinder:
    """Finds companion files by listing each folder once."""

    def __init__(self) -> None:
        self._folders: OrderedDict[Path, dict[str, str]] = OrderedDict()

    def sidecar(self, photo: Path) -> Path | None:
        """Return ``photo.jpg.xmp`` in any case, if it exists."""
        return self._existing(photo, f"{photo.name}.xmp")

    def sidecars(self, photo: Path) -> list[Path]:
        """Return ``photo.jpg.xmp`` and ``photo.xmp`` (Lightroom), if they exist."""
        paths = (self.sidecar(photo), self._existing(photo, f"{photo.stem}.xmp"))
        return list(dict.fromkeys(path for path in paths if path is not None))

    def picasa(self, photo: Path) -> Path | None:
        return self._existing(photo, ".picasa.ini") or self._existing(photo, "picasa.ini")

    def takeout(self, photo: Path) -> Path | None:
        """Return the JSON file of Google Takeout for a photo, if it exists."""
        names = (self._existing(photo, name) for name in _takeout_names(photo.name))
        return next((path for path in names if path is not None), None)

    def _existing(self, photo: Path, name: str) -> Path | None:
        names = self._names(photo.parent)
        matching = names.get(_key(name))
        if matching is None:
            return None
        exact = photo.with_name(name)
        return exact if os.path.lexists(exact) else photo.with_name(matching)

    def _names(self, folder: Path) -> dict[str, str]:
        names = self._folders.get(folder)
        if names is None:
            try:
                # Reverse order: of several names that differ in case only, the first in order of bytes is used.
                names = {_key(name): name for name in sorted(os.listdir(folder), reverse=True)}  # noqa: PTH208  names only
            except OSError:
                names = {}
            self._folders[folder] = names
            if len(self._folders) > _KEPT_FOLDERS:
                self._folders.popitem(last=False)
        else:
            self._folders.move_to_end(folder)
        return names


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _takeout_names(name: str) -> Iterator[str]:
    """Yield the names that Takeout may give the JSON file of a photo, the most specific first.

    ``IMG_1(1).jpg`` has ``IMG_1.jpg.supplemental-metadata(1).json``, before 2024 ``IMG_1.jpg(1).json``. An edited photo
    shares the JSON file of its original.
    """
    stem, dot, ending = name.rpartition(".")
    if not dot:
        stem, ending = name, ""
    number = match[0] if (match := _NUMBER.search(stem)) else ""
    base = stem.removesuffix(number)
    bases = [base, *([_EDITED.sub("", base)] if _EDITED.search(base) else [])]
    for one_base in bases:
        full = one_base + dot + ending
        supplemental = f"{full}.supplemental-metadata"
        yield f"{supplemental}{number}.json"
        yield f"{supplemental[:_TAKEOUT_STEM_LENGTH]}{number}.json"
        yield f"{full[:_TAKEOUT_STEM_LENGTH]}{number}.json"
        if number:
            yield f"{one_base}{number}{dot}{ending}.supplemental-metadata.json"
            yield f"{one_base}{number}{dot}{ending}.json"
        yield f"{one_base}{number}.json"

"""Names of faces in the libraries of Apple Photos, for the photos inside a library."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from catalog.domain.apple_library import AppleAsset, AppleFace, AppleLibrary, apple_asset, read_apple_library
from catalog.domain.errors import PhotoError

_OLD_LIBRARY = re.compile(
    r"(?P<library>.*\.(?:photoslibrary|photolibrary|migratedphotolibrary|aplibrary))/(?:Masters|Originals)/.*",
    re.DOTALL | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class AppleFile:
    """The database of a photo's library. ``asset`` is None for a library of a version before Photos 5."""

    database: Path
    asset: AppleAsset | None = None


class AppleLibraries:
    """The libraries that were read, each once."""

    def __init__(self) -> None:
        self._libraries: dict[Path, AppleLibrary] = {}

    def file(self, photo: Path) -> AppleFile | None:
        """The database of the library that holds a photo, if there is one to read."""
        asset = apple_asset(str(photo))
        if asset is not None:
            database = _database(asset.library)
            return AppleFile(database, asset) if os.path.lexists(database) else None
        old = _OLD_LIBRARY.fullmatch(str(photo))
        if old is None or os.path.lexists(_database(old["library"])):
            return None
        return AppleFile(_database(old["library"]))

    def faces(self, file: AppleFile) -> tuple[tuple[AppleFace, ...], bool]:
        """The named faces of a photo, the surest first, and whether their position on this file is certain.

        Faces of an edited photo lie on the edit; on the original they count only where a face was detected. Raises
        ``PhotoError`` for the first photo of a library that cannot be read.
        """
        library = self._libraries.get(file.database)
        if library is None:
            library = self._libraries[file.database] = AppleLibrary()
            if file.asset is None:
                raise PhotoError(
                    "Photos 4, iPhoto or Aperture wrote this library. Its names are read after Photos 5 or later"
                    " has opened it."
                )
            library = self._libraries[file.database] = read_apple_library(file.asset.library)
        if file.asset is None:
            return (), True
        uuid = file.asset.uuid
        return library.faces.get(uuid, ()), file.asset.is_edit or uuid not in library.edited


def _database(library: str) -> Path:
    return Path(library) / "database" / "Photos.sqlite"

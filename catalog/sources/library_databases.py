"""The databases of the libraries of Apple Photos in a folder: which photos are left out, and when they were taken."""

from __future__ import annotations

import logging
import os
from threading import Lock

from catalog.domain.apple_library import AppleLibrary, apple_asset, read_apple_library
from catalog.domain.errors import PhotoError
from catalog.domain.taken_at import TakenAt
from catalog.domain.uri import display_name
from catalog.sources.exclusions import FolderRules

log = logging.getLogger(__name__)


class LibraryDatabases:
    """Reads each database once. May be used from several threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._libraries: dict[bytes, AppleLibrary] = {}

    def leave_out_assets(self, rules: FolderRules, folder: bytes) -> None:
        """Leave out the photos that are hidden or in the trash of Apple Photos, if the folder is its library."""
        if rules.is_photo_library:
            rules.leave_out_assets(self._library(folder.rstrip(b"/")).left_out)

    def dates(self, path: bytes) -> tuple[TakenAt, ...]:
        """The date that a library has of a photo in it. Empty for other photos, and for one without a date."""
        asset = apple_asset(os.fsdecode(path))
        if asset is None:
            return ()
        date = self._library(os.fsencode(asset.library)).dates.get(asset.uuid)
        taken = None if date is None else date.taken_at()
        return () if taken is None else (taken,)

    def _library(self, folder: bytes) -> AppleLibrary:
        """The content of a database; empty if there is none, or with a warning if it cannot be read."""
        with self._lock:
            if folder not in self._libraries:
                self._libraries[folder] = _read(folder)
            return self._libraries[folder]


def _read(folder: bytes) -> AppleLibrary:
    try:
        return read_apple_library(folder, with_faces=False)
    except FileNotFoundError:
        return AppleLibrary()
    except PhotoError as error:
        log.warning('Hidden photos and corrected dates of "%s" are not recognized. %s', display_name(folder), error)
        return AppleLibrary()

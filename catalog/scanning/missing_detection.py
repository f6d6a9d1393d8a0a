"""Detect missing locations after a complete listing, and folders whose emptiness is suspect.

A disk that is not mounted looks like photos that were deleted. An empty source is refused elsewhere. This module is
about folders within a source:

- A folder that exists, is empty, and held many photos may be the mount point of a disk.
- Folders that do not exist any more and together held most of the source may have been on a removable disk.

Photos that have another present location were moved and do not count. Locations in suspect folders are not marked as
missing, unless the user asks for it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from sqlalchemy import Connection

from catalog.domain.errors import SourceError
from catalog.domain.uri import FILE_SCHEME, display, file_path
from catalog.store.photos import Location, photos_at_other_locations

MANY = 20
"""Photos from which on an empty folder is suspect. Not measured."""

_REMEDY = (
    "They are not marked as missing. Check whether the disk is mounted; if the photos are really gone, scan again with "
    "--force."
)


@dataclass(frozen=True, slots=True)
class SuspectFolder:
    """A folder that may be on a disk that is not mounted. ``folder`` is a uri with a closing slash."""

    folder: str
    photos: int
    is_empty: bool
    """True: the folder exists and is empty. False: the folder does not exist."""


class MissingDetection:
    """Sorts the locations of one source that its listing did not show by the uppermost empty or absent folder."""

    def __init__(self, source_uri: str) -> None:
        self._source = source_uri
        self._is_folder = source_uri.startswith(FILE_SCHEME) and source_uri.endswith("/")
        self._is_bare_by_folder: dict[str, bool] = {}
        self._single: list[int] = []
        self._by_folder: dict[str, list[tuple[int, int]]] = {}

    def add(self, location: Location) -> None:
        folder = self._bare_folder(location.uri) if self._is_folder else None
        if folder is None:
            self._single.append(location.location_id)
        else:
            self._by_folder.setdefault(folder, []).append((location.location_id, location.photo_id))

    def missing(self, suspects: list[SuspectFolder]) -> list[int]:
        """Row ids of the missing locations, without those in suspect folders."""
        excluded = {suspect.folder for suspect in suspects}
        return self._single + [
            location_id
            for folder, items in self._by_folder.items()
            if folder not in excluded
            for location_id, _ in items
        ]

    def suspects(self, connection: Connection, present: int) -> list[SuspectFolder]:
        """Suspect folders, those with most photos first. ``present`` locations were known in the source before."""
        unseen = {location_id for items in self._by_folder.values() for location_id, _ in items}.union(self._single)
        empty: list[SuspectFolder] = []
        absent: list[SuspectFolder] = []
        for folder, items in self._by_folder.items():
            photos = {photo_id for _, photo_id in items}
            photo_count = len(photos) - len(photos_at_other_locations(connection, photos, unseen))
            exists = os.path.lexists(file_path(folder).rstrip(b"/"))
            (empty if exists else absent).append(SuspectFolder(folder, photo_count, is_empty=exists))
        suspects = [suspect for suspect in empty if suspect.photos >= MANY]
        absent_count = sum(suspect.photos for suspect in absent)
        if absent_count >= MANY and 2 * absent_count > present:
            suspects += [suspect for suspect in absent if suspect.photos]
        return sorted(suspects, key=lambda suspect: (-suspect.photos, suspect.folder))

    def _bare_folder(self, uri: str) -> str | None:
        """The uppermost folder above a location that is empty or absent; None if its own folder holds something."""
        uppermost = None
        folder = _parent(uri)
        while folder != self._source and self._is_bare(folder):
            uppermost = folder
            folder = _parent(folder[:-1])
        return uppermost

    def _is_bare(self, folder: str) -> bool:
        if folder not in self._is_bare_by_folder:
            self._is_bare_by_folder[folder] = _is_empty_or_absent(file_path(folder))
        return self._is_bare_by_folder[folder]


def missing_folder_error(source_uri: str, suspects: list[SuspectFolder]) -> SourceError:
    """The error that names the first suspect folder and counts the other ones."""
    first = suspects[0]
    photo_count = sum(suspect.photos for suspect in suspects)
    addition = f" and {len(suspects) - 1:,} other folders" if len(suspects) > 1 else ""
    state = "is empty" if first.is_empty else "is gone"
    if addition:
        state = "are empty or gone"
    return SourceError(
        f'The folder "{display(first.folder)}"{addition} in the source "{display(source_uri)}" {state},'
        f" where {photo_count:,} photos were.",
        remedy=_REMEDY,
    )


def _parent(uri: str) -> str:
    return uri[: uri.rindex("/") + 1]


def _is_empty_or_absent(path: bytes) -> bool:
    try:
        with os.scandir(path) as entries:
            return next(entries, None) is None
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:  # the listing reported a folder that cannot be read; nothing below it counts as missing
        return False

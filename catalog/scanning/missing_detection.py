"""What a whole listing did not show, and whether to believe that it is gone.

A disk that is not mounted looks like photos that were deleted. The source itself is guarded elsewhere: an empty one is
refused. This is about folders within it:

- A folder that still stands and holds nothing at all, where many photos were, is taken for the place where a disk is
  mounted on other days.
- Where folders went away with all they held (a stick that is pulled out takes its folder with it), and they held most
  of the source, that is not believed either.

Photos that stand somewhere else by now do not count: they were moved. Of what is not believed nothing is marked as
missing; a user who knows better says so.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, select

from catalog.domain.errors import SourceError
from catalog.domain.uri import FILE_SCHEME, display, file_path
from catalog.store.photos import Location
from catalog.store.tables import locations
from catalog.store.upsert import batches

MANY = 20
"""Photos from which on an empty folder is suspicious."""

_REMEDY = (
    "They are not marked as missing. Check whether the disk is mounted; if the photos are really gone, scan again with "
    "--force."
)


@dataclass(frozen=True, slots=True)
class SuspectFolder:
    """A folder (uri with a closing slash) of which it is not believed that its photos are gone."""

    folder: str
    photos: int
    empty: bool
    """It still stands; otherwise it is gone itself."""


class MissingDetection:
    """Places of one source that its listing did not show; they are sorted as they are added."""

    def __init__(self, source_uri: str) -> None:
        self._source = source_uri
        self._guarded = source_uri.startswith(FILE_SCHEME) and source_uri.endswith("/")
        self._bare: dict[str, bool] = {}
        self._single: list[int] = []
        self._below: dict[str, list[tuple[int, int]]] = {}

    def add(self, place: Location) -> None:
        top = self._bare_folder(place.uri) if self._guarded else None
        if top is None:
            self._single.append(place.location_id)
        else:
            self._below.setdefault(top, []).append((place.location_id, place.photo_id))

    def gone(self, doubtful: list[SuspectFolder]) -> list[int]:
        """Row ids of the places that are gone, but for those in doubt."""
        kept = {each.folder for each in doubtful}
        return self._single + [
            place for folder, places in self._below.items() if folder not in kept for place, _ in places
        ]

    def doubtful(self, connection: Connection, present: int) -> list[SuspectFolder]:
        """Folders that are not believed to be gone; ``present`` places were known in the source before."""
        missed = {place for places in self._below.values() for place, _ in places}.union(self._single)
        empty: list[SuspectFolder] = []
        away: list[SuspectFolder] = []
        for folder, places in self._below.items():
            photos = {photo for _, photo in places}
            lost = len(photos) - sum(1 for _ in _standing(connection, photos, missed))
            stands = os.path.lexists(file_path(folder).rstrip(b"/"))
            (empty if stands else away).append(SuspectFolder(folder, lost, empty=stands))
        doubtful = [each for each in empty if each.photos >= MANY]
        lost = sum(each.photos for each in away)
        if lost >= MANY and 2 * lost > present:
            doubtful += [each for each in away if each.photos]
        return sorted(doubtful, key=lambda each: (-each.photos, each.folder))

    def _bare_folder(self, uri: str) -> str | None:
        """The uppermost folder on the way to a place that holds nothing or is gone; None if its own holds something."""
        top = None
        folder = _parent(uri)
        while folder != self._source and self._is_bare(folder):
            top = folder
            folder = _parent(folder[:-1])
        return top

    def _is_bare(self, folder: str) -> bool:
        if folder not in self._bare:
            self._bare[folder] = _is_empty_or_gone(file_path(folder))
        return self._bare[folder]


def missing_folder_error(source_uri: str, doubtful: list[SuspectFolder]) -> SourceError:
    """The sentence about what is not believed."""
    first = doubtful[0]
    photos = sum(each.photos for each in doubtful)
    others = f" and {len(doubtful) - 1:,} other folders" if len(doubtful) > 1 else ""
    state = "is empty" if first.empty else "is gone"
    if others:
        state = "are empty or gone"
    return SourceError(
        f'The folder "{display(first.folder)}"{others} in the source "{display(source_uri)}" {state},'
        f" where {photos:,} photos were.",
        remedy=_REMEDY,
    )


def _standing(connection: Connection, photos: set[int], missed: set[int]) -> Iterator[int]:
    """Those photos that stand at a place which was not missed."""
    for some in batches(sorted(photos)):
        query = select(locations.c.photo_id, locations.c.id)
        standing: set[int] = set()
        for photo, place in connection.execute(
            query.where(locations.c.photo_id.in_(some), locations.c.missing_since.is_(None))
        ):
            if place not in missed:
                standing.add(photo)
        yield from standing


def _parent(uri: str) -> str:
    return uri[: uri.rindex("/") + 1]


def _is_empty_or_gone(path: bytes) -> bool:
    try:
        with os.scandir(path) as entries:
            return next(entries, None) is None
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:  # it cannot be looked into, which the listing has told: nothing below it was missed
        return False

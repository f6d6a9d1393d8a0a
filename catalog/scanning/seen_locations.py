"""Which places a scan has seen."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from catalog.domain.source import Source
from catalog.store.photos import Location


class SeenLocations:
    """A set of row ids of places, and of folders that could not be looked into.

    One byte for each row id: a million places take a megabyte, and adding one takes no time.
    """

    def __init__(self) -> None:
        self._marks = bytearray()
        self._folders: list[str] = []
        self._doubtful = False

    def add(self, location_id: int) -> None:
        try:
            self._marks[location_id] = 1
        except IndexError:
            self._marks.extend(bytes(location_id + 4096 - len(self._marks)))
            self._marks[location_id] = 1

    def add_known(self, place: Location) -> None:
        """A known place that was listed, whether or not it can be read: it may be marked as missing still."""
        self._doubtful = self._doubtful or place.missing_since is not None
        self.add(place.location_id)

    def add_below(self, uri: str) -> None:
        """What lies below a folder that could not be looked into may still be there; so may a skipped file."""
        self._folders.append(uri)

    def __len__(self) -> int:
        return self._marks.count(1)

    @property
    def countable(self) -> bool:
        """Each of these is a present place, and no folder had to be left out: their number tells if one is gone."""
        return not self._folders and not self._doubtful

    def __contains__(self, place: Location) -> bool:
        if place.location_id < len(self._marks) and self._marks[place.location_id]:
            return True
        return any(
            place.uri == folder or (folder.endswith("/") and place.uri.startswith(folder)) for folder in self._folders
        )


@dataclass(frozen=True, slots=True)
class CompletedListing:
    """A source that was listed to its end: how many photos it showed, and which known places.

    Places with a row id above ``newest`` were recorded meanwhile by somebody else: they are not gone.
    """

    source: Source
    seen: SeenLocations
    photos: int
    newest: int = sys.maxsize

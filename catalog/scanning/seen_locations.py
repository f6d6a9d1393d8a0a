"""The set of locations that a scan has seen."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass

from catalog.domain.source import Source
from catalog.store.photos import Location


class SeenLocations:
    """Row ids of seen locations, and addresses of folders that could not be read.

    Takes one byte for each row id up to the highest: a million locations take a megabyte.
    """

    def __init__(self) -> None:
        self._marks = bytearray()
        self._folders: list[str] = []
        self._left_out: dict[str, str] = {}
        self._has_missing = False

    def add(self, location_id: int) -> None:
        try:
            self._marks[location_id] = 1
        except IndexError:
            self._marks.extend(bytes(location_id + 4096 - len(self._marks)))
            self._marks[location_id] = 1

    def add_present(self, location_ids: Iterable[int]) -> None:
        """Add present locations, many at once."""
        for location_id in location_ids:
            self.add(location_id)

    def add_known(self, location: Location) -> None:
        """Add a known location that was listed, readable or not. It may still be marked as missing."""
        self._has_missing = self._has_missing or location.missing_since is not None
        self.add(location.location_id)

    def add_below(self, uri: str) -> None:
        """Add everything below a folder that could not be read, or a skipped file: it may still exist."""
        self._folders.append(uri)

    def add_left_out(self, uri: str, rule: str) -> None:
        """Add a folder (its uri ends in a slash) or a known file that a rule leaves out."""
        self._left_out[uri] = rule

    def left_out_by(self, uri: str) -> str | None:
        """The rule that leaves out this location, or None."""
        if not self._left_out:
            return None
        if uri in self._left_out:
            return self._left_out[uri]
        end = len(uri)
        while (end := uri.rfind("/", 0, end)) > 0:
            rule = self._left_out.get(uri[: end + 1])
            if rule is not None:
                return rule
        return None

    def __len__(self) -> int:
        return self._marks.count(1)

    @property
    def is_countable(self) -> bool:
        """Every seen location is a present one, so that a comparison of counts shows whether one is missing."""
        return not self._folders and not self._has_missing

    def __contains__(self, location: Location) -> bool:
        if location.location_id < len(self._marks) and self._marks[location.location_id]:
            return True
        uri = location.uri
        return any(uri == folder or (folder.endswith("/") and uri.startswith(folder)) for folder in self._folders)


@dataclass(frozen=True, slots=True)
class CompletedListing:
    """A source that was listed to its end, with the number of its photos and the known locations it showed.

    Locations with a row id above ``newest`` were recorded meanwhile by other workers: they are not missing.
    """

    source: Source
    seen: SeenLocations
    photos: int
    newest: int = sys.maxsize

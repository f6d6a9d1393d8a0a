"""Stage 1 of a scan: compare a listing with the known locations. Nothing is read and nothing is written.

Whether a location turns out new, changed, moved or a duplicate is known after its bytes are hashed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from catalog.domain.photos import Outcome, OutcomeKind, PhotoRef
from catalog.domain.source import LeftOut, Listed, OtherFile, Skipped, Source
from catalog.domain.uri import FILE_SCHEME, display
from catalog.scanning.photo_task import PhotoTask
from catalog.store.database import Database
from catalog.store.listed_photos import (
    RecordedLocations,
    UnchangedLocations,
    look_up_locations,
    unchanged_locations,
)
from catalog.store.photos import Location, locations_by_uri

BATCH = 1000
"""Locations looked up by one query."""

LONGEST_URI = 2500
"""Characters of a uri at most. An index row of PostgreSQL holds 2,704 bytes, and a catalogue may be moved there."""


class Unchanged(NamedTuple):
    """Locations, in the listing's order, that look as they did when they were last read, and whose photos are enrolled.

    At most :data:`BATCH`. A nightly scan sees little else, and one step for each of them would take most of its time.
    """

    locations: UnchangedLocations

    def outcomes(self, database: Database) -> Iterator[Outcome]:
        """Yield one outcome for each location. Reads the content hashes."""
        with database.read() as connection:
            recorded = locations_by_uri(connection, self.locations.uris)
        for uri in self.locations.uris:
            location = recorded.get(uri)  # None: another program removed it meanwhile
            yield Outcome(uri, OutcomeKind.UNCHANGED, location.sha256 if location else None)


class Excluded(NamedTuple):
    """A file or folder that a rule leaves out. ``location`` is that of a present file that the catalogue knows."""

    item: LeftOut
    location: Location | None


Step = Unchanged | PhotoTask | Skipped | Excluded | OtherFile
"""A task is a location that is new, looks changed, came back, or whose photo this gallery does not hold."""

_MIN_INODES = 8
_UNSTABLE_SHARE = 0.9


class _InodeEvidence:
    """Decides whether the inodes of a source are stable.

    Some network file systems give every file a new inode at each mount. They are taken for unstable when 9 of 10 known
    files, and at least 8, have the same size and time as before and another inode. Then size and time alone decide.
    Both numbers are not measured.
    """

    def __init__(self) -> None:
        self._same = self._different = 0

    def add_same(self, number: int) -> None:
        """Add files with the size, time and inode that they had before."""
        self._same += number

    def add(self, entries: Sequence[Listed], location_by_uri: Mapping[str, Location]) -> None:
        for entry in entries:
            location = location_by_uri.get(entry.uri)
            if (
                location is not None
                and isinstance(entry, PhotoRef)
                and entry.modified_ns == location.modified_ns
                and entry.size == location.size
            ):
                if entry.etag == location.etag:
                    self._same += 1
                else:
                    self._different += 1

    @property
    def is_unstable(self) -> bool:
        total = self._same + self._different
        return self._different >= _MIN_INODES and self._different >= _UNSTABLE_SHARE * total


def plan(database: Database, source: Source, *, engine: str, gallery: str) -> Iterator[Step]:
    """One step for each entry of the source's listing, in its order.

    The catalogue is read batch by batch, each in its own transaction. One transaction for the whole scan would keep
    the database from reusing space.
    """
    listing = source.list()
    inodes = _InodeEvidence()
    while entries := [_checked(entry) if len(entry.uri) > LONGEST_URI else entry for entry in islice(listing, BATCH)]:
        with database.read() as connection:
            unchanged = unchanged_locations(connection, entries, engine, gallery)
            if unchanged is None:
                uris = [entry.uri for entry in entries if type(entry) is PhotoRef or type(entry) is LeftOut]
                recorded = look_up_locations(connection, uris, engine, gallery)
        if unchanged is not None:
            inodes.add_same(len(unchanged))
            yield Unchanged(unchanged)
            continue
        if source.uri.startswith(FILE_SCHEME):
            inodes.add(entries, recorded.by_uri)
        yield from _compared(source, entries, recorded, inodes)


def _looks_the_same(entry: Listed, location: Location | None) -> bool:
    """Return whether size, time, inode or ETag, and version are those of a present location."""
    return (
        location is not None
        and entry == location[: len(PhotoRef._fields)]  # a test holds that these fields are the same
        and location.missing_since is None
    )


def _compared(
    source: Source,
    entries: Sequence[Listed],
    recorded: RecordedLocations,
    inodes: _InodeEvidence,
) -> Iterator[Step]:
    """The steps of one batch, in its order. Unchanged locations between two other steps are one step."""
    unchanged: list[Location] = []
    for entry in entries:
        location = recorded.by_uri.get(entry.uri)
        if (
            location is not None
            and isinstance(entry, PhotoRef)
            and (_looks_the_same(entry, location) or _has_new_inode(entry, location, inodes))
            and location.photo_id not in recorded.unenrolled
        ):
            unchanged.append(location)
            continue
        if unchanged:
            yield Unchanged(UnchangedLocations.of(unchanged))
            unchanged = []
        if isinstance(entry, PhotoRef):
            yield PhotoTask(source, entry, location)
        elif isinstance(entry, LeftOut):
            yield Excluded(entry, location if location is not None and location.missing_since is None else None)
        else:
            yield entry
    if unchanged:
        yield Unchanged(UnchangedLocations.of(unchanged))


def _has_new_inode(entry: PhotoRef, location: Location, inodes: _InodeEvidence) -> bool:
    """Return whether all but the inode of a present location is the same, and inodes of this source say nothing."""
    return inodes.is_unstable and _looks_the_same(entry._replace(etag=location.etag), location)


def _checked(entry: Listed) -> Listed:
    return too_long(entry.uri) if isinstance(entry, PhotoRef) else entry


def too_long(uri: str) -> Skipped:
    """Skip a photo because its address is too long."""
    name = display(uri)
    return Skipped(
        uri, f'The path of "...{name[-60:]}" is too long: its address has {len(uri):,} of {LONGEST_URI:,} bytes.'
    )

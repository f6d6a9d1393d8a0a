"""Stage 1 of a scan: compare a listing with the known locations. Nothing is read and nothing is written.

Whether a location turns out new, changed, moved or a duplicate is known after its bytes are hashed. The counts of a
plan, and its cost, are therefore upper bounds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from catalog.domain.photos import PhotoRef
from catalog.domain.source import Skipped, Source
from catalog.domain.uri import display
from catalog.scanning.photo_task import PhotoTask
from catalog.store.database import Database
from catalog.store.photos import Location, look_up_locations

BATCH = 500
"""Locations looked up by one query."""

LONGEST_URI = 2500
"""Characters of a uri at most. An index row of PostgreSQL holds 2,704 bytes, and a catalogue may be moved there."""


class Unchanged(NamedTuple):
    """A location that looks as it did when it was last read, and whose photo is enrolled."""

    ref: PhotoRef
    location: Location


Step = Unchanged | PhotoTask | Skipped
"""A task is a location that is new, looks changed, came back, or whose photo this gallery does not hold."""


def plan(database: Database, source: Source, *, engine: str, gallery: str) -> Iterator[Step]:
    """One step for each entry of the source's listing, in its order.

    The catalogue is read batch by batch, each in its own transaction. One transaction for the whole scan would keep
    the database from reusing space.
    """
    listing = map(_checked, source.list())
    while entries := list(islice(listing, BATCH)):
        uris = [entry.uri for entry in entries if isinstance(entry, PhotoRef)]
        with database.read() as connection:
            known, unenrolled = look_up_locations(connection, uris, engine, gallery)
        for entry in entries:
            if isinstance(entry, Skipped):
                yield entry
            elif (
                (location := known.get(entry.uri)) is not None
                and entry.modified_ns == location.modified_ns
                and entry.size == location.size
                and entry.etag == location.etag
                and entry.version == location.version
                and location.missing_since is None
                and location.photo_id not in unenrolled
            ):
                yield Unchanged(entry, location)
            else:
                yield PhotoTask(source, entry, location)


def _checked(entry: PhotoRef | Skipped) -> PhotoRef | Skipped:
    return too_long(entry.uri) if isinstance(entry, PhotoRef) and len(entry.uri) > LONGEST_URI else entry


def too_long(uri: str) -> Skipped:
    """Skip a photo because its address is too long."""
    name = display(uri)
    return Skipped(
        uri, f'The path of "...{name[-60:]}" is too long: its address has {len(uri):,} of {LONGEST_URI:,} bytes.'
    )


@dataclass(slots=True)
class Estimate:
    """Number of locations that a scan would find unchanged, read as new, read as changed, and skip."""

    unchanged: int = 0
    unseen: int = 0
    altered: int = 0
    skipped: int = 0

    @property
    def discovered(self) -> int:
        return self.unchanged + self.unseen + self.altered + self.skipped

    @property
    def to_read(self) -> int:
        """Upper bound of the photos to enroll."""
        return self.unseen + self.altered

    def add(self, other: Estimate) -> None:
        """Add the counts of another source."""
        self.unchanged += other.unchanged
        self.unseen += other.unseen
        self.altered += other.altered
        self.skipped += other.skipped


def estimate(steps: Iterable[Step]) -> Estimate:
    counts = Estimate()
    for step in steps:
        match step:
            case Unchanged():
                counts.unchanged += 1
            case Skipped():
                counts.skipped += not step.uri.endswith("/")
            case PhotoTask(known=None):
                counts.unseen += 1
            case PhotoTask():
                counts.altered += 1
    return counts

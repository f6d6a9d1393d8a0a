"""What there is to do, as data, decided from listings alone: nothing is read, nothing is written.

Whether a place that must be read turns out new, changed, moved or a duplicate is known once its bytes are hashed; so
what a plan counts as work, and its cost, are upper bounds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from catalog.domain.photos import PhotoRef
from catalog.domain.source import Skipped, Source
from catalog.domain.uri import display
from catalog.store.database import Database
from catalog.store.photos import Location, look_up_locations

BATCH = 500
"""Places looked up at once."""

LONGEST_URI = 2500
"""Characters of a uri at most: an index of PostgreSQL takes 2,704 bytes in a row, and a catalogue may move there."""


class Unchanged(NamedTuple):
    """A place that looks as it did when it was last read, with its photo enrolled."""

    ref: PhotoRef
    place: Location


@dataclass(frozen=True, slots=True)
class ToRead:
    """A place that is new, looks changed, came back, or whose photo this gallery does not hold yet."""

    source: Source
    ref: PhotoRef
    place: Location | None
    """What was known of it; None: it was never seen."""


Step = Unchanged | ToRead | Skipped


def plan(database: Database, source: Source, *, engine: str, gallery: str) -> Iterator[Step]:
    """One step for each entry of the source's listing, in its order.

    The catalogue is asked batch by batch, each in a transaction of its own: one that lasted as long as the scan would
    keep the database from reusing what the scan itself writes.
    """
    listing = map(_or_too_long, source.list())
    while entries := list(islice(listing, BATCH)):
        uris = [entry.uri for entry in entries if isinstance(entry, PhotoRef)]
        with database.read() as connection:
            known, waiting = look_up_locations(connection, uris, engine, gallery)
        for entry in entries:
            if isinstance(entry, Skipped):
                yield entry
            elif (
                (place := known.get(entry.uri)) is not None
                and entry.modified_ns == place.modified_ns
                and entry.size == place.size
                and entry.etag == place.etag
                and entry.version == place.version
                # It was never missed since, and is enrolled.
                and place.missing_since is None
                and place.photo_id not in waiting
            ):
                yield Unchanged(entry, place)
            else:
                yield ToRead(source, entry, place)


def _or_too_long(entry: PhotoRef | Skipped) -> PhotoRef | Skipped:
    return too_long(entry.uri) if isinstance(entry, PhotoRef) and len(entry.uri) > LONGEST_URI else entry


def too_long(uri: str) -> Skipped:
    """The refusal of a photo for its address."""
    name = display(uri)
    return Skipped(
        uri, f'The path of "...{name[-60:]}" is too long: as an address it takes {len(uri):,} of {LONGEST_URI:,} bytes.'
    )


@dataclass(slots=True)
class Estimate:
    """How many places a scan would find unchanged, read because new, read because they look changed, and skip."""

    unchanged: int = 0
    unseen: int = 0
    altered: int = 0
    skipped: int = 0

    @property
    def discovered(self) -> int:
        return self.unchanged + self.unseen + self.altered + self.skipped

    @property
    def to_read(self) -> int:
        """The most photos that may have to be enrolled."""
        return self.unseen + self.altered

    def add(self, other: Estimate) -> None:
        """Count another source's too."""
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
            case ToRead(place=None):
                counts.unseen += 1
            case ToRead():
                counts.altered += 1
    return counts

"""What there is to do, as data, decided from listings alone: nothing is read, nothing is written.

Whether a place that must be read turns out new, changed, moved or a duplicate is known once its bytes are hashed; so
what a plan counts as work, and its cost, are upper bounds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from sqlalchemy import Connection

from catalog.sources.base import Skipped, Source
from catalog.store.photos import Place, enrolled_photos, places
from catalog.vocabulary import PhotoRef

BATCH = 500
"""Places looked up at once."""


@dataclass(frozen=True, slots=True)
class Unchanged:
    """A place that looks as it did when it was last read, with its photo enrolled."""

    ref: PhotoRef
    place: Place


@dataclass(frozen=True, slots=True)
class ToRead:
    """A place that is new, looks changed, came back, or whose photo this gallery does not hold yet."""

    source: Source
    ref: PhotoRef
    place: Place | None
    """What was known of it; None: it was never seen."""


Step = Unchanged | ToRead | Skipped


def plan(connection: Connection, source: Source, *, engine: str, gallery: str) -> Iterator[Step]:
    """One step for each entry of the source's listing, in its order."""
    listing = source.list()
    while entries := list(islice(listing, BATCH)):
        refs = [entry for entry in entries if isinstance(entry, PhotoRef)]
        known = places(connection, [ref.uri for ref in refs])
        enrolled = enrolled_photos(connection, {place.photo_id for place in known.values()}, engine, gallery)
        for entry in entries:
            if isinstance(entry, Skipped):
                yield entry
                continue
            place = known.get(entry.uri)
            if place is not None and looks_the_same(entry, place) and place.photo_id in enrolled:
                yield Unchanged(entry, place)
            else:
                yield ToRead(source, entry, place)


def looks_the_same(ref: PhotoRef, place: Place) -> bool:
    """Size, modification time and change mark are those of the last reading, and it was never missed since."""
    return (
        place.missing_since is None
        and ref.size == place.size
        and ref.modified_ns == place.modified_ns
        and ref.etag == place.etag
        and ref.version == place.version
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

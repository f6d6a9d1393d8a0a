"""Read the dates of photos from their unchanged files again, after a release that reads more of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import tzinfo
from functools import partial

from sqlalchemy import Connection

from catalog.app.library_zone import time_zone
from catalog.app.open_source import address_of
from catalog.app.resources import Resources
from catalog.app.stacks import refresh_stacks
from catalog.app.upkeep import source_uri
from catalog.domain.choose_date import choose_date
from catalog.domain.content_hash import sha256_of
from catalog.domain.errors import PhotoError, SourceError, UsageError
from catalog.domain.name_dates import dates_of_uri
from catalog.domain.photo_date import PhotoDate
from catalog.domain.source import Source
from catalog.domain.taken_at import DateSource, TakenAt, date_text
from catalog.domain.uri import display
from catalog.store.assignment_lock import lock_persons
from catalog.store.assignments import unassign
from catalog.store.database import Database
from catalog.store.date_refresh import count_decided, photos_to_refresh, present_locations
from catalog.store.decided_rows import machine_faces_before_birth
from catalog.store.photo_dates import read_photo_dates, set_photo_dates
from catalog.store.photos import Location
from catalog.store.source_rows import scanned_sources
from catalog.store.stack_rows import forget_stack_state

_BATCH = 200
"""Photos that are recorded in one transaction."""
_SIDE = 64
"""Pixels of the longer side to which a photo is decoded: only its metadata are needed."""


@dataclass(frozen=True, slots=True)
class RefreshedDates:
    """``read`` photos, of which ``changed`` have another date now. ``kept`` photos have a date that a user decided.

    ``problems`` are sentences about files that could not be read or have changed; their photos keep their dates.
    """

    read: int
    changed: int
    kept: int
    problems: tuple[str, ...] = ()


@dataclass(slots=True)
class _Sources:
    """The scanned sources, each opened when a file of it is read. An error is raised for each of its files."""

    resources: Resources
    uris: Sequence[str]
    opened: dict[str, Source | SourceError] = field(default_factory=dict)

    def of(self, uri: str) -> Source:
        """The outermost source that holds a location. Raises ``SourceError``."""
        covering = [source for source in self.uris if uri == source or uri.startswith(source.rstrip("/") + "/")]
        chosen = min(covering, key=len, default=uri)
        if chosen not in self.opened:
            try:
                (self.opened[chosen],) = self.resources.sources([address_of(chosen)])
            except SourceError as error:
                self.opened[chosen] = error
        source = self.opened[chosen]
        if isinstance(source, SourceError):
            raise source
        return source


def refresh_dates(resources: Resources, addresses: Sequence[str], *, dry_run: bool) -> RefreshedDates:
    """See ``Catalog.refresh_dates``. A dry run only reads, also in a catalogue that is opened read-only."""
    if dry_run:
        with resources.reading() as database:
            return _refresh(resources, database, addresses, _count_changed)
    result = _refresh(resources, resources.database, addresses, _record)
    if result.changed:
        with resources.database.begin() as connection:
            forget_stack_state(connection)
        refresh_stacks(resources)
    return result


def _refresh(
    resources: Resources,
    database: Database,
    addresses: Sequence[str],
    process: Callable[[Database, Mapping[str, TakenAt | None]], int],
) -> RefreshedDates:
    """Read the dates of all files. ``process`` gets them in batches, and returns how many differ."""
    zone = time_zone(resources.settings.scan.time_zone)
    with database.read() as connection:
        scanned = scanned_sources(connection)
        chosen = [source_uri(address, scanned) for address in addresses] or scanned
        unknown = next((uri for uri in chosen if uri not in scanned), None)
        if unknown is not None:
            raise UsageError(
                f'The source "{display(unknown)[:300]}" was never scanned.', remedy="List them: catalog sources"
            )
        kept = sum(count_decided(connection, uri) for uri in _outermost(chosen))
    sources = _Sources(resources, scanned)
    read = changed = 0
    problems: dict[str, None] = {}
    with ThreadPoolExecutor(resources.workers) as pool:
        for batch in _batches(database, _outermost(chosen)):
            dates: dict[str, TakenAt | None] = {}
            read_one = partial(_read_photo, resources, sources, zone)
            for locations, date in zip(batch, pool.map(read_one, batch), strict=True):
                if isinstance(date, str):
                    problems[date] = None
                else:
                    dates[locations[0].sha256] = date
            read += len(dates)
            changed += process(database, dates)
    return RefreshedDates(read, changed, kept, tuple(problems))


def _batches(database: Database, uris: Sequence[str]) -> Iterator[list[list[Location]]]:
    """The present locations of each photo, photo by photo; each photo once."""
    seen: set[int] = set()
    for uri in uris:
        last = 0
        while True:
            with database.read() as connection:
                photos = photos_to_refresh(connection, uri, last, _BATCH)
                locations = present_locations(connection, [photo for photo in photos if photo not in seen])
            if not photos:
                break
            last = photos[-1]
            seen.update(photos)
            yield list(locations.values())


def _read_photo(
    resources: Resources, sources: _Sources, zone: tzinfo, locations: Sequence[Location]
) -> TakenAt | str | None:
    """The most trusted date of all files of a photo, or a sentence about a file that cannot be used."""
    order = list(DateSource)
    dates: list[TakenAt] = []
    for location in locations:
        try:
            source = sources.of(location.uri)
            content = source.open(location.ref)
            if sha256_of(content.data) != location.sha256:
                return f'"{display(location.uri)}" has changed since the last scan.'
            metadata = resources.opener.open(content.oriented_data, _SIDE).metadata
        except (PhotoError, SourceError) as error:
            return str(error)
        stated = [*metadata.dates, *content.dates, *dates_of_uri(location.uri, source.uri)]
        date = choose_date(stated, is_scan=metadata.is_scan, zone=zone)
        if date is not None:
            dates.append(date)
    return min(dates, key=lambda date: order.index(date.source), default=None)


def _count_changed(database: Database, dates: Mapping[str, TakenAt | None]) -> int:
    with database.read() as connection:
        return len(_changed(connection, dates))


def _record(database: Database, dates: Mapping[str, TakenAt | None]) -> int:
    """Record the dates that differ. Returns their number.

    Faces that a machine assigned to persons who were born later become unassigned.
    """
    with database.begin() as connection:
        changed = _changed(connection, dates)
        if changed:
            lock_persons(connection)
            set_photo_dates(connection, changed)
            unassign(connection, machine_faces_before_birth(connection, [date.sha256 for date in changed]))
    return len(changed)


def _changed(connection: Connection, dates: Mapping[str, TakenAt | None]) -> list[PhotoDate]:
    """The dates that differ from those of the catalogue, unless a user decided one meanwhile."""
    decided = (DateSource.USER, DateSource.ESTIMATE)
    present = {date.sha256: date for date in read_photo_dates(connection, dates) if date.source not in decided}
    return [date for sha256 in present if (date := _photo_date(sha256, dates[sha256])) != present[sha256]]


def _photo_date(sha256: str, date: TakenAt | None) -> PhotoDate:
    if date is None:
        return PhotoDate(sha256, None, None)
    return PhotoDate(sha256, date_text(date.moment, date.offset, date.precision), date.source)


def _outermost(uris: Sequence[str]) -> list[str]:
    folders = [uri for uri in uris if uri.endswith("/")]
    return [uri for uri in dict.fromkeys(uris) if not any(uri != other and uri.startswith(other) for other in folders)]

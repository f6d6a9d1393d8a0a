"""The only place that puts things together: settings, database, engine and opener, for one command.

A command asks :func:`open_catalog` for a :class:`Catalog` and takes from it what it needs; the engine, which is slow
to load, is made at its first use.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from threading import Lock

from catalog.app.engines import (
    EngineResources,
    SpendingLimit,
    open_engine,
    open_without_gallery,
    prefiltered,
    quote,
    region_of,
    users_of,
)
from catalog.app.grouping_rules import rules_of
from catalog.app.logging_setup import set_up_logging as set_up_logging
from catalog.app.open_source import open_source
from catalog.app.settings import Settings, default_database, load_settings
from catalog.domain.charges import Charge, Operation
from catalog.domain.engine import Engine, Metered
from catalog.domain.errors import PhotoError, UsageError
from catalog.domain.faces import Analysis, Comparison
from catalog.domain.opened_photo import OpenedPhoto, Opener
from catalog.domain.photos import PhotoRef
from catalog.domain.source import Content, Source
from catalog.domain.uri import display_name, file_path
from catalog.domain.user_vectors import UserVectors
from catalog.identities.assignment.assign_people import GroupingRules
from catalog.identities.matching.watch_hits import WatchHit
from catalog.images.decode import DecodeLimits
from catalog.images.decoder_pool import DecoderPool
from catalog.store.database import Database, open_database
from catalog.store.database_address import is_file, parse_address, sqlite_path
from catalog.store.gallery_info import requeue_prefiltered
from catalog.store.photos import Location
from catalog.store.scans import record_charges

log = logging.getLogger(__name__)


class Catalog:
    """One opened catalogue and what works on it. Closed by :func:`open_catalog`."""

    def __init__(self, settings: Settings, stack: ExitStack, *, begins: bool) -> None:
        self.settings = settings
        self.new_hits: list[WatchHit] = []
        """What the watch list brought in this scan."""
        self.spending = SpendingLimit()
        self._begins = begins
        self._stack = stack
        self._buckets: dict[str, Source] = {}
        self._lock = Lock()

    @cached_property
    def database(self) -> Database:
        """The catalogue's database, upgraded where that is safe, and made by a command that may begin one."""
        database = open_database(database_address(self.settings), create=self._begins, upgrade=True)
        self._stack.callback(database.close)
        return database

    @cached_property
    def engine(self) -> Engine:
        """The engine that the settings name, on the gallery that they name."""
        engine = open_engine(self.settings, self._parts)
        self._stack.callback(engine.close)
        if isinstance(engine, Metered):
            # Lost calls that nobody else entered in the ledger; a scan enters its own.
            self._stack.callback(lambda: self.charge("unanswered", engine.take_unreported_charges()))
        return engine

    @cached_property
    def scan_engine(self) -> Engine:
        """The engine as a scan uses it: with the prefilter, where the settings want one.

        Without, photos that an earlier prefilter held back are waiting to be enrolled.
        """
        if self.settings.engine.name == "local":
            return self.engine
        if self.settings.scan.prefilter:
            return prefiltered(self.engine, self.settings)
        with self.database.begin() as connection:
            requeue_prefiltered(connection, self.settings.engine.name, self.settings.engine.gallery)
        return self.engine

    @cached_property
    def eye(self) -> Engine:
        """The same engine for what keeps nothing: the local one then opens no catalogue."""
        if self.settings.engine.name != "local":
            return self.engine
        eye = open_without_gallery(self.settings, self._parts)
        self._stack.callback(eye.close)
        return eye

    @property
    def _parts(self) -> EngineResources:
        return EngineResources(lambda: self.database, self.opener.open, self.spending)

    @property
    def region(self) -> str:
        """The AWS region in force; empty for the local engine."""
        return region_of(self.settings)

    @property
    def workers(self) -> int:
        """Photos worked on at once: one per processor, or as many as wait for Amazon's answers."""
        busy = 0 if self.settings.engine.name == "local" else self.settings.rekognition.connections // 2
        return self.settings.scan.workers or max(busy, os.cpu_count() or 1)

    @cached_property
    def users(self) -> UserVectors | None:
        """Persons as the engine knows them; None for an engine without users, and where the settings want none."""
        return users_of(self.settings, self.engine)

    @cached_property
    def opener(self) -> Opener:
        """Decodes photos in processes that may die; they are started at the first photo."""
        images = self.settings.images
        limits = DecodeLimits(
            max_pixels=images.max_megapixels * 1_000_000,
            seconds=images.decode_seconds,
            memory_bytes=images.decode_megabytes << 20,
        )
        opener = DecoderPool(min(self.workers, os.cpu_count() or 1), limits)
        self._stack.callback(opener.close)
        return opener

    def open_file(self, path: Path) -> OpenedPhoto:
        """Read and decode one photo named on the command line. Raises UsageError."""
        try:
            data = path.read_bytes()
        except OSError as error:
            name = display_name(os.fsencode(path))
            raise UsageError(f'The photo "{name}" cannot be read: {error.strerror}.') from error
        try:
            return self.open_photo(data)
        except PhotoError as error:
            raise UsageError(f'The photo "{display_name(os.fsencode(path))}" cannot be used. {error}') from error

    def analyze(self, path: Path) -> Analysis:
        """The faces of a photo named on the command line; what it cost is entered in the ledger."""
        analysis = self.eye.analyze(self.open_file(path))
        self.charge("analyze", analysis.charges)
        return analysis

    def compare(self, source: Path, target: Path, threshold: float) -> Comparison:
        """The faces of two photos compared. Raises NoFaceError with the photo's name."""
        comparison = self.eye.compare(self.open_file(source), self.open_file(target), threshold)
        self.charge("compare", comparison.charges)
        return comparison

    def charge(self, command: str, charges: Sequence[Charge], scan_id: int | None = None) -> None:
        """Enter in the ledger what a command has paid for; a scan enters most by itself, with what it brought."""
        if charges:
            with self.database.begin() as connection:
                record_charges(
                    connection,
                    charges,
                    engine=self.engine.name,
                    region=self.region,
                    command=command,
                    scan_id=scan_id,
                    now=datetime.now(UTC),
                )

    @property
    def rules(self) -> GroupingRules:
        """How persons are made of faces."""
        return rules_of(self.settings.identities)

    def open_photo(self, data: bytes) -> OpenedPhoto:
        """Decode one photo as the engine wants it. Raises PhotoError."""
        return self.opener.open(data, self.settings.images.max_side)

    def read_place(self, place: Location) -> Content:
        """The bytes of a place that the catalogue knows. Raises PhotoError and SourceError."""
        ref = PhotoRef(place.uri, place.size, place.modified_ns, place.etag, place.version)
        if place.uri.startswith("file://"):
            return self._source(os.fsdecode(file_path(place.uri))).open(ref)
        return self._bucket(place.uri.split("/")[2]).open(ref)

    def _bucket(self, name: str) -> Source:
        """One client for all photos of a bucket: making one takes longer than reading a photo."""
        with self._lock:
            if name not in self._buckets:
                self._buckets[name] = self._source(f"s3://{name}/")
            return self._buckets[name]

    def sources(self, addresses: Sequence[str]) -> list[Source]:
        """The sources at folders, files or ``s3://`` prefixes; one inside another is walked once, with the outer."""
        found = {source.uri: source for source in map(self._source, dict.fromkeys(addresses))}
        outer = [uri for uri in found if uri.endswith("/")]
        return [
            source
            for uri, source in found.items()
            if not any(uri != other and uri.startswith(other) for other in outer)
        ]

    def _source(self, address: str) -> Source:
        return open_source(self.settings, address, connections=self.workers)

    @contextmanager
    def existing_database(self) -> Iterator[Database]:
        """The catalogue as it is, for commands that touch nothing; an empty one where there is none yet."""
        address = database_address(self.settings)
        url = parse_address(address)
        missing = is_file(url) and not sqlite_path(url).exists()
        database = open_database("sqlite://" if missing else address, read_only=not missing)
        try:
            yield database
        finally:
            database.close()

    def quote(self, operation: Operation, calls: int) -> Charge:
        """What so many calls would cost on the engine of the settings, without opening it."""
        with self.existing_database() as database:
            return quote(self.settings, database, operation, calls)


def database_address(settings: Settings) -> str:
    """The address of the catalogue: a url, or the path of an SQLite file."""
    return settings.database.url or str(default_database())


@contextmanager
def open_catalog(
    config: Path | None,
    database: str | None,
    verbose: int,
    flags: Mapping[str, object] | None = None,
    *,
    begins: bool = False,
) -> Iterator[Catalog]:
    """Settings read and checked, logging set up; everything opened meanwhile is closed at the end.

    Only a command that ``begins`` something makes a catalogue where there is none: the others would answer a mistyped
    path with an empty one.
    """
    settings = load_settings(config, flags={"database.url": database, **(flags or {})})
    set_up_logging(verbose, settings.log.format)
    with ExitStack() as stack:
        yield Catalog(settings, stack, begins=begins)

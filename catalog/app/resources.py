"""Settings, database, engine and image decoder of one opened catalogue. Each is opened at its first use.

:class:`catalog.app.catalog.Catalog` is the public class. It holds one :class:`Resources` and passes it to the functions
of this package.
"""

from __future__ import annotations

import getpass
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, TypeVar

from catalog.app.lazy_module import LazyModule
from catalog.app.open_database import database_address, open_existing
from catalog.app.settings import Settings
from catalog.domain.errors import PhotoError, UsageError
from catalog.domain.uri import display_name, file_path
from catalog.engines.engine_spec import SpendingLimit
from catalog.store.database import Database, open_database

if TYPE_CHECKING:
    from catalog.app import decode_limits as decoding
    from catalog.app import engines, grouping_rules, open_source
    from catalog.app.engines import ConfiguredEngine
    from catalog.app.photo_input import PhotoInput
    from catalog.domain import opened_photo, photos
    from catalog.domain.charges import Charge, Operation
    from catalog.domain.engine import Engine
    from catalog.domain.opened_photo import OpenedPhoto, Opener
    from catalog.domain.source import Content, Source
    from catalog.engines.engine_spec import EngineResources
    from catalog.identities.assignment.gallery_clustering import GroupingRules
    from catalog.identities.decisions import log as decision_log
    from catalog.identities.decisions.log import DecisionStamp
    from catalog.images import decoder_pool
    from catalog.store import gallery_info
    from catalog.store import photos as photo_rows
    from catalog.store import scans as scan_rows
    from catalog.store.photos import Location
else:
    decision_log = LazyModule("catalog.identities.decisions.log")
    gallery_info = LazyModule("catalog.store.gallery_info")
    photo_rows = LazyModule("catalog.store.photos")
    scan_rows = LazyModule("catalog.store.scans")
    engines = LazyModule("catalog.app.engines")
    grouping_rules = LazyModule("catalog.app.grouping_rules")
    open_source = LazyModule("catalog.app.open_source")
    decoding = LazyModule("catalog.app.decode_limits")
    decoder_pool = LazyModule("catalog.images.decoder_pool")
    opened_photo = LazyModule("catalog.domain.opened_photo")
    photos = LazyModule("catalog.domain.photos")

log = logging.getLogger(__name__)

T = TypeVar("T")


class Resources:
    """Opens each resource once, also if several threads need it at the same time. ``stack`` closes them.

    ``create``: the database is created if it does not exist. ``read_only``: the database is not created, upgraded or
    changed; a database that does not exist reads as an empty catalogue. ``user`` is recorded with each decision.
    """

    def __init__(
        self,
        settings: Settings,
        stack: ExitStack,
        *,
        create: bool = False,
        read_only: bool = False,
        user: str | None = None,
        spending: SpendingLimit | None = None,
    ) -> None:
        self.settings = settings
        self.spending = spending or SpendingLimit()
        self.read_only = read_only
        self._create = create
        self._user = user
        self._stack = stack
        self._opened: dict[str, Any] = {}
        self._lock = RLock()

    def _once(self, name: str, make: Callable[[], T]) -> T:
        """Call ``make`` at the first use of ``name`` and return the same object from then on."""
        with self._lock:
            if name not in self._opened:
                self._opened[name] = make()
            opened: T = self._opened[name]
            return opened

    @property
    def database(self) -> Database:
        """The catalogue's database for reading and writing; an old SQLite schema is upgraded.

        Raises UsageError if the catalogue was opened read-only, DatabaseError and SchemaError.
        """
        if self.read_only:
            raise UsageError(
                "The catalogue was opened read-only, and this call writes.", remedy="Open it without read_only."
            )

        def make() -> Database:
            database = open_database(database_address(self.settings), create=self._create, upgrade=True)
            self._stack.callback(database.close)
            return database

        return self._once("database", make)

    @contextmanager
    def reading(self) -> Iterator[Database]:
        """The database for a question. Writes nothing if the catalogue was opened read-only."""
        if not self.read_only:
            yield self.database
            return

        def make() -> Database:
            database = open_existing(self.settings)
            self._stack.callback(database.close)
            return database

        yield self._once("read-only database", make)

    @contextmanager
    def existing_database(self) -> Iterator[Database]:
        """The database as it is, closed after the block: nothing is created or upgraded."""
        if self.read_only:
            with self.reading() as database:
                yield database
            return
        database = open_existing(self.settings)
        try:
            yield database
        finally:
            database.close()

    @property
    def engine(self) -> Engine:
        """The engine of the settings on their gallery. Raises EngineError."""
        return self._once("engine", self._open_engine)

    def _open_engine(self, *, may_be_lost: bool = False) -> Engine:
        engine = self.configured_engine.open(replace(self.engine_resources, may_be_lost=may_be_lost))
        self._stack.callback(engine.close)
        # Calls whose responses were lost and that no command recorded; a scan records its own.
        self._stack.callback(lambda: self.charge("unanswered", engine.take_unreported_charges()))
        return engine

    @property
    def repair_engine(self) -> Engine:
        """The engine for reconciling, which also opens a gallery that lost its faces."""
        if not self.configured_engine.capabilities.creates_gallery:
            return self.engine
        engine = self._once("repair engine", lambda: self._open_engine(may_be_lost=True))
        # With a limit, the searches after the repair count against the same one.
        return engine if self.spending == SpendingLimit() else self._once("engine", lambda: engine)

    @property
    def scan_engine(self) -> Engine:
        """The engine for enrolling: with the prefilter if the settings ask for it. A free one is opened at first use.

        Without the prefilter, photos that an earlier prefilter skipped are queued for enrollment.
        """

        def make() -> Engine:
            if not self.configured_engine.capabilities.is_paid:
                return self.configured_engine.open_later(lambda: self.engine)
            if self.settings.scan.prefilter:
                free = engines.free_engine(self.settings).open_without_gallery(
                    replace(self.engine_resources, attributes="none")
                )
                self._stack.callback(free.close)
                return engines.prefiltered(self.engine, free, self.settings)
            with self.database.begin() as connection:
                gallery_info.requeue_prefiltered(connection, self.settings.engine.name, self.settings.engine.gallery)
            return self.engine

        return self._once("scan engine", make)

    @property
    def engine_without_gallery(self) -> Engine:
        """The engine for calls that store nothing. Opens no catalogue for an engine whose gallery is inside it."""
        if not self.configured_engine.capabilities.gallery_in_catalogue:
            return self.engine

        def make() -> Engine:
            engine = self.configured_engine.open_without_gallery(self.engine_resources)
            self._stack.callback(engine.close)
            return engine

        return self._once("engine without gallery", make)

    @property
    def configured_engine(self) -> ConfiguredEngine:
        """The engine of the settings before it is opened."""
        return engines.configured_engine(self.settings)

    @property
    def engine_resources(self) -> EngineResources:
        """Resources to open an engine with."""
        return engines.engine_resources(self.settings, lambda: self.database, lambda: self.opener, self.spending)

    @property
    def region(self) -> str:
        """Region of the engine's calls; empty for an engine without regions."""
        return self.configured_engine.region

    @property
    def gallery(self) -> str:
        """Name of the gallery that the settings select."""
        return self.settings.engine.gallery

    @property
    def workers(self) -> int:
        """Photos processed at the same time: the setting, else one per processor, or more for an engine on the net."""
        return self.settings.scan.workers or max(self.configured_engine.default_parallel_calls, os.cpu_count() or 1)

    @property
    def opener(self) -> Opener:
        """Decodes photos in separate processes, which start at the first photo."""

        def make() -> Opener:
            limits = decoding.decode_limits(self.settings.images)
            opener = decoder_pool.DecoderPool(min(self.workers, os.cpu_count() or 1), limits)
            self._stack.callback(opener.close)
            return opener

        return self._once("opener", make)

    @property
    def rules(self) -> GroupingRules:
        """The rules of clustering, from the settings."""
        return grouping_rules.rules_of(self.settings.identities)

    def stamp(self) -> DecisionStamp:
        """The user who decides, and the present time."""
        return decision_log.DecisionStamp(self._user or getpass.getuser(), datetime.now(UTC))

    def open_photo(self, data: bytes) -> OpenedPhoto:
        """Decode one photo at the size that the settings give. Raises PhotoError."""
        return self.opener.open(data, self.settings.images.max_side)

    def open_file(self, photo: PhotoInput) -> OpenedPhoto:
        """Decode a photo, unless it is decoded. Raises UsageError, which quotes the path."""
        if isinstance(photo, opened_photo.OpenedPhoto):
            return photo
        if isinstance(photo, bytes):
            try:
                return self.open_photo(photo)
            except PhotoError as error:
                raise UsageError(f"The photo cannot be used. {error}") from error
        path = Path(photo)
        name = display_name(os.fsencode(path))
        if str(path).startswith("s3:/"):
            raise UsageError(f'"{name}" is not a file.', remedy="Download the photo from S3, and name the file.")
        try:
            data = path.read_bytes()
        except OSError as error:
            raise UsageError(f'The photo "{name}" cannot be read: {error.strerror}.') from error
        try:
            return self.open_photo(data)
        except PhotoError as error:
            raise UsageError(f'The photo "{name}" cannot be used. {error}') from error

    def charge(self, command: str, charges: Sequence[Charge], scan_id: int | None = None) -> None:
        """Record the charges of a command in the charge log."""
        if charges:
            with self.database.begin() as connection:
                scan_rows.record_charges(
                    connection,
                    charges,
                    engine=self.engine.name,
                    region=self.region,
                    command=command,
                    scan_id=scan_id,
                    now=datetime.now(UTC),
                )

    def quote(self, operation: Operation, calls: int) -> Charge:
        """Dollars that further calls would cost. The engine is not opened."""
        with self.existing_database() as database:
            return self.configured_engine.quote(
                engines.read_calls_this_month(self.settings, database), operation, calls
            )

    def read_location(self, location: Location) -> Content:
        """The bytes at a location of the catalogue. Raises PhotoError and SourceError."""
        if location.uri.startswith("file://"):
            return self._source(os.fsdecode(file_path(location.uri))).open(location.ref)
        bucket = location.uri.split("/")[2]
        # One client for all photos of a bucket: creating one takes longer than reading a photo.
        source = self._once(f"s3://{bucket}/", lambda: self._source(f"s3://{bucket}/", reads_dates=False))
        return source.open(location.ref)

    def read_uri(self, uri: str) -> bytes:
        """The bytes at an address of the catalogue. Raises PhotoError and SourceError."""
        return self._content(uri).data

    def read_oriented(self, uri: str) -> bytes:
        """The bytes at an address, to be decoded: with the orientation of the sidecar. Raises as :meth:`read_uri`."""
        return self._content(uri).oriented_data

    def _content(self, uri: str) -> Content:
        return self.read_location(photo_rows.Location(uri, 0, 0, "", None, 0, "", None, 0))

    def sources(self, addresses: Sequence[str], exclude: Sequence[str] = ()) -> list[Source]:
        """The sources at folders, files or ``s3://`` prefixes. A source inside another one is left out.

        ``exclude`` are exclusion patterns after those of the settings. Raises UsageError and SourceError.
        """
        opened = [self._source(address, exclude) for address in dict.fromkeys(addresses)]
        by_uri = {source.uri: source for source in opened}
        folders = [uri for uri in by_uri if uri.endswith("/")]
        return [
            source
            for uri, source in by_uri.items()
            if not any(uri != folder and uri.startswith(folder) for folder in folders)
        ]

    def _source(self, address: str, exclude: Sequence[str] = (), *, reads_dates: bool = True) -> Source:
        return open_source.open_source(
            self.settings, address, connections=self.workers, patterns=exclude, reads_dates=reads_dates
        )

    @contextmanager
    def with_spending_limit(self, limit: SpendingLimit) -> Iterator[Resources]:
        """The same catalogue with an engine of its own, which stops at ``limit``; closed after the block."""
        if limit == self.spending or not self.configured_engine.capabilities.is_paid:
            yield self
            return
        with ExitStack() as stack:
            limited = Resources(
                self.settings,
                stack,
                create=self._create,
                read_only=self.read_only,
                user=self._user,
                spending=limit,
            )
            with self._lock:  # what costs nothing is shared
                limited._opened |= {"opener": self.opener, "database": self.database}
            yield limited

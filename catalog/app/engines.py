"""The engine that the settings name, and the engines that are wrapped around it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from catalog.app.database_call_log import DatabaseCallLog
from catalog.app.search_folder import search_folder
from catalog.app.settings import Settings
from catalog.domain.charges import Charge, Operation
from catalog.domain.engine import Engine, EngineCapabilities
from catalog.domain.faces import QualityFilter
from catalog.domain.opened_photo import Opener
from catalog.domain.user_vectors import UserVectorRules
from catalog.engines.engine_spec import CallsThisMonth, EngineResources, EngineSpec, GalleryDatabase, SpendingLimit
from catalog.engines.opened_later import EngineOpenedLater
from catalog.engines.prefilter import PrefilteredEngine
from catalog.engines.registry import ENGINES, FREE_ENGINE
from catalog.engines.user_vectors_first import UserVectorsFirstEngine
from catalog.store.catalogue_owner import catalogue_owner
from catalog.store.database import Database
from catalog.store.gallery_info import calls_this_month, count_faces, gallery_model


@dataclass(frozen=True, slots=True)
class ConfiguredEngine:
    """An engine with its options. Nothing of it is loaded before it is opened."""

    spec: EngineSpec
    options: Any

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def capabilities(self) -> EngineCapabilities:
        return self.spec.capabilities(self.options)

    @property
    def region(self) -> str:
        """Region of the calls; empty for an engine without regions. Raises EngineError."""
        return self.spec.region(self.options)

    @property
    def known_model(self) -> str | None:
        """The model, if it is known before the engine is opened."""
        return self.spec.known_model and self.spec.known_model(self.options)

    def open_later(self, open_engine: Callable[[], Engine]) -> Engine:
        """An engine that calls ``open_engine`` at its first use, or its result at once if the model is not known."""
        if self.known_model is None:
            return open_engine()
        return EngineOpenedLater(self.name, self.known_model, self.capabilities, open_engine)

    @property
    def user_vector_rules(self) -> UserVectorRules | None:
        return self.spec.user_vector_rules(self.options)

    @property
    def default_parallel_calls(self) -> int:
        return self.spec.default_parallel_calls(self.options) if self.capabilities.waits_on_network else 0

    def quote(self, calls_this_month: CallsThisMonth, operation: Operation, calls: int) -> Charge:
        """Dollars of further calls."""
        return self.spec.quote(self.options, calls_this_month, operation, calls)

    def price_note(self, region: str | None = None) -> str:
        """Sentence for a region, by default the configured one, whose prices are not known; else empty."""
        if not self.capabilities.is_paid:
            return ""
        return self.spec.price_note(self.options, self.region if region is None else region)

    def open(self, resources: EngineResources) -> Engine:
        """Open the engine on the gallery of the resources. Raises EngineError and SettingsError."""
        return self.spec.open(self.options, resources)

    def open_without_gallery(self, resources: EngineResources) -> Engine:
        """Open the engine for analyze and compare alone."""
        return (self.spec.open_without_gallery or self.spec.open)(self.options, resources)


def configured_engine(settings: Settings, name: str | None = None) -> ConfiguredEngine:
    """The engine of that name, by default the one that the settings name. Raises KeyError."""
    name = name or settings.engine.name
    return ConfiguredEngine(ENGINES[name], settings.engine_options[name])


def free_engine(settings: Settings) -> ConfiguredEngine:
    """The engine that looks at photos for the prefilter."""
    return configured_engine(settings, FREE_ENGINE.name)


def engine_resources(
    settings: Settings, database: Callable[[], Database], opener: Callable[[], Opener], spending: SpendingLimit
) -> EngineResources:
    """Resources to open the configured engine with. ``database`` and ``opener`` are called only where needed."""
    chosen = settings.engine

    def read_model() -> str | None:
        with database().read() as connection:
            return gallery_model(connection, chosen.name, chosen.gallery)

    def read_known_faces() -> int:
        with database().read() as connection:
            return count_faces(connection, chosen.name, chosen.gallery)

    def read_owner() -> str:
        with database().begin() as connection:
            return catalogue_owner(connection)

    def open_gallery_database() -> GalleryDatabase:
        opened = database()
        return GalleryDatabase(opened.engine, opened.later, search_folder(opened, chosen.search_folder))

    def open_call_log() -> DatabaseCallLog:
        region = configured_engine(settings).region
        return DatabaseCallLog(database(), engine=chosen.name, gallery=chosen.gallery, region=region)

    return EngineResources(
        gallery=chosen.gallery,
        quality_filter=QualityFilter(chosen.quality_filter),
        attributes=chosen.attributes,
        provider=chosen.provider,
        parallel_calls=max(settings.scan.workers, settings.identities.search_workers),
        reopen=lambda data, max_side: opener().open(data, max_side),
        gallery_database=open_gallery_database,
        calls_this_month=lambda: read_calls_this_month(settings, database()),
        gallery_model=read_model,
        known_faces=read_known_faces,
        owner=read_owner,
        call_log=open_call_log,
        spending=spending,
    )


def read_calls_this_month(settings: Settings, database: Database) -> CallsThisMonth:
    """Paid calls of this calendar month (UTC) of the configured engine."""
    with database.read() as connection:
        return calls_this_month(connection, settings.engine.name, datetime.now(UTC))


def prefiltered(paid: Engine, free: Engine, settings: Settings) -> PrefilteredEngine:
    """An engine that sends only photos on which the free engine finds a face."""
    return PrefilteredEngine(paid, free, sample=settings.scan.prefilter_sample)


def search_engine(engine: Engine) -> Engine:
    """The engine for the neighbor searches of new faces: user vectors first, where the options ask for that."""
    users = engine.user_vectors
    if users is None or not users.rules.search_first:
        return engine
    return UserVectorsFirstEngine(engine, users, certain=users.rules.certain_similarity)

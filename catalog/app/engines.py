"""The registry of engines: how each is made from the settings. Adding one is a function and a line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs
from sqlalchemy import Engine as DatabaseEngine
from sqlalchemy import create_engine

from catalog.app.settings import Settings
from catalog.domain.charges import Charge, Operation
from catalog.domain.engine import Engine
from catalog.domain.errors import EngineError, SettingsError
from catalog.domain.faces import QualityFilter
from catalog.domain.opened_photo import OpenedPhoto
from catalog.domain.user_vectors import Teachable, UserVectors
from catalog.engines.delegating import DelegatingEngine
from catalog.engines.prefilter import PrefilteredEngine
from catalog.engines.user_vectors_first import UsersFirstEngine
from catalog.store.database import Database
from catalog.store.gallery_info import calls_this_month, gallery_model

if TYPE_CHECKING:  # their room loads boto3
    from catalog.engines.rekognition.budget import Budget
    from catalog.engines.rekognition.client import RekognitionClient


@dataclass(frozen=True, slots=True)
class SpendingLimit:
    """What the user allows one command to pay; None is no limit."""

    max_calls: int | None = None
    max_dollars: Decimal | None = None


@dataclass(frozen=True, slots=True)
class EngineResources:
    """What engines are made of besides the settings."""

    database: Callable[[], Database]
    """Opens the catalogue; not called where nothing of it is needed."""
    reopen: Callable[[bytes, int], OpenedPhoto]
    spending: SpendingLimit = SpendingLimit()


def open_engine(settings: Settings, parts: EngineResources) -> Engine:
    """The engine that the settings name, on the gallery that they name. Raises EngineError."""
    return _ENGINES[settings.engine.name](settings, parts)


def open_without_gallery(settings: Settings, parts: EngineResources) -> Engine:
    """The same for what keeps nothing: the local engine then opens no catalogue."""
    if settings.engine.name != "local":
        return open_engine(settings, parts)
    return _local(settings, create_engine("sqlite://"))


def prefiltered(paid: Engine, settings: Settings) -> PrefilteredEngine:
    """Pay only for photos in which the local engine sees a face."""
    free = _local(settings, create_engine("sqlite://"), attributes="none")
    return PrefilteredEngine(paid, free, sample=settings.scan.prefilter_sample)


def users_of(settings: Settings, engine: Engine) -> UserVectors | None:
    """The users of the engine's gallery, where it has any and the settings want them."""
    behind = engine.inner if isinstance(engine, DelegatingEngine) else engine
    wanted = settings.engine.name == "rekognition" and settings.rekognition.user_vectors
    return behind.users() if wanted and isinstance(behind, Teachable) else None


def search_engine(settings: Settings, engine: Engine) -> Engine:
    """The engine as new faces are searched with: its users first, where the settings want that."""
    users = users_of(settings, engine) if settings.rekognition.users_first else None
    return engine if users is None else UsersFirstEngine(engine, users, certain=settings.rekognition.user_certain)


def quote(settings: Settings, database: Database, operation: Operation, calls: int) -> Charge:
    """What so many further calls would cost, without opening the engine or asking anybody."""
    if settings.engine.name == "local":
        return Charge(operation, 0, Decimal(0))
    # Heavy: boto3.
    from catalog.engines.rekognition.pricing import Prices, read_prices

    with database.read() as connection:
        before = calls_this_month(connection, settings.engine.name, datetime.now(UTC))
    return Prices(read_prices(settings.rekognition.prices, region_of(settings)), before).quote(operation, calls)


def price_note(settings: Settings, region: str | None = None) -> str:
    """What the user must know of a region's prices: that they are a guess; empty where they are not.

    Without ``region`` the one in force is meant. Raises EngineError for a profile that does not exist.
    """
    if region is None and settings.engine.name == "local":
        return ""
    # Heavy: boto3.
    from catalog.engines.rekognition.pricing import is_guess

    region, prices = region_of(settings) if region is None else region, settings.rekognition.prices
    if not is_guess(prices, region):
        return ""
    return (
        f"What calls cost in {region or 'no region'} is not known: {prices['other_regions_factor']} times the "
        "prices of us-east-1 are taken, rather too much. Enter the region in rekognition.prices (region_factors)."
    )


def region_of(settings: Settings) -> str:
    """The AWS region in force; empty for the local engine, and where none is set anywhere."""
    if settings.engine.name == "local":
        return ""
    if settings.rekognition.region:
        return settings.rekognition.region
    # Heavy: boto3.
    from catalog.engines.rekognition.region import users_region

    return users_region(settings.rekognition.profile)


def _local(
    settings: Settings,
    database: DatabaseEngine,
    attributes: str | None = None,
    enrolling: DatabaseEngine | None = None,
) -> Engine:
    # Heavy: loads the network runtime, which commands without faces do not need.
    from catalog.engines.local.engine import LocalEngine

    return LocalEngine(
        database,
        enrolling=enrolling,
        collection=settings.engine.gallery,
        quality_filter=QualityFilter(settings.engine.quality_filter),
        attributes="none" if attributes == "none" else settings.engine.attributes,
    )


def _local_on_catalogue(settings: Settings, parts: EngineResources) -> Engine:
    database = parts.database()
    return _local(settings, database.engine, enrolling=database.later)


def open_client(
    settings: Settings,
    region: str,
    *,
    budget: Budget | None = None,
    lose: Callable[[Operation], None] = lambda _: None,
    attempts: int | None = None,
) -> RekognitionClient:
    """A client of Amazon Rekognition as the settings describe it. Raises EngineError and SettingsError."""
    # Heavy: boto3.
    from catalog.engines.rekognition.client import Connection, RekognitionClient
    from catalog.engines.rekognition.quotas import quotas_of
    from catalog.engines.rekognition.rate_limiter import RateLimiter

    chosen = settings.rekognition
    try:
        quotas = quotas_of(
            region,
            large_regions=chosen.quotas["large_regions"],
            large=chosen.quotas["large"],
            others=chosen.quotas["others"],
            override=chosen.calls_per_second,
            headroom=chosen.headroom,
        )
    except (KeyError, ValueError, TypeError) as error:
        raise SettingsError([f"The table of quotas for Rekognition cannot be used: {error}."]) from error
    # Each account and region has quotas of its own; what stands for an account is its profile or another address.
    account = "".join(c if c.isalnum() or c in "-." else "_" for c in chosen.endpoint_url or chosen.profile)
    paces = Path(platformdirs.user_state_dir("catalog", appauthor=False)) / "pace" / f"{region}@{account}"
    try:
        limiter = RateLimiter(quotas, paces)
    except OSError as error:
        raise EngineError(
            f'The folder "{paces}", where the pace of calls is kept, cannot be made: {error.strerror}.',
            remedy="Set XDG_STATE_HOME to a folder that you may write in.",
        ) from error
    return RekognitionClient(
        Connection(
            region=region,
            profile=chosen.profile,
            endpoint_url=chosen.endpoint_url,
            connect_seconds=chosen.connect_seconds,
            read_seconds=chosen.read_seconds,
            attempts=attempts or chosen.attempts,
            connections=max(chosen.connections, settings.scan.workers, settings.identities.search_workers),
        ),
        limiter=limiter,
        budget=budget,
        lose=lose,
    )


def _rekognition(settings: Settings, parts: EngineResources) -> Engine:
    # Heavy: boto3.
    from catalog.engines.rekognition.budget import Budget
    from catalog.engines.rekognition.engine import RekognitionEngine
    from catalog.engines.rekognition.pricing import Prices, read_prices

    region = region_of(settings)
    database = parts.database()
    with database.read() as connection:
        before = calls_this_month(connection, "rekognition", datetime.now(UTC))
        model = gallery_model(connection, "rekognition", settings.engine.gallery)
    try:
        prices = Prices(read_prices(settings.rekognition.prices, region), before)
    except (KeyError, ValueError, TypeError) as error:
        raise SettingsError([f"The table of prices for Rekognition cannot be used: {error}."]) from error
    budget = Budget(prices.quote, max_calls=parts.spending.max_calls, max_dollars=parts.spending.max_dollars)
    return RekognitionEngine(
        open_client(settings, region, budget=budget, lose=prices.lose),
        prices,
        collection=settings.engine.gallery,
        model=model,
        quality_filter=QualityFilter(settings.engine.quality_filter),
        attributes=settings.engine.attributes,
        reopen=parts.reopen,
    )


_ENGINES: dict[str, Callable[[Settings, EngineResources], Engine]] = {
    "local": _local_on_catalogue,
    "rekognition": _rekognition,
}

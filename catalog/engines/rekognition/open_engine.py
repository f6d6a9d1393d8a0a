"""Makes the Rekognition engine and its client from the options."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import platformdirs

from catalog.domain.charges import Operation
from catalog.domain.errors import EngineError, SettingsError
from catalog.engines.engine_spec import CheckResult, EngineResources
from catalog.engines.rekognition.budget import Budget
from catalog.engines.rekognition.client import Connection, RekognitionClient
from catalog.engines.rekognition.engine import RekognitionEngine
from catalog.engines.rekognition.permissions import try_permissions
from catalog.engines.rekognition.pricing import prices_of
from catalog.engines.rekognition.quotas import Quotas, quotas_of
from catalog.engines.rekognition.rate_limiter import RateLimiter
from catalog.engines.rekognition.region import default_region
from catalog.engines.rekognition.spec import RekognitionOptions, capabilities_of, user_vector_rules_of

_CHECK_ATTEMPTS = 3
"""`catalog check` answers a user who waits, so that it gives up sooner than a scan."""


def region_of(options: RekognitionOptions) -> str:
    """The region of the options, else of the user's AWS settings; empty where neither names one. Raises EngineError."""
    return options.region or default_region(options.profile)


def open_engine(options: RekognitionOptions, resources: EngineResources) -> RekognitionEngine:
    """The engine on the collection of the resources. Calls nothing. Raises EngineError and SettingsError."""
    region = region_of(options)
    prices = prices_of(options.prices, region, resources.calls_this_month())
    spending = resources.spending
    budget = Budget(prices.quote, max_calls=spending.max_calls, max_dollars=spending.max_dollars)
    return RekognitionEngine(
        open_client(options, region, parallel_calls=resources.parallel_calls, budget=budget, on_lost_call=prices.lose),
        prices,
        collection=resources.gallery,
        model=resources.gallery_model(),
        quality_filter=resources.quality_filter,
        attributes=resources.attributes,
        reopen=resources.reopen,
        user_vector_rules=user_vector_rules_of(options),
        capabilities=capabilities_of(options),
    )


def open_client(
    options: RekognitionOptions,
    region: str,
    *,
    parallel_calls: int,
    budget: Budget | None = None,
    on_lost_call: Callable[[Operation], None] = lambda _: None,
    attempts: int | None = None,
) -> RekognitionClient:
    """A client of Amazon Rekognition. Raises EngineError and SettingsError."""
    folder = _pace_folder(options, region)
    try:
        limiter = RateLimiter(_quotas(options, region), folder)
    except OSError as error:
        raise EngineError(
            f'The folder "{folder}" for the pace of calls cannot be made: {error.strerror}.',
            remedy="Set XDG_STATE_HOME to a folder that you may write in.",
        ) from error
    return RekognitionClient(
        Connection(
            region=region,
            profile=options.profile,
            endpoint_url=options.endpoint_url,
            connect_seconds=options.connect_seconds,
            read_seconds=options.read_seconds,
            attempts=attempts or options.attempts,
            connections=max(options.connections, parallel_calls),
        ),
        limiter=limiter,
        budget=budget,
        on_lost_call=on_lost_call,
    )


def check_permissions(
    options: RekognitionOptions, resources: EngineResources, *, create_collection: bool
) -> Iterator[CheckResult]:
    """Try each permission that the engine needs. Free of charge. Raises EngineError."""
    client = open_client(options, region_of(options), parallel_calls=resources.parallel_calls, attempts=_CHECK_ATTEMPTS)
    try:
        tried = try_permissions(client, resources.gallery, users=options.user_vectors, create=create_collection)
        for permission in tried:
            is_denied = permission.granted is False
            yield CheckResult(
                permission.action,
                ok=permission.granted,
                note="AWS denies it" if is_denied else permission.note or client.place,
                remedy="Add it to the policy; config/iam-policy.json holds what is needed." if is_denied else "",
            )
    finally:
        client.close()


def _quotas(options: RekognitionOptions, region: str) -> Quotas:
    try:
        return quotas_of(
            region,
            large_regions=options.quotas["large_regions"],
            large=options.quotas["large"],
            others=options.quotas["others"],
            override=options.calls_per_second,
            headroom=options.quota_share,
        )
    except (KeyError, ValueError, TypeError) as error:
        raise SettingsError([f"The table of quotas for Rekognition cannot be used: {error}."]) from error


def _pace_folder(options: RekognitionOptions, region: str) -> Path:
    """Each account and region has its own quotas. The profile or another address stands for the account."""
    account = options.endpoint_url or options.profile
    safe = "".join(char if char.isalnum() or char in "-." else "_" for char in account)
    return Path(platformdirs.user_state_dir("catalog", appauthor=False)) / "pace" / f"{region}@{safe}"

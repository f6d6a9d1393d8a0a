"""Makes the Rekognition engine and its client from the options."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import platformdirs

from catalog.domain.call_log import CallLog
from catalog.domain.errors import EngineError, SettingsError
from catalog.domain.user_vectors import UserVectorCalls
from catalog.engines.engine_spec import CheckResult, EngineResources
from catalog.engines.rekognition.budget import Budget
from catalog.engines.rekognition.client import Connection, RekognitionClient
from catalog.engines.rekognition.collection import (
    RECONCILE,
    describe_collection,
    missing_faces,
    pinned_model,
    refuse_lost_collection,
)
from catalog.engines.rekognition.collection_users import CollectionUsers
from catalog.engines.rekognition.engine import RekognitionEngine
from catalog.engines.rekognition.permissions import try_permissions
from catalog.engines.rekognition.pricing import Prices, prices_of
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
    call_log = resources.call_log()
    budget = Budget(prices.quote, max_calls=spending.max_calls, max_dollars=spending.max_dollars)
    return RekognitionEngine(
        open_client(
            options, region, parallel_calls=resources.parallel_calls, prices=prices, budget=budget, call_log=call_log
        ),
        prices,
        collection=resources.gallery,
        model=resources.gallery_model(),
        quality_filter=resources.quality_filter,
        attributes=resources.attributes,
        reopen=resources.reopen,
        user_vector_rules=user_vector_rules_of(options),
        capabilities=capabilities_of(options),
        owner=resources.owner(),
        known_faces=resources.known_faces(),
        may_be_lost=resources.may_be_lost,
        call_log=call_log,
    )


def open_client(
    options: RekognitionOptions,
    region: str,
    *,
    parallel_calls: int,
    prices: Prices,
    budget: Budget | None = None,
    call_log: CallLog | None = None,
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
        prices=prices,
        call_log=call_log,
    )


def check_permissions(
    options: RekognitionOptions, resources: EngineResources, *, create_collection: bool
) -> Iterator[CheckResult]:
    """Try each permission that the engine needs. Free of charge. Raises EngineError."""
    client = _checking_client(options, resources)
    try:
        yield from _collection_check(client, resources)
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


def _collection_check(client: RekognitionClient, resources: EngineResources) -> Iterator[CheckResult]:
    """Check that the collection still has the faces that the catalogue knows. Nothing for a catalogue without faces."""
    known_faces = resources.known_faces()
    if not known_faces:
        return
    try:
        state = describe_collection(client, resources.gallery)
    except EngineError:
        return  # the permission to describe it is an item of its own
    try:
        refuse_lost_collection(state, resources.gallery, known_faces)
    except EngineError as error:
        yield CheckResult("collection", ok=False, note=str(error), remedy=error.remedy)
        return
    faces = state.faces if state is not None else 0
    if faces < known_faces:
        yield CheckResult(
            "collection", ok=False, note=missing_faces(resources.gallery, faces, known_faces), remedy=RECONCILE
        )
    else:
        yield CheckResult("collection", ok=True, note=f"{faces:,} faces, {known_faces:,} of them in the catalogue")


def verify_gallery(options: RekognitionOptions, resources: EngineResources) -> str:
    """Raise the EngineError with which a scan would refuse the collection. Creates nothing; free of charge.

    Returns a sentence if the collection could not be asked, else an empty text.
    """
    client = _checking_client(options, resources)
    try:
        state = describe_collection(client, resources.gallery)
    except EngineError as error:
        return f"The collection was not checked: {error}"
    finally:
        client.close()
    refuse_lost_collection(state, resources.gallery, resources.known_faces())
    if state is not None:
        pinned_model(state.version, resources.gallery_model(), resources.gallery)
    return ""


def count_user_vector_calls(
    options: RekognitionOptions,
    resources: EngineResources,
    wanted: Mapping[str, Sequence[str]],
    removed: Collection[str],
) -> UserVectorCalls:
    """The calls of the collection's users, see :meth:`CollectionUsers.count_calls`. Raises EngineError."""
    rules = user_vector_rules_of(options)
    if rules is None:
        return UserVectorCalls()
    client = _checking_client(options, resources)
    try:
        if describe_collection(client, resources.gallery) is None:
            return UserVectorCalls()  # a scan enrolls faces under new ids, and no user confirmed these
        users = CollectionUsers(client, collection=resources.gallery, rules=rules, open_collection=lambda: None)
        return users.count_calls(wanted, removed)
    finally:
        client.close()


def _checking_client(options: RekognitionOptions, resources: EngineResources) -> RekognitionClient:
    region = region_of(options)
    return open_client(
        options,
        region,
        parallel_calls=resources.parallel_calls,
        prices=prices_of(options.prices, region, {}),
        attempts=_CHECK_ATTEMPTS,
    )


def _quotas(options: RekognitionOptions, region: str) -> Quotas:
    try:
        return quotas_of(
            region,
            large_regions=options.quotas["large_regions"],
            large=options.quotas["large"],
            other_quotas=options.quotas["others"],
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

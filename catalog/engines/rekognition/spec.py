"""Amazon Rekognition: every call is charged, and the gallery is a collection at Amazon.

Functions import what they need: reading the spec does not load boto3.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

from catalog.domain.charges import Charge, Operation
from catalog.domain.engine import EngineCapabilities
from catalog.domain.user_vectors import UserVectorCalls, UserVectorRules
from catalog.domain.value_range import Range
from catalog.engines.engine_spec import EngineSpec

if TYPE_CHECKING:
    from catalog.domain.engine import Engine
    from catalog.domain.prepared_photo import Preparer
    from catalog.engines.engine_spec import CallsThisMonth, CheckResult, EngineResources, PreparerResources

CAPABILITIES = EngineCapabilities(
    is_paid=True,
    has_user_vectors=True,
    shares_gallery=True,
    creates_gallery=True,
    waits_on_network=True,
    reads_s3_directly=True,
)


@dataclass(frozen=True, slots=True)
class RekognitionOptions:
    """Section ``rekognition`` of the settings; ``config/default.toml`` explains each key."""

    region: str
    profile: str
    endpoint_url: str
    connect_seconds: Annotated[float, Range(1, 300)]
    read_seconds: Annotated[float, Range(1, 900)]
    attempts: Annotated[int, Range(1, 100)]
    connections: Annotated[int, Range(1, 256)]
    calls_per_second: Annotated[float, Range(0, 10_000)]
    quota_share: Annotated[float, Range(0.1, 1)]
    user_vectors: bool
    user_vector_min_faces: Annotated[int, Range(2, 100)]
    user_vector_max_faces: Annotated[int, Range(2, 100)]
    search_user_vectors_first: bool
    user_vector_certain_similarity: Annotated[float, Range(50, 100)]
    quotas: dict[str, Any]
    prices: dict[str, Any]


def capabilities_of(options: RekognitionOptions) -> EngineCapabilities:
    """The capabilities under these options."""
    return replace(
        CAPABILITIES,
        has_user_vectors=options.user_vectors,
        # Another address than Amazon's own cannot read Amazon's buckets.
        reads_s3_directly=not options.endpoint_url,
    )


def user_vector_rules_of(options: RekognitionOptions) -> UserVectorRules | None:
    if not options.user_vectors:
        return None
    return UserVectorRules(
        options.user_vector_min_faces,
        options.user_vector_max_faces,
        options.search_user_vectors_first,
        options.user_vector_certain_similarity,
    )


def _open(options: RekognitionOptions, resources: EngineResources) -> Engine:
    from catalog.engines.rekognition.open_engine import open_engine

    return open_engine(options, resources)


def _open_preparer(resources: PreparerResources) -> Preparer:
    from catalog.engines.rekognition.image_preparer import RekognitionPreparer

    return RekognitionPreparer(resources.reopen)


def _quote(options: RekognitionOptions, calls_this_month: CallsThisMonth, operation: Operation, calls: int) -> Charge:
    from catalog.engines.rekognition.open_engine import region_of
    from catalog.engines.rekognition.pricing import prices_of

    return prices_of(options.prices, region_of(options), calls_this_month).quote(operation, calls)


def _region(options: RekognitionOptions) -> str:
    from catalog.engines.rekognition.open_engine import region_of

    return region_of(options)


def _price_note(options: RekognitionOptions, region: str) -> str:
    from catalog.engines.rekognition.pricing import price_note

    return price_note(options.prices, region)


def _checks(options: RekognitionOptions, resources: EngineResources, create: bool) -> Iterator[CheckResult]:
    from catalog.engines.rekognition.open_engine import check_permissions

    return check_permissions(options, resources, create_collection=create)


def _verify_gallery(options: RekognitionOptions, resources: EngineResources) -> str:
    from catalog.engines.rekognition.open_engine import verify_gallery

    return verify_gallery(options, resources)


def _count_user_vector_calls(
    options: RekognitionOptions,
    resources: EngineResources,
    wanted: Mapping[str, Sequence[str]],
    removed: Collection[str],
) -> UserVectorCalls:
    from catalog.engines.rekognition.open_engine import count_user_vector_calls

    return count_user_vector_calls(options, resources, wanted, removed)


def _face_month_price(options: RekognitionOptions) -> Decimal:
    # A settings file that was written for an earlier release lacks the key.
    return Decimal(str(options.prices.get("dollars_per_1000_faces_a_month", 0.01))) / 1000


REKOGNITION = EngineSpec(
    name="rekognition",
    options=RekognitionOptions,
    capabilities=capabilities_of,
    open=_open,
    open_preparer=_open_preparer,
    quote=_quote,
    region=_region,
    price_note=_price_note,
    checks=_checks,
    verify_gallery=_verify_gallery,
    face_month_price=_face_month_price,
    user_vector_rules=user_vector_rules_of,
    count_user_vector_calls=_count_user_vector_calls,
    default_parallel_calls=lambda options: options.connections // 2,
)

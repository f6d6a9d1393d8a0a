"""The local engine: embedded networks, a gallery in the catalogue's database, no account and no network.

Functions import what they need: reading the spec loads neither numpy nor onnxruntime.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from catalog.domain.engine import EngineCapabilities
from catalog.domain.stranger_rates import WorstGroupRates
from catalog.engines.engine_spec import CheckResult, EngineSpec
from catalog.engines.local.gallery_model import MODEL

if TYPE_CHECKING:
    from catalog.domain.engine import Engine
    from catalog.domain.prepared_photo import Preparer
    from catalog.engines.engine_spec import EngineResources, PreparerResources

WORST_GROUP = WorstGroupRates(
    group="Asian women, women over 70 and women labeled other",
    points=((80.0, 1 / 125), (90.0, 1 / 259), (95.0, 1 / 483), (99.0, 1 / 805), (99.5, 1 / 1207)),
    data="4,870 faces of UTKFace in two halves; common components fitted on the other half",
)
"""The worst rate of any measured group in either half at each similarity: women labeled "other" by UTKFace at 80,
women over 70 at 90, Asian women above. Upper bounds, because UTKFace shows some people more than once
(``python -m tests.benchmarks.strangers``)."""
CAPABILITIES = EngineCapabilities(
    lends_group_means=True, gallery_in_catalogue=True, separable_enrollment=True, worst_group=WORST_GROUP
)


@dataclass(frozen=True, slots=True)
class LocalOptions:
    """The local engine has no section of its own in the settings."""


def _open(_options: LocalOptions, resources: EngineResources) -> Engine:
    from catalog.engines.local.engine import LocalEngine
    from catalog.engines.local.provider_choice import choose_provider

    choose_provider(resources.provider)
    database = resources.gallery_database()
    return LocalEngine(
        database.engine,
        enrolling=database.enrolling,
        collection=resources.gallery,
        search_folder=database.search_folder,
        quality_filter=resources.quality_filter,
        attributes=resources.attributes,
    )


def _open_without_gallery(_options: LocalOptions, resources: EngineResources) -> Engine:
    from sqlalchemy import create_engine

    from catalog.engines.local.engine import LocalEngine
    from catalog.engines.local.provider_choice import choose_provider

    choose_provider(resources.provider)
    return LocalEngine(
        create_engine("sqlite://"), quality_filter=resources.quality_filter, attributes=resources.attributes
    )


def _open_preparer(resources: PreparerResources) -> Preparer:
    from catalog.engines.local.face_preparer import LocalPreparer

    return LocalPreparer(quality_filter=resources.quality_filter, attributes=resources.attributes)


def _checks(_options: LocalOptions, resources: EngineResources, _create: bool) -> Iterator[CheckResult]:
    import json

    from catalog.engines.local.execution_provider import CPU
    from catalog.engines.local.networks import WEIGHTS, read_checked
    from catalog.engines.local.provider_choice import choose_provider, measure_agreement

    files = sorted(json.loads((WEIGHTS / "manifest.json").read_text(encoding="utf-8")))
    for file in files:
        read_checked(file, WEIGHTS)
    yield CheckResult("networks", ok=True, note=f"{len(files)} files have the digests that were shipped")
    provider = choose_provider(resources.provider)
    agreement = "" if provider is CPU else f" (compared with the processor: {measure_agreement(provider)})"
    yield CheckResult("provider", ok=True, note=f"{provider.setting}{agreement}")


LOCAL = EngineSpec(
    name="local",
    options=LocalOptions,
    capabilities=lambda _: CAPABILITIES,
    open=_open,
    open_without_gallery=_open_without_gallery,
    open_preparer=_open_preparer,
    known_model=lambda _: MODEL,
    checks=_checks,
)

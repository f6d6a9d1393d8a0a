"""Reads the photos of a scan on a cluster, as the settings of this catalogue say."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from importlib.metadata import version

from catalog.app.decode_limits import decode_limits
from catalog.app.open_source import photo_access
from catalog.app.photo_preparation import PreparationSettings, WorkerRequirements
from catalog.app.remote_reader import PreparationCluster, RemoteReader
from catalog.app.resources import Resources
from catalog.domain.errors import UsageError
from catalog.domain.faces import QualityFilter
from catalog.domain.source import Source
from catalog.engines.engine_spec import PreparerResources
from catalog.scanning.photo_reader import MakeReader


def reader_on(resources: Resources, cluster: PreparationCluster) -> MakeReader:
    """Make the reader of a scan. Raises UsageError for an engine that cannot be used on a cluster."""
    chosen = resources.settings.engine
    configured = resources.configured_engine
    open_preparer = configured.spec.open_preparer
    if open_preparer is None:
        raise UsageError(f'The engine "{configured.name}" cannot be used on a cluster.', remedy="Scan without it.")
    quality_filter = QualityFilter(chosen.quality_filter)
    weights = open_preparer(
        PreparerResources(
            quality_filter=quality_filter,
            attributes=chosen.attributes,
            reopen=lambda data, max_side: resources.opener.open(data, max_side),
        )
    ).weights
    is_paid, scan = configured.capabilities.is_paid, str(uuid.uuid4())
    has_prefilter = is_paid and resources.settings.scan.prefilter

    def requirements_of(source: Source) -> WorkerRequirements:
        settings = PreparationSettings(
            scan=scan,
            access=photo_access(resources.settings, source.uri),
            engine=configured.name,
            quality_filter=quality_filter,
            attributes=chosen.attributes,
            max_side=resources.settings.images.max_side,
            limits=decode_limits(resources.settings.images),
            prefilter_sample=resources.settings.scan.prefilter_sample if has_prefilter else None,
        )
        return WorkerRequirements(version("face-catalog"), weights, settings)

    def make_reader(is_enrolled: Callable[[str], bool]) -> RemoteReader:
        return RemoteReader(cluster, requirements_of, is_enrolled, sends_images=configured.capabilities.is_paid)

    return make_reader

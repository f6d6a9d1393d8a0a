"""Opens sources of photos with the options of the settings."""

from __future__ import annotations

from collections.abc import Sequence

from catalog.app.engines import configured_engine
from catalog.app.settings import Settings
from catalog.domain.errors import UsageError
from catalog.domain.source import Source
from catalog.sources.exclusions import Exclusions
from catalog.sources.folder import FolderSource


def open_source(settings: Settings, address: str, *, connections: int, patterns: Sequence[str] = ()) -> Source:
    """The source at a folder, a file or an ``s3://`` prefix; ``connections`` are kept open to a bucket.

    ``patterns`` are exclusion patterns after those of the settings. Raises UsageError for one that cannot be used.
    """
    exclusions = _exclusions(settings, patterns)
    max_bytes = settings.images.max_megabytes * 1_000_000
    if not address.startswith("s3://"):
        return FolderSource(address, max_bytes=max_bytes, exclusions=exclusions)
    # Heavy: boto3.
    from catalog.sources.s3 import S3Source

    chosen = settings.s3
    return S3Source(
        address,
        endpoint_url=chosen.endpoint_url or None,
        region=chosen.region or None,
        profile=chosen.profile or None,
        requester_pays=chosen.requester_pays,
        max_bytes=max_bytes,
        connections=connections,
        amazon_reads=configured_engine(settings).capabilities.reads_s3_directly,
        exclusions=exclusions,
    )


def _exclusions(settings: Settings, patterns: Sequence[str]) -> Exclusions:
    wanted = (*settings.scan.exclude, *patterns)
    try:
        return Exclusions(wanted, use_defaults=settings.scan.default_excludes)
    except ValueError as error:
        raise UsageError(
            f"An exclusion pattern cannot be used: {error}.", remedy="Write it as in a .gitignore file."
        ) from error

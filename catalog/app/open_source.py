"""Where photos are read from, as the settings say it."""

from __future__ import annotations

from catalog.app.engines import configured_engine
from catalog.app.settings import Settings
from catalog.domain.source import Source
from catalog.sources.folder import FolderSource


def open_source(settings: Settings, address: str, *, connections: int) -> Source:
    """The source at a folder, a file or an ``s3://`` prefix; ``connections`` are kept open to a bucket."""
    max_bytes = settings.images.max_megabytes * 1_000_000
    if not address.startswith("s3://"):
        return FolderSource(address, max_bytes=max_bytes)
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
    )

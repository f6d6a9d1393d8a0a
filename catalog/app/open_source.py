"""Opens sources of photos with the options of the settings."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from catalog.app.engines import configured_engine
from catalog.app.settings import Settings
from catalog.domain.errors import UsageError
from catalog.domain.source import Source
from catalog.domain.uri import FILE_SCHEME, file_path
from catalog.sources.exclusions import Exclusions
from catalog.sources.folder import FolderSource


def open_source(
    settings: Settings, address: str, *, connections: int, patterns: Sequence[str] = (), reads_dates: bool = True
) -> Source:
    """The source at a folder, a file or an ``s3://`` prefix; ``connections`` are kept open to a bucket.

    ``patterns`` are exclusion patterns after those of the settings. Without ``reads_dates`` the files beside photos in
    a bucket are not read for dates. Raises UsageError for a pattern that cannot be used.
    """
    exclusions = _exclusions(settings, patterns)
    access = photo_access(settings, address)
    if not address.startswith("s3://"):
        return FolderSource(address, max_bytes=access.max_bytes, exclusions=exclusions)
    return _s3_source(address, access, connections, exclusions, reads_dates=reads_dates)


@dataclass(frozen=True, slots=True)
class PhotoAccess:
    """How the photos of a source are read, without its exclusions. Holds no credentials.

    ``uri`` is that of the source.
    """

    uri: str
    max_bytes: int
    endpoint_url: str
    region: str
    profile: str
    requester_pays: bool
    amazon_reads: bool


def photo_access(settings: Settings, uri: str) -> PhotoAccess:
    chosen = settings.s3
    return PhotoAccess(
        uri,
        max_bytes=settings.images.max_megabytes * 1_000_000,
        endpoint_url=chosen.endpoint_url,
        region=chosen.region,
        profile=chosen.profile,
        requester_pays=chosen.requester_pays,
        amazon_reads=configured_engine(settings).capabilities.reads_s3_directly,
    )


def open_photo_access(access: PhotoAccess, *, connections: int) -> Source:
    """The source for reading photos that another process listed. Raises SourceError."""
    if access.uri.startswith(FILE_SCHEME):
        return FolderSource(file_path(access.uri), max_bytes=access.max_bytes)
    return _s3_source(address_of(access.uri), access, connections, Exclusions())


def address_of(uri: str) -> str:
    """The address of a source by its uri, as :func:`open_source` takes it."""
    if uri.startswith(FILE_SCHEME):
        return os.fsdecode(file_path(uri))
    return unquote_to_bytes(uri).decode("utf-8")


def _s3_source(
    address: str, access: PhotoAccess, connections: int, exclusions: Exclusions, *, reads_dates: bool = True
) -> Source:
    # Heavy: boto3.
    from catalog.sources.s3 import S3Source

    return S3Source(
        address,
        endpoint_url=access.endpoint_url or None,
        region=access.region or None,
        profile=access.profile or None,
        requester_pays=access.requester_pays,
        max_bytes=access.max_bytes,
        connections=connections,
        amazon_reads=access.amazon_reads,
        exclusions=exclusions,
        reads_dates=reads_dates,
    )


def _exclusions(settings: Settings, patterns: Sequence[str]) -> Exclusions:
    wanted = (*settings.scan.exclude, *patterns)
    try:
        return Exclusions(wanted, use_defaults=settings.scan.default_excludes)
    except ValueError as error:
        raise UsageError(
            f"An exclusion pattern cannot be used: {error}.", remedy="Write it as in a .gitignore file."
        ) from error

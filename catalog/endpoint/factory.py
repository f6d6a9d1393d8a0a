"""Builds a service: database, engine, decoder processes, S3 client, fault injection."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

import boto3
from botocore.config import Config

from catalog.endpoint.database import MEMORY, open_data
from catalog.endpoint.fault_injection import FaultPlan, Faults
from catalog.endpoint.image_opener import ImageOpener
from catalog.endpoint.images import ImageReader, S3Client
from catalog.endpoint.operations import build_handlers
from catalog.endpoint.service import Service
from catalog.endpoint.signature import Key


@contextlib.contextmanager
def open_service(
    data: str = MEMORY,
    *,
    plan: FaultPlan | None = None,
    keys: Mapping[str, Key] | None = None,
    s3_url: str | None = None,
    s3_region: str = "us-east-1",
    max_side: int = 2048,
    provider: str = "cpu",
) -> Iterator[Service]:
    """Yield a service.

    ``s3_url``: S3 endpoint that S3Objects are read from; ``aws`` means Amazon's own, with the credentials of the
    environment. Without ``s3_url`` every S3Object is refused. ``max_side``: pixels to which images are reduced.
    ``provider``: value of ``engine.provider``. Raises DatabaseError, and SettingsError or EngineError for a provider
    that cannot be used.
    """
    plan = plan or FaultPlan()
    with open_data(data) as database, contextlib.closing(ImageOpener(max_side)) as opener:
        images = ImageReader(opener, _s3_client(s3_url, s3_region) if s3_url else None)
        yield Service(build_handlers(database, images, plan, provider), faults=Faults(plan), keys=keys)


def _s3_client(url: str, region: str) -> S3Client:
    config = Config(connect_timeout=5, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 3})
    client: S3Client = boto3.client("s3", region_name=region, endpoint_url=None if url == "aws" else url, config=config)
    return client

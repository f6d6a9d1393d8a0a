"""The rights on a bucket are tried before a scan."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.domain.errors import SourceError
from catalog.sources.s3 import S3Source
from tests.sources.buckets import Bucket, Faulty


def rights(source: S3Source) -> dict[str, bool | None]:
    return {right.action: right.granted for right in source.rights()}


def test_the_rights_of_a_bucket_are_tried(bucket: Bucket) -> None:
    """On the first object; versions only where there are any."""
    bucket.put("photos/", b"")
    bucket.put("photos/a.jpg")
    assert rights(bucket.source("s3://family/photos")) == {"s3:ListBucket": True, "s3:GetObject": True}
    bucket.client.put_bucket_versioning(Bucket="family", VersioningConfiguration={"Status": "Enabled"})
    bucket.put("photos/a.jpg", b"again")
    assert rights(bucket.source("s3://family/photos")) == {
        "s3:ListBucket": True,
        "s3:GetObject": True,
        "s3:GetObjectVersion": True,
    }


def test_the_right_to_read_is_tried_on_an_empty_prefix_too(bucket: Bucket) -> None:
    """S3 says that an object does not exist only to a user who may read it."""
    assert rights(bucket.source("s3://family/photos")) == {"s3:ListBucket": True, "s3:GetObject": True}


@pytest.mark.parametrize(
    ("listing", "reading", "expected"),
    [
        ((403, "AccessDenied"), (403, "AccessDenied"), {"s3:ListBucket": False, "s3:GetObject": None}),
        (None, (403, "AccessDenied"), {"s3:ListBucket": True, "s3:GetObject": False}),
        (None, (404, "NoSuchKey"), {"s3:ListBucket": True, "s3:GetObject": True}),
    ],
)
def test_a_right_that_is_missing_is_found(faulty: Faulty, listing: Any, reading: Any, expected: Any) -> None:
    """By its name."""
    faulty.listing, faulty.reading = listing, reading
    assert rights(S3Source("s3://family", endpoint_url=faulty.url, attempts=1)) == expected


def test_rights_on_a_bucket_that_is_not_there_are_an_error_of_the_source(bucket: Bucket) -> None:
    """There is nothing to have rights on."""
    with pytest.raises(SourceError, match="does not exist"):
        list(bucket.source("s3://nobody/").rights())

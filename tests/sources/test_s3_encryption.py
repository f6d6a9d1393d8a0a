"""Buckets that are encrypted with a key of KMS: the permission to decrypt is named."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from catalog.sources.s3_permissions import S3Permission, S3Rights

LISTING = {"Contents": [{"Key": "photos/a.jpg", "Size": 5}]}
MESSAGE = (
    "User: arn:aws:iam::1:user/me is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:eu-west-1:1:key/k "
    "because no identity-based policy allows the kms:Decrypt action"
)


class Body:
    def close(self) -> None:
        """Nothing is open."""


class EncryptedBucket:
    """Answers as S3 does for one object that is encrypted with a key of KMS."""

    def __init__(self, *, denied: str = "", encryption: str = "aws:kms") -> None:
        self._denied = denied
        self._encryption = encryption

    def list_objects_v2(self, **_members: Any) -> dict[str, Any]:
        return LISTING

    def get_object(self, **_members: Any) -> dict[str, Any]:
        if self._denied:
            error = {"Code": "AccessDenied", "Message": self._denied}
            raise ClientError({"Error": error, "ResponseMetadata": {"HTTPStatusCode": 403}}, "GetObject")
        return {"Body": Body(), "ServerSideEncryption": self._encryption}


def permissions(bucket: EncryptedBucket) -> Iterator[S3Permission]:
    return iter(S3Rights(bucket, "family", "photos/", "s3://family/photos/", {}))


def test_a_key_that_may_be_used_is_told() -> None:
    """Beside the permission to read."""
    granted = {permission.action: permission.granted for permission in permissions(EncryptedBucket())}
    assert granted == {"s3:ListBucket": True, "s3:GetObject": True, "kms:Decrypt": True}


def test_a_key_that_may_not_be_used_is_the_missing_permission() -> None:
    """S3 denies the read for the key, not for the object."""
    granted = {permission.action: permission.granted for permission in permissions(EncryptedBucket(denied=MESSAGE))}
    assert granted == {"s3:ListBucket": True, "s3:GetObject": True, "kms:Decrypt": False}


@pytest.mark.parametrize("encryption", ["", "AES256"])
def test_a_bucket_without_a_key_of_kms_needs_no_such_permission(encryption: str) -> None:
    """SSE-S3 decrypts by itself."""
    actions = [permission.action for permission in permissions(EncryptedBucket(encryption=encryption))]
    assert actions == ["s3:ListBucket", "s3:GetObject"]

"""Permissions of the credentials on a bucket. Each is tried once, with at most one byte of one object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from catalog.sources.s3_errors import is_denied, is_past_end, is_vanished, photo_fault, source_fault

ABSENT_KEY = "catalog-check/no-such-photo.jpg"
"""A key that no object has. A user who may list and read gets the error that it does not exist, any other a denial."""


@dataclass(frozen=True, slots=True)
class S3Permission:
    """One permission. ``granted`` is None if it was not tried, with the reason in ``note``."""

    action: str
    granted: bool | None
    note: str = ""


class S3Rights:
    """Tries the permissions that a scan of ``prefix`` needs. ``options`` are added to each call of the S3 client."""

    def __init__(self, client: Any, bucket: str, prefix: str, uri: str, options: Mapping[str, str]) -> None:
        self._client = client
        self._where = {"Bucket": bucket, **options}
        self._prefix = prefix
        self._uri = uri

    def __iter__(self) -> Iterator[S3Permission]:
        """Yield each permission. Raises ``SourceError`` if S3 cannot be called."""
        try:
            page = self._client.list_objects_v2(Prefix=self._prefix, MaxKeys=1000, **self._where)
        except (ClientError, BotoCoreError) as error:
            if not is_denied(error):
                raise source_fault(error, self._uri) from error
            yield S3Permission("s3:ListBucket", granted=False)
            yield S3Permission("s3:GetObject", granted=None, note="not tried: no object is known")
            return
        yield S3Permission("s3:ListBucket", granted=True)
        # The object of a folder is empty, and an archived object cannot be read.
        objects = [item for item in page.get("Contents", ()) if item["Size"]]
        readable = [item["Key"] for item in objects if item.get("StorageClass", "STANDARD") == "STANDARD"]
        key = readable[0] if readable else self._prefix + ABSENT_KEY
        right, version, kms = self._try("s3:GetObject", key)
        yield right
        if kms is not None:
            yield S3Permission("kms:Decrypt", granted=kms)
        if version:
            yield self._try("s3:GetObjectVersion", key, VersionId=version)[0]

    def _try(self, action: str, key: str, **version: str) -> tuple[S3Permission, str, bool | None]:
        """The permission, the version that was read (empty without versions), and the permission to decrypt.

        The last is None for an object that is not encrypted with a key of KMS.
        """
        try:
            answer = self._client.get_object(Key=key, Range="bytes=0-0", **version, **self._where)
        except (ClientError, BotoCoreError) as error:
            if is_denied(error):
                # S3 asks for the permission to read first: who lacks kms:Decrypt has that one.
                lacks_key = "kms:Decrypt" in str(error)
                return S3Permission(action, granted=lacks_key), "", False if lacks_key else None
            if not is_vanished(error) and not is_past_end(error):
                raise photo_fault(error, self._uri) from error
            return S3Permission(action, granted=True), "", None
        answer["Body"].close()
        version_id = answer.get("VersionId", "")
        is_encrypted = str(answer.get("ServerSideEncryption", "")).startswith("aws:kms")
        granted = S3Permission(action, granted=True)
        return granted, "" if version_id == "null" else version_id, True if is_encrypted else None

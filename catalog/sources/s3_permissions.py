"""Which rights the credentials have on a bucket: each is tried once, with one byte of one object at most."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from catalog.sources.s3_errors import is_denied, is_vanished, photo_fault, source_fault

NOBODYS = "catalog-check/no-such-photo.jpg"
"""A key that no object has: whoever may list and read is told that it is not there, anybody else that he is denied."""


@dataclass(frozen=True, slots=True)
class S3Permission:
    """One right; ``granted`` is None where it was not tried, with the reason in ``note``."""

    action: str
    granted: bool | None
    note: str = ""


class S3Rights:
    """Tries the rights that a scan of ``prefix`` needs. ``client`` is boto3's for S3; ``options`` go with each call."""

    def __init__(self, client: Any, bucket: str, prefix: str, uri: str, options: Mapping[str, str]) -> None:
        self._client = client
        self._where = {"Bucket": bucket, **options}
        self._prefix = prefix
        self._uri = uri

    def __iter__(self) -> Iterator[S3Permission]:
        """Each right. Raises ``SourceError`` where nothing can be asked at all."""
        try:
            page = self._client.list_objects_v2(Prefix=self._prefix, MaxKeys=1000, **self._where)
        except (ClientError, BotoCoreError) as error:
            if not is_denied(error):
                raise source_fault(error, self._uri) from error
            yield S3Permission("s3:ListBucket", granted=False)
            yield S3Permission("s3:GetObject", granted=None, note="not tried: no object is known")
            return
        yield S3Permission("s3:ListBucket", granted=True)
        # What stands for a folder is empty, and what is archived cannot be read by anybody.
        objects = [found for found in page.get("Contents", ()) if found["Size"]]
        readable = [found["Key"] for found in objects if found.get("StorageClass", "STANDARD") == "STANDARD"]
        key = readable[0] if readable else self._prefix + NOBODYS
        right, version = self._try("s3:GetObject", key)
        yield right
        if version:
            yield self._try("s3:GetObjectVersion", key, VersionId=version)[0]

    def _try(self, action: str, key: str, **version: str) -> tuple[S3Permission, str]:
        """The right, and the version of what was read; empty without versions."""
        try:
            answer = self._client.get_object(Key=key, Range="bytes=0-0", **version, **self._where)
        except (ClientError, BotoCoreError) as error:
            if is_denied(error):
                return S3Permission(action, granted=False), ""
            if not is_vanished(error):
                raise photo_fault(error, self._uri) from error
            return S3Permission(action, granted=True), ""
        answer["Body"].close()
        found = answer.get("VersionId", "")
        return S3Permission(action, granted=True), "" if found == "null" else found

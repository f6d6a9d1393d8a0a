"""Photos in an S3 bucket, below a prefix or by one key.

A listing is ListObjectsV2 alone, 1,000 keys a call: what is new or changed is decided by etag, size and time. Bytes are
read only of photos that the scan asks for.

An address is ``s3://bucket``, ``s3://bucket/prefix`` or ``s3://bucket/key.jpg``, with the prefix or key as it is, not
percent-encoded, as for the AWS CLI. ``s3://bucket/photos`` and ``s3://bucket/photos/`` are the same folder: what begins
with ``photos/``, so that ``photos-old/`` is not part of it. An address without a last slash that ends like a photo's
name is that one photo. The uri of a photo is ``s3://bucket/`` and its key, percent-encoded byte by byte from UTF-8.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ChecksumError,
    ClientError,
    ConnectionClosedError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from catalog.domain.errors import PhotoError, SourceError
from catalog.domain.photos import PhotoRef, S3Address
from catalog.domain.source import Content, Skipped
from catalog.domain.uri import S3_SCHEME, display, quote_name
from catalog.sources.photo_extensions import is_named_like_a_photo, is_side_file
from catalog.sources.s3_errors import photo_fault, source_fault
from catalog.sources.s3_permissions import S3Rights

DEFAULT_MAX_BYTES = 1 << 30
ARCHIVED = frozenset({"GLACIER", "DEEP_ARCHIVE"})
"""Storage classes whose objects must be restored, for hours and dollars, before they can be read."""

_BUCKET = re.compile(r"[a-zA-Z0-9._-]{3,255}")  # names of buckets, also of before 2018, and aliases of access points
_BODY_FAULTS = (IncompleteReadError, ReadTimeoutError, ResponseStreamingError, ConnectionClosedError, ChecksumError)
_BODY_ATTEMPTS = 3


class S3Source:
    """The photos below a prefix of a bucket, or one object."""

    def __init__(
        self,
        address: str,
        *,
        endpoint_url: str | None = None,
        region: str | None = None,
        profile: str | None = None,
        requester_pays: bool = False,
        max_bytes: int = DEFAULT_MAX_BYTES,
        attempts: int = 5,
        connections: int = 32,
        amazon_reads: bool | None = None,
    ) -> None:
        """Reaches for credentials and nothing else. ``attempts`` are made of each call that may heal.

        ``connections`` are kept open: as many as threads that read, else some are opened anew for each photo.
        ``amazon_reads`` says whether the engine that is given addresses is Amazon's own, which knows no buckets of
        other storage, as another engine knows none of Amazon's: then photos come without. None: they come with theirs.

        Raises ``SourceError``.
        """
        self._bucket, self._key = _parse(address)
        self._is_folder = not is_named_like_a_photo(_name(self._key))
        if self._is_folder and self._key and not self._key.endswith("/"):
            self._key += "/"
        self.uri = self._uri(self._key)
        self._max_bytes = max_bytes
        self._payer: Mapping[str, str] = {"RequestPayer": "requester"} if requester_pays else {}
        try:
            session = boto3.Session(profile_name=profile, region_name=region)
            self._client = session.client(
                "s3",
                endpoint_url=endpoint_url,
                config=Config(
                    retries={"mode": "standard", "total_max_attempts": attempts},
                    connect_timeout=10,
                    read_timeout=60,
                    max_pool_connections=connections,
                    s3={"addressing_style": "path" if endpoint_url else "auto"},
                ),
            )
        except BotoCoreError as error:
            raise source_fault(error, self.uri) from error
        except ValueError as error:  # an endpoint that is no URL
            raise SourceError(f"The S3 client cannot be set up: {error}.") from error
        self._region: str | None = self._client.meta.region_name
        self._addressed = amazon_reads is None or amazon_reads == _is_amazons(self._client.meta.endpoint_url)

    def rights(self) -> S3Rights:
        """The rights that a scan needs, each tried as it is asked for."""
        return S3Rights(self._client, self._bucket, self._key, self.uri, self._payer)

    # -------------------------------------------------------------------------------------------------- listing

    def list(self) -> Iterator[PhotoRef | Skipped]:
        if self._is_folder:
            for found in self._objects():
                yield from self._tell(found)
            return
        found = next(self._objects(MaxKeys=1), {})
        if found.get("Key") != self._key:
            raise SourceError(f'There is no object "{display(self.uri)}".', remedy="Check the bucket and the key.")
        yield from self._tell(found)

    def _objects(self, **options: int) -> Iterator[Mapping[str, Any]]:
        """What ListObjectsV2 tells of the prefix, page by page."""
        token: dict[str, str] = {}
        while True:
            try:
                page = self._client.list_objects_v2(
                    Bucket=self._bucket,
                    Prefix=self._key,
                    OptionalObjectAttributes=["RestoreStatus"],
                    **self._payer,
                    **options,
                    **token,
                )
            except (ClientError, BotoCoreError) as error:
                raise source_fault(error, self.uri) from error
            self._region = page["ResponseMetadata"]["HTTPHeaders"].get("x-amz-bucket-region", self._region)
            yield from page.get("Contents", ())
            if not page.get("IsTruncated") or "NextContinuationToken" not in page:
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}

    def _tell(self, found: Mapping[str, Any]) -> Iterator[PhotoRef | Skipped]:
        key: str = found["Key"]
        name = _name(key)
        if not is_named_like_a_photo(name):
            return  # another file, or the empty object that stands for a folder
        uri = self._uri(key)
        if is_side_file(name):
            yield Skipped(uri, f'"{display(uri)}" is a side file of macOS, not a photo.')
        elif found.get("StorageClass") in ARCHIVED and not _is_restored(found):
            yield Skipped(uri, f'"{display(uri)}" is archived ({found["StorageClass"]}) and must be restored first.')
        else:
            modified_ns = int(found["LastModified"].timestamp()) * 1_000_000_000
            yield PhotoRef(uri, found["Size"], modified_ns, found["ETag"].strip('"'))

    # -------------------------------------------------------------------------------------------------- reading

    def open(self, ref: PhotoRef) -> Content:
        for attempt in range(1, _BODY_ATTEMPTS + 1):
            try:
                return self._read(ref)
            except _BODY_FAULTS as error:  # botocore repeats requests, but not the reading of their answers
                if attempt == _BODY_ATTEMPTS:
                    raise PhotoError(
                        f'Reading "{display(ref.uri)}" broke off {_BODY_ATTEMPTS} times: {error}.',
                        remedy="Run the same command again.",
                    ) from error
            except ClientError as error:
                raise photo_fault(error, ref.uri) from error
            except BotoCoreError as error:
                raise source_fault(error, self.uri) from error
        raise AssertionError("unreachable")

    def _read(self, ref: PhotoRef) -> Content:
        key = unquote_to_bytes(ref.uri[len(self._uri("")) :]).decode("utf-8")
        answer = self._client.get_object(Bucket=self._bucket, Key=key, **self._payer)
        with closing(answer["Body"]) as body:  # which as a context manager of its own gives out the raw stream
            if answer["ContentLength"] > self._max_bytes:
                raise PhotoError(
                    f'"{display(ref.uri)}" is larger than the limit: {answer["ContentLength"]:,} bytes of '
                    f"{self._max_bytes:,}."
                )
            data: bytes = body.read()
        if not self._addressed:
            return Content(data)
        version = answer.get("VersionId")
        region = answer["ResponseMetadata"]["HTTPHeaders"].get("x-amz-bucket-region", self._region)
        return Content(
            data,
            S3Address(
                bucket=self._bucket,
                key=key,
                version=None if version == "null" else version,  # a bucket that was versioned later says null
                etag=answer["ETag"].strip('"'),
                region=region,
            ),
        )

    def _uri(self, key: str) -> str:
        return f"{S3_SCHEME}{self._bucket}/{quote_name(key.encode('utf-8'))}"


def _parse(address: str) -> tuple[str, str]:
    bucket, _, key = address.removeprefix(S3_SCHEME).partition("/")
    if not address.startswith(S3_SCHEME) or not _BUCKET.fullmatch(bucket):
        raise SourceError(
            f'"{display(address)}" is not the address of a bucket.', remedy="Write it as s3://bucket/prefix."
        )
    return bucket, key


def _is_amazons(endpoint_url: str) -> bool:
    host = urlsplit(endpoint_url).hostname or ""
    return host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws"))


def _name(key: str) -> bytes:
    return key.rpartition("/")[2].encode("utf-8")


def _is_restored(found: Mapping[str, Any]) -> bool:
    status = found.get("RestoreStatus", {})
    return "RestoreExpiryDate" in status and not status.get("IsRestoreInProgress")

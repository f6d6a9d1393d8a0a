"""Photos in an S3 bucket, below a prefix or by one key.

A listing is ListObjectsV2, 1,000 keys a call, and one GetObject for each ignore file. The scan decides by etag, size
and time which photos it reads.

An address is ``s3://bucket``, ``s3://bucket/prefix`` or ``s3://bucket/key.jpg``. Prefix and key are not
percent-encoded, as for the AWS CLI. ``s3://bucket/photos`` and ``s3://bucket/photos/`` are the same folder: all keys
that begin with ``photos/``, not those below ``photos-old/``. An address without a last slash whose name has the ending
of a photo is one photo. The uri of a photo is ``s3://bucket/`` and its key, percent-encoded byte by byte from UTF-8.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
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
from catalog.domain.file_names import is_named_like_a_photo, is_named_like_another_file
from catalog.domain.photos import PhotoRef, S3Address
from catalog.domain.source import Content, LeftOut, Listed, OtherFile, Skipped
from catalog.domain.uri import S3_SCHEME, display, quote_name
from catalog.sources.exclusions import Exclusions
from catalog.sources.s3_companions import S3Companions
from catalog.sources.s3_errors import is_past_end, photo_fault, source_fault
from catalog.sources.s3_listing import KeyStream, S3Object, list_keys
from catalog.sources.s3_permissions import S3Rights

DEFAULT_MAX_BYTES = 1 << 30
ARCHIVED = frozenset({"GLACIER", "DEEP_ARCHIVE"})
"""Storage classes whose objects must be restored before they can be read, which takes hours and is charged."""

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
        exclusions: Exclusions | None = None,
        reads_dates: bool = True,
    ) -> None:
        """Loads credentials and makes no call. A call that may succeed later is made ``attempts`` times at most.

        ``connections`` are kept open; fewer than reading threads means a new connection for some photos.
        ``amazon_reads``: the engine is Amazon's own and can read Amazon's buckets, not those of other storage. If
        engine and storage do not match, photos have no address. None: they always have one.

        ``reads_dates``: read the dates in the files beside a photo, too, which costs calls.

        Raises ``SourceError``.
        """
        self._reads_dates = reads_dates
        self._bucket, self._key = _parse(address)
        self._is_folder = not is_named_like_a_photo(_name(self._key))
        if self._is_folder and self._key and not self._key.endswith("/"):
            self._key += "/"
        self.uri = self._uri(self._key)
        self._max_bytes = max_bytes
        self._exclusions = exclusions or Exclusions()
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
        self._companions = S3Companions(self._first_keys, self._read_range)
        self._addressed = amazon_reads is None or amazon_reads == _is_amazons(self._client.meta.endpoint_url)

    def rights(self) -> S3Rights:
        """The permissions that a scan needs; each is tried when the iterator reaches it."""
        return S3Rights(self._client, self._bucket, self._key, self.uri, self._payer)

    # -------------------------------------------------------------------------------------------------- listing

    def list(self) -> Iterator[Listed]:
        if not self._is_folder:
            objects, _ = self._list_page("", MaxKeys=1)
            if not objects or objects[0]["Key"] != self._key:
                raise SourceError(f'There is no object "{display(self.uri)}".', remedy="Check the bucket and the key.")
            yield self._listed(objects[0])
            return
        for item, rule in list_keys(KeyStream(self._list_page), self._key, self._exclusions, self._read_start):
            if isinstance(item, str):
                yield LeftOut(self._uri(item), rule or "")
            elif rule is not None:
                yield LeftOut(self._uri(item["Key"]), rule)
            elif is_named_like_another_file(_name(item["Key"])):
                yield OtherFile(self._uri(item["Key"]))
            else:
                yield self._listed(item)

    def _list_page(self, after: str, **options: int) -> tuple[Sequence[S3Object], bool]:
        """One page of ListObjectsV2 with keys after ``after``, and whether more follow."""
        start = {"StartAfter": after} if after else {}
        try:
            page = self._client.list_objects_v2(
                Bucket=self._bucket,
                Prefix=self._key,
                OptionalObjectAttributes=["RestoreStatus"],
                **self._payer,
                **options,
                **start,
            )
        except (ClientError, BotoCoreError) as error:
            raise source_fault(error, self.uri) from error
        self._region = page["ResponseMetadata"]["HTTPHeaders"].get("x-amz-bucket-region", self._region)
        objects, has_more = page.get("Contents", []), bool(page.get("IsTruncated"))
        if self._is_folder:
            self._companions.add_page(after, [item["Key"] for item in objects], has_more=has_more)
        return objects, has_more

    def _listed(self, item: S3Object) -> PhotoRef | Skipped:
        uri = self._uri(item["Key"])
        if item.get("StorageClass") in ARCHIVED and not _is_restored(item):
            return Skipped(uri, f'"{display(uri)}" is archived ({item["StorageClass"]}) and must be restored first.')
        modified_ns = int(item["LastModified"].timestamp()) * 1_000_000_000
        return PhotoRef(uri, item["Size"], modified_ns, item["ETag"].strip('"'))

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

    def head(self, ref: PhotoRef, size: int) -> bytes:
        try:
            return self._get_start(self._key_of(ref.uri), size) if ref.size else b""
        except ClientError as error:
            raise photo_fault(error, ref.uri) from error
        except (BotoCoreError, *_BODY_FAULTS) as error:
            raise source_fault(error, self.uri) from error

    def _get_start(self, key: str, size: int) -> bytes:
        """At most the first ``size`` bytes of an object; empty for an empty object."""
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=key, Range=f"bytes=0-{size - 1}", **self._payer)
        except ClientError as error:
            if is_past_end(error):
                return b""
            raise
        with closing(answer["Body"]) as body:
            return bytes(body.read(size))

    def _read_start(self, key: str, size: int) -> bytes:
        """The beginning of a file with rules; empty if the object is gone, empty or denied."""
        try:
            return self._get_start(key, size)
        except ClientError:
            return b""
        except (BotoCoreError, *_BODY_FAULTS) as error:
            raise source_fault(error, self.uri) from error

    def _key_of(self, uri: str) -> str:
        return unquote_to_bytes(uri[len(self._uri("")) :]).decode("utf-8")

    def _read(self, ref: PhotoRef) -> Content:
        key = self._key_of(ref.uri)
        answer = self._client.get_object(Bucket=self._bucket, Key=key, **self._payer)
        with closing(answer["Body"]) as body:  # which as a context manager of its own gives out the raw stream
            if answer["ContentLength"] > self._max_bytes:
                raise PhotoError(
                    f'"{display(ref.uri)}" is larger than the limit: {answer["ContentLength"]:,} bytes of '
                    f"{self._max_bytes:,}."
                )
            data: bytes = body.read()
        dates, orientation = (
            self._companions.read(key) if self._reads_dates else ((), self._companions.orientation(key))
        )
        # Amazon does not know the sidecar: a photo that it turns gets no address, so that its bytes are sent.
        if not self._addressed or orientation != 1:
            return Content(data, orientation=orientation, dates=dates)
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
            dates=dates,
        )

    def _first_keys(self, prefix: str) -> Sequence[str]:
        """The first page of the keys with a prefix; empty if it cannot be listed."""
        try:
            page = self._client.list_objects_v2(Bucket=self._bucket, Prefix=prefix, **self._payer)
        except (ClientError, BotoCoreError):
            return ()
        return [item["Key"] for item in page.get("Contents", ())]

    def _read_range(self, key: str, offset: int, size: int) -> bytes:
        """A part of an object beside a photo; empty if it cannot be read. A date is not worth the photo."""
        if size <= 0:
            return b""
        wanted = f"bytes={offset}-{offset + size - 1}"
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=key, Range=wanted, **self._payer)
            with closing(answer["Body"]) as body:
                return bytes(body.read(size))
        except (ClientError, BotoCoreError, *_BODY_FAULTS):
            return b""

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


def _is_restored(item: Mapping[str, Any]) -> bool:
    status = item.get("RestoreStatus", {})
    return "RestoreExpiryDate" in status and not status.get("IsRestoreInProgress")

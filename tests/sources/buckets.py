"""S3 servers over HTTP: one that works, and one that returns errors."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

from catalog.domain.photos import PhotoRef
from catalog.sources.s3 import S3Source


class Server:
    """An S3 server with a client of the owner."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.client = boto3.client(
            "s3",
            endpoint_url=url,
            region_name="eu-central-1",
            aws_access_key_id="owner",
            aws_secret_access_key="owner",
            config=Config(retries={"total_max_attempts": 1}),
        )


class Bucket:
    """The bucket ``family`` in Frankfurt, on a server with no other."""

    def __init__(self, server: Server) -> None:
        self.server = server.url
        self.client = server.client
        self.client.create_bucket(Bucket="family", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})

    def put(self, key: str, data: bytes = b"photo", **options: str) -> Any:
        return self.client.put_object(Bucket="family", Key=key, Body=data, **options)

    def source(self, address: str = "s3://family/", **options: Any) -> S3Source:
        return S3Source(address, endpoint_url=self.server, attempts=2, **options)

    def deny(self, action: str, resource: str) -> None:
        statement = {"Effect": "Deny", "Principal": "*", "Action": action, "Resource": f"arn:aws:s3:::{resource}"}
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        self.client.put_bucket_policy(Bucket="family", Policy=json.dumps(policy))


def photos(source: S3Source) -> list[PhotoRef]:
    return [entry for entry in source.list() if isinstance(entry, PhotoRef)]


def names(source: S3Source) -> list[str]:
    return [ref.uri.removeprefix(source.uri) for ref in photos(source)]


class Faulty(ThreadingHTTPServer):
    """An S3 server with one photo, which answers as it is told and remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _FaultyAnswers)
        self.listing: tuple[int, str] | None = None
        self.reading: tuple[int, str] | None = None
        self.breaks = 0
        self.key = "a.jpg"
        self.asked: list[tuple[str, dict[str, str]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _FaultyAnswers(BaseHTTPRequestHandler):
    server: Faulty

    def do_GET(self) -> None:
        self.server.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        is_listing = "list-type=2" in urlsplit(self.path).query
        fault = self.server.listing if is_listing else self.server.reading
        if fault is not None:
            self._answer(fault[0], f"<Error><Code>{fault[1]}</Code><Message>Told so.</Message></Error>".encode())
        elif is_listing:
            self._answer(200, _LISTING.replace(b"KEY", self.server.key.encode()))
        elif self.server.breaks > 0:
            self.server.breaks -= 1
            self._answer(200, b"pho", length=5)
        else:
            self._answer(200, b"photo")

    def _answer(self, status: int, body: bytes, length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(length or len(body)))
        self.send_header("ETag", '"e"')
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base class has it
        """Log nothing."""


_LISTING = (
    b'<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><IsTruncated>false</IsTruncated>'
    b"<EncodingType>url</EncodingType><Contents><Key>KEY</Key><LastModified>2024-01-02T03:04:05.000Z</LastModified>"
    b"<ETag>&quot;e&quot;</ETag><Size>5</Size><StorageClass>GLACIER</StorageClass><RestoreStatus>"
    b"<IsRestoreInProgress>false</IsRestoreInProgress><RestoreExpiryDate>2030-01-01T00:00:00.000Z</RestoreExpiryDate>"
    b"</RestoreStatus></Contents></ListBucketResult>"
)

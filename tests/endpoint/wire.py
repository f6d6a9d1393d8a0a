"""Clients of the endpoint for tests: boto3 without retries, raw HTTP, and images to send."""

from __future__ import annotations

import json
import socket
import urllib.error
import urllib.request
from dataclasses import dataclass
from email.message import Message
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from PIL import Image

FIXTURES = Path(__file__).parent.parent / "fixtures"
UNKNOWN_FACE = "00000000-0000-4000-8000-000000000000"


def client_of(url: str, *, key: str = "AKIDTEST", secret: str = "secret", region: str = "us-east-1") -> Any:
    """A Rekognition client without retries."""
    return boto3.client(
        "rekognition",
        endpoint_url=url,
        region_name=region,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=30),
    )


@dataclass(frozen=True)
class RawAnswer:
    """A response; header names are lower-case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def post(url: str, operation: str, members: object = None, *, body: bytes | None = None, **headers: str) -> RawAnswer:
    """Send one request. ``headers`` override the default headers; underscores in their names mean hyphens."""
    all_headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"RekognitionService.{operation}"}
    all_headers |= {name.replace("_", "-"): value for name, value in headers.items()}
    data = json.dumps(members or {}).encode() if body is None else body
    request = urllib.request.Request(url, data=data, headers=all_headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return RawAnswer(answer.status, _lower_case(answer.headers), answer.read())
    except urllib.error.HTTPError as error:
        return RawAnswer(error.code, _lower_case(error.headers), error.read())


def _lower_case(headers: Message) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def send_bytes(url: str, data: bytes, *, wait: float = 5.0) -> bytes:
    """Send raw bytes and return the received bytes. Ends when the server closes, or after ``wait`` seconds."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port), timeout=wait) as connection:
        received = b""
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            while chunk := connection.recv(65536):
                received += chunk
        except OSError:
            pass
        return received


def refused(code: str) -> Any:
    """Context in which a ClientError with this code must be raised; its value is the error."""
    return pytest.raises(ClientError, match=rf"\({code}\)")


def portrait(name: str) -> bytes:
    return (FIXTURES / f"{name}.jpg").read_bytes()


@cache
def group() -> bytes:
    """An image of two men; Obama's face is larger than Biden's."""
    left, right = (Image.open(BytesIO(portrait(name))).convert("RGB") for name in ("obama_2", "biden"))
    left, right = (
        left.resize((left.width * 600 // left.height, 600)),
        right.resize((right.width * 420 // right.height, 420)),
    )
    image = Image.new("RGB", (left.width + right.width, 600), (90, 110, 130))
    image.paste(left, (0, 0))
    image.paste(right, (left.width, 180))
    return encode(image)


@cache
def no_face(width: int = 320, height: int = 240) -> bytes:
    """An image without a face."""
    return encode(Image.linear_gradient("L").resize((width, height)).convert("RGB"))


def encode(image: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()

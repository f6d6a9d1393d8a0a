"""The image of a request: bytes or an S3 object, checked against Amazon's limits, decoded upright."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from catalog.domain.opened_photo import OpenedPhoto
from catalog.domain.photo_format import sniff
from catalog.endpoint import errors
from catalog.endpoint.image_opener import ImageOpener
from catalog.endpoint.protocol import Members

MIN_SIDE = 80
MAX_S3_BYTES = 15 * 1024 * 1024
_FORMATS = {"JPEG", "PNG"}


@dataclass(frozen=True, slots=True, eq=False)
class RequestImage:
    """A decoded image and its content hash."""

    photo: OpenedPhoto
    sha256: str


class S3Client(Protocol):
    """The only method of boto3's S3 client that is used."""

    def get_object(self, **request: str) -> dict[str, Any]: ...


class ImageReader:
    """Reads the ``Image`` member of requests."""

    def __init__(self, opener: ImageOpener, s3: S3Client | None = None) -> None:
        """Without ``s3`` every S3Object is refused."""
        self._opener = opener
        self._s3 = s3

    def read(self, image: Members) -> RequestImage:
        """Raises WireError."""
        if ("Bytes" in image) == ("S3Object" in image):
            raise errors.invalid_parameter()
        data = image["Bytes"] if "Bytes" in image else self._fetch(image["S3Object"])
        if sniff(data) not in _FORMATS:
            raise errors.image_format()
        photo = self._opener.open(data)
        if min(photo.width, photo.height) < MIN_SIDE:
            raise errors.invalid_parameter()
        return RequestImage(photo, hashlib.sha256(data).hexdigest())

    def _fetch(self, address: Members) -> bytes:
        if self._s3 is None or not {"Bucket", "Name"} <= address.keys():
            raise errors.s3_object()
        version = {"VersionId": address["Version"]} if "Version" in address else {}
        try:
            response = self._s3.get_object(Bucket=address["Bucket"], Key=address["Name"], **version)
            with response["Body"] as body:
                if response["ContentLength"] > MAX_S3_BYTES:
                    raise errors.image_too_large()
                data: bytes = body.read()
        except (ClientError, BotoCoreError):
            raise errors.s3_object() from None
        return data

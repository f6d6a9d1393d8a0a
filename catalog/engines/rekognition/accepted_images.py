"""Photos as Amazon accepts them: a reference to S3 for a large photo that is there, else bytes within the limits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from catalog.domain.errors import PhotoError
from catalog.domain.faces import BoundingBox
from catalog.domain.opened_photo import OpenedPhoto
from catalog.domain.photos import S3Address
from catalog.domain.prepared_photo import PreparedPhoto
from catalog.domain.same_face import SAME_PHOTO, same_face
from catalog.engines.rekognition.client import RekognitionClient
from catalog.engines.rekognition.image_limits import LIMITS, may_be_reference
from catalog.engines.rekognition.image_preparer import read_fitted
from catalog.images.fit import ImageLimits, Placement, Unfit, fit

_CUT_OUT = replace(LIMITS, min_face=1)
"""Limits for a face that the user chose: it may be of any size."""

_PADDINGS = (0.6, 0.25, 0.05)
"""Margin around a chosen face at the first, second and third try, in widths and heights of the face."""


@dataclass(frozen=True, slots=True)
class AcceptedImage:
    """The image that is sent, and the placement of the photo in it."""

    image: dict[str, Any]
    placement: Placement
    WHOLE: ClassVar[Placement] = Placement()


class AcceptedImages:
    """Makes accepted images of photos."""

    def __init__(self, client: RekognitionClient, reopen: Callable[[bytes, int], OpenedPhoto] | None) -> None:
        self._client = client
        self._reopen = reopen

    def of(self, photo: OpenedPhoto) -> AcceptedImage:
        """The whole photo. Raises PhotoError for a photo that cannot be brought within the limits."""
        if self._by_reference(photo):
            assert photo.address is not None
            return AcceptedImage({"S3Object": _s3_object(photo.address)}, Placement())
        return self._as_bytes(photo)

    def around(self, photo: OpenedPhoto, box: BoundingBox | None) -> Iterator[AcceptedImage]:
        """The whole photo, or cut-outs around a box, each tighter than the one before.

        Amazon searches for the largest face of an image. A wide margin shows the face with its surroundings, which
        gives the best results. If a larger face is in the margin, the next cut-out is without it.
        """
        if box is None:
            yield self.of(photo)
            return
        if self._reopen is not None and photo.data and max(photo.pixels.shape[:2]) < max(photo.width, photo.height):
            photo = self._reopen(photo.data, LIMITS.max_side)
        for padding in _PADDINGS:
            part, place = _cut(photo, box, padding)
            sent = self._as_bytes(part, _CUT_OUT)
            yield AcceptedImage(sent.image, _within(sent.placement, place))

    def _as_bytes(self, photo: OpenedPhoto, limits: ImageLimits = LIMITS) -> AcceptedImage:
        fitted = fit(photo, limits, reopen=self._reopen)
        if isinstance(fitted, Unfit):
            raise PhotoError(fitted.reason)
        return AcceptedImage({"Bytes": fitted.data}, fitted.placement)

    def of_prepared(self, prepared: PreparedPhoto) -> AcceptedImage:
        """The whole photo as its preparer fitted it. Raises PhotoError as :meth:`of`."""
        fitted = read_fitted(prepared)
        address = prepared.photo.address
        if fitted.may_be_reference and address is not None and self._is_current(address):
            return AcceptedImage({"S3Object": _s3_object(address)}, Placement())
        if fitted.reason:
            raise PhotoError(fitted.reason)
        return AcceptedImage({"Bytes": fitted.image}, fitted.placement)

    def _by_reference(self, photo: OpenedPhoto) -> bool:
        """True for a photo that is too large for bytes and that S3 still holds as it was read."""
        return may_be_reference(photo) and photo.address is not None and self._is_current(photo.address)

    def _is_current(self, address: S3Address) -> bool:
        if address.region != self._client.region:
            return False
        return bool(address.version) or self._client.etag(address).strip('"') == address.etag.strip('"')


def chosen_face(searched: BoundingBox, chosen: BoundingBox) -> bool:
    """True if Amazon searched for the chosen face."""
    return same_face(searched, chosen, SAME_PHOTO)


def _s3_object(address: S3Address) -> dict[str, str]:
    version = {"Version": address.version} if address.version else {}
    return {"Bucket": address.bucket, "Name": address.key, **version}


def _cut(photo: OpenedPhoto, box: BoundingBox, padding: float) -> tuple[OpenedPhoto, BoundingBox]:
    """The part of a photo around a box, and its box in fractions of the photo."""
    rows, columns = photo.pixels.shape[:2]
    left = min(max(round((box.left - padding * box.width) * columns), 0), columns - 1)
    top = min(max(round((box.top - padding * box.height) * rows), 0), rows - 1)
    right = max(min(round((box.right + padding * box.width) * columns), columns), left + 1)
    bottom = max(min(round((box.bottom + padding * box.height) * rows), rows), top + 1)
    pixels = np.ascontiguousarray(photo.pixels[top:bottom, left:right])
    place = BoundingBox(left / columns, top / rows, (right - left) / columns, (bottom - top) / rows)
    return OpenedPhoto(pixels, right - left, bottom - top, "RAW"), place


def _within(inner: Placement, place: BoundingBox) -> Placement:
    """Placement of the photo in an image that shows only ``place`` of it. The photo is larger than the image."""
    width, height = inner.width / place.width, inner.height / place.height
    return Placement(inner.left - place.left * width, inner.top - place.top * height, width, height)

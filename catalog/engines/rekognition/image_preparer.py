"""Fits a photo to Amazon's limits without calling Amazon, on this machine or another one."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

from catalog.domain.errors import PhotoError
from catalog.domain.opened_photo import OpenedPhoto
from catalog.domain.prepared_photo import PreparedPhoto, without_pixels
from catalog.engines.rekognition.image_limits import LIMITS, may_be_reference
from catalog.images.fit import Placement, Unfit, fit

_HEAD = struct.Struct("<?4dI")
"""May be a reference to S3; placement: left, top, width, height; bytes of the reason. Reason and image follow."""


@dataclass(frozen=True, slots=True)
class FittedImage:
    """A fitted photo. ``reason`` is why it cannot be sent as bytes, empty if it can."""

    image: bytes
    placement: Placement
    may_be_reference: bool
    reason: str = ""


class RekognitionPreparer:
    """Implements ``Preparer``."""

    weights = ""

    def __init__(self, reopen: Callable[[bytes, int], OpenedPhoto]) -> None:
        self._reopen = reopen

    def prepare(self, photo: OpenedPhoto) -> PreparedPhoto:
        is_reference = may_be_reference(photo)
        fitted = fit(photo, LIMITS, reopen=self._reopen)
        if not isinstance(fitted, Unfit):
            data = _packed(FittedImage(fitted.data, fitted.placement, is_reference))
        elif is_reference:
            data = _packed(FittedImage(b"", Placement(), is_reference, fitted.reason))
        else:
            raise PhotoError(fitted.reason)
        return PreparedPhoto(without_pixels(photo), data=data)


def _packed(fitted: FittedImage) -> bytes:
    place, reason = fitted.placement, fitted.reason.encode()
    head = _HEAD.pack(fitted.may_be_reference, place.left, place.top, place.width, place.height, len(reason))
    return head + reason + fitted.image


def read_fitted(prepared: PreparedPhoto) -> FittedImage:
    """The fitted image of a photo that :class:`RekognitionPreparer` prepared."""
    is_reference, left, top, width, height, length = _HEAD.unpack_from(prepared.data)
    start = _HEAD.size + length
    reason = prepared.data[_HEAD.size : start].decode()
    return FittedImage(prepared.data[start:], Placement(left, top, width, height), is_reference, reason)

"""Limits of the images that Amazon accepts."""

from __future__ import annotations

from catalog.domain.opened_photo import OpenedPhoto
from catalog.images.fit import ImageLimits, has_common_samples

LIMITS = ImageLimits(max_bytes=5_242_880, max_side=10_000, min_side=80, min_face=40)
"""Limits of raw bytes. Amazon documents 40 pixels of a 1920 x 1080 image as the smallest face."""

MAX_S3_BYTES = 15 * 1024 * 1024
_TURNS_ONLY = (1, 3, 6, 8)


def may_be_reference(photo: OpenedPhoto) -> bool:
    """True for a photo in S3 that is too large for bytes and that Amazon can read there."""
    if photo.address is None or not LIMITS.max_bytes < len(photo.data) <= MAX_S3_BYTES:
        return False
    if photo.format not in {"JPEG", "PNG"} or (photo.format == "PNG" and photo.orientation != 1):
        return False
    if photo.format == "PNG" and not has_common_samples(photo.data):
        return False
    if photo.orientation not in _TURNS_ONLY or max(photo.width, photo.height) > LIMITS.max_side:
        return False
    return min(photo.width, photo.height) >= LIMITS.min_side

"""Limits for decoding one photo, as the settings say."""

from __future__ import annotations

from catalog.app.settings import ImageSettings
from catalog.images.decode import DecodeLimits


def decode_limits(images: ImageSettings) -> DecodeLimits:
    return DecodeLimits(
        max_pixels=images.max_megapixels * 1_000_000,
        seconds=images.decode_seconds,
        memory_bytes=images.decode_megabytes << 20,
    )

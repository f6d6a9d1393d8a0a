"""Opens images of requests in decoder processes, within limits of memory and time."""

from __future__ import annotations

import os
import struct
import threading

from catalog.domain.errors import PhotoError
from catalog.domain.opened_photo import OpenedPhoto
from catalog.endpoint import errors
from catalog.images.decode import DecodeLimits
from catalog.images.decoder_pool import DecoderPool

MAX_SIDE = 10_000
"""Pixels. Amazon documents the upper limit for other operations only. It also guards against decompression bombs."""

_MAX_PNG_PIXELS = 20_000_000
"""A PNG must be decoded in full: up to 10 bytes a pixel at the peak (16-bit gray, measured). A JPEG is reduced while
it is decoded. A photo of more pixels does not fit into a PNG of 5 MiB."""

_SMALL_JPEG_PIXELS = 16_000_000
_SMALL_PNG_PIXELS = 6_000_000
_SMALL_MEMORY = 128 << 20
_LARGE_MEMORY = 256 << 20
_SECONDS = 10.0
_LARGE_WAITING = 8


class ImageOpener:
    """Decodes images upright, no larger than ``max_side`` pixels on the longer side.

    Images of many pixels have a decoder process of their own, so that they do not delay other images. If too many
    of them wait, further requests with large images are throttled, as Amazon throttles them.
    """

    def __init__(self, max_side: int) -> None:
        self._max_side = max_side
        workers = min(os.cpu_count() or 1, 4)
        self._small = DecoderPool(workers, DecodeLimits(MAX_SIDE * MAX_SIDE, _SECONDS, _SMALL_MEMORY))
        self._large_seats = threading.BoundedSemaphore(_LARGE_WAITING)
        self._large = DecoderPool(1, DecodeLimits(MAX_SIDE * MAX_SIDE, _SECONDS, _LARGE_MEMORY))

    def open(self, data: bytes) -> OpenedPhoto:
        """``data`` is a JPEG or PNG. Raises WireError, also if too many large images wait."""
        size = _declared_size(data)
        if size is None:
            raise errors.image_format()
        pixels, is_png = size[0] * size[1], data.startswith(_PNG)
        if max(size) > MAX_SIDE or (is_png and pixels > _MAX_PNG_PIXELS):
            raise errors.image_too_large()
        if pixels <= (_SMALL_PNG_PIXELS if is_png else _SMALL_JPEG_PIXELS):
            return self._decode(self._small, data)
        if not self._large_seats.acquire(blocking=False):
            raise errors.slow_down()
        try:
            return self._decode(self._large, data)
        finally:
            self._large_seats.release()

    def _decode(self, pool: DecoderPool, data: bytes) -> OpenedPhoto:
        try:
            return pool.open(data, self._max_side)
        except PhotoError:
            raise errors.image_format() from None

    def close(self) -> None:
        """End the decoder processes."""
        self._small.close()
        self._large.close()


_PNG = b"\x89PNG\r\n\x1a\n"
_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""JPEG markers of a frame header: width and height follow. The others are tables."""
_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD8)}


def _declared_size(data: bytes) -> tuple[int, int] | None:
    """Width and height as a JPEG or PNG file declares them; None if it declares none."""
    if data.startswith(_PNG):
        if len(data) < 24:
            return None
        width, height = struct.unpack_from(">II", data, 16)
        return width, height
    position = 2
    while position + 9 <= len(data):
        if data[position] != 0xFF:
            return None
        marker = data[position + 1]
        if marker == 0xFF:  # a fill byte
            position += 1
        elif marker in _WITHOUT_LENGTH:
            position += 2
        elif marker in _FRAMES:
            height, width = struct.unpack_from(">HH", data, position + 5)
            return width, height
        else:
            position += 2 + int(struct.unpack_from(">H", data, position + 2)[0])
    return None

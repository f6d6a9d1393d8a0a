"""JPEG XL: the size from the header, the pixels by libjxl, and metadata from the boxes of the container."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import imagecodecs
import numpy as np
from PIL import Image

from catalog.domain.errors import PhotoError

_CODESTREAM = b"\xff\x0a"
_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))


def size_of(data: bytes) -> tuple[int, int]:
    """Width and height as stored, before orientation. Raises PhotoError."""
    head = data if data.startswith(_CODESTREAM) else _codestream_start(data)
    if not head.startswith(_CODESTREAM):
        raise PhotoError("The JPEGXL photo is damaged: its header cannot be read.")
    bits = _Bits(head[2:20])
    is_small = bits.take(1)
    height = (bits.take(5) + 1) * 8 if is_small else bits.take((9, 13, 18, 30)[bits.take(2)]) + 1
    ratio = bits.take(3)
    if ratio:
        across, down = _RATIOS[ratio - 1]
        return height * across // down, height
    width = (bits.take(5) + 1) * 8 if is_small else bits.take((9, 13, 18, 30)[bits.take(2)]) + 1
    return width, height


def decode(data: bytes) -> Image.Image:
    """The first frame, upright: libjxl applies the orientation. Raises what imagecodecs raises."""
    pixels = np.asarray(imagecodecs.jpegxl_decode(data, index=None))
    if pixels.ndim == 4:  # frames of an animation
        pixels = pixels[0]
    if pixels.dtype == np.uint16:
        pixels = (pixels >> 8).astype(np.uint8)
    elif pixels.dtype.kind == "f":
        pixels = (np.clip(np.nan_to_num(pixels.astype(np.float32)), 0, 1) * 255 + 0.5).astype(np.uint8)
    if pixels.ndim == 3 and pixels.shape[2] not in (2, 3, 4):
        pixels = pixels[:, :, 0]
    return Image.fromarray(np.ascontiguousarray(pixels))


def metadata(data: bytes) -> tuple[bytes | None, bytes | None]:
    """EXIF (from the TIFF header on) and XMP of the container; None for what is absent or compressed."""
    exif = xmp = None
    for kind, payload in _boxes(data):
        if kind == b"Exif" and len(payload) > 4:
            exif = b"Exif\0\0" + payload[4 + int.from_bytes(payload[:4], "big") :]
        elif kind == b"xml ":
            xmp = payload
    return exif, xmp


def _codestream_start(data: bytes) -> bytes:
    for kind, payload in _boxes(data):
        if kind == b"jxlc":
            return payload[:64]
        if kind == b"jxlp":
            return payload[4:64]
    return b""


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = 0
    while position + 8 <= len(data) and not data.startswith(_CODESTREAM):
        size, kind = struct.unpack_from(">I4s", data, position)
        head = 8
        if size == 1 and position + 16 <= len(data):
            (size,) = struct.unpack_from(">Q", data, position + 8)
            head = 16
        end = len(data) if size == 0 else position + size
        if end < position + head:
            return
        yield kind, data[position + head : end]
        position = end


class _Bits:
    """Bits of the header, the lowest of each byte first."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "little")

    def take(self, count: int) -> int:
        value = self._value & ((1 << count) - 1)
        self._value >>= count
        return value

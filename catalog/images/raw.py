"""Camera raw files: the embedded preview, or the sensor data developed at half size."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO

import numpy as np
import rawpy
from numpy.typing import NDArray
from PIL import Image

SMALLEST_PREVIEW = 640
"""Longer side in pixels below which a preview is too small to find faces."""

_FLIPS = {3: 3, 5: 8, 6: 6}
"""LibRaw's turns (180, 90 counter-clockwise, 90 clockwise) as EXIF orientations."""


@dataclass(frozen=True, slots=True)
class Developed:
    """The image of a raw file.

    ``picture`` is a JPEG, or pixels of shape (rows, columns, 3). ``orientation`` is that of the raw file; it is applied
    to pixels and not to a JPEG. ``width`` and ``height`` are those of the upright photo.
    """

    picture: bytes | NDArray[np.uint8]
    orientation: int
    width: int
    height: int


def raw_size(data: bytes) -> tuple[int, int]:
    """Width and height of the sensor image, read from the header."""
    with rawpy.imread(BytesIO(data)) as raw:
        return raw.sizes.width, raw.sizes.height


def develop(data: bytes) -> Developed:
    """Raises ``rawpy.LibRawError`` for a file that LibRaw cannot read."""
    with rawpy.imread(BytesIO(data)) as raw:
        sizes = raw.sizes
        orientation = _FLIPS.get(sizes.flip, 1)
        width, height = (sizes.height, sizes.width) if orientation in (6, 8) else (sizes.width, sizes.height)
        picture = _preview(raw)
        if picture is None:
            picture = raw.postprocess(half_size=True, use_camera_wb=True, output_bps=8)
        elif not isinstance(picture, bytes):  # a bitmap has the orientation of the sensor
            picture = np.ascontiguousarray(_turned(picture, orientation))
        return Developed(picture, orientation, width, height)


def _preview(raw: rawpy.RawPy) -> bytes | NDArray[np.uint8] | None:
    try:
        preview = raw.extract_thumb().data
    except (rawpy.LibRawNoThumbnailError, rawpy.LibRawUnsupportedThumbnailError):
        return None
    if isinstance(preview, bytes):
        with Image.open(BytesIO(preview), formats=["JPEG"]) as image:
            longer = max(image.size)
    else:
        longer = max(preview.shape[:2])
    return preview if longer >= SMALLEST_PREVIEW else None


def _turned(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    return np.rot90(pixels, {3: 2, 6: 3, 8: 1}.get(orientation, 0))

"""Perceptual hash of an image: images that look the same have hashes that differ in few bits.

The hash is the signs of the 255 lowest frequencies of the discrete cosine transform of the gray image, compared with
their median. Scaling, compression and small edits change few of them.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

HASH_DIGITS = 64
"""Hexadecimal digits of a hash: 256 bits."""

_SIDE = 64
"""Pixels of a side of the gray image."""
_FREQUENCIES = 16
"""Frequencies in each direction."""
_MIN_DEVIATION = 3.0
"""Standard deviation of the gray values, 0 to 127, below which an image is blank. Not measured."""


def image_hash(pixels: NDArray[np.uint8]) -> str | None:
    """Hash upright sRGB pixels. Returns 64 hex digits, or None for a blank image, whose hash would be noise."""
    height, width = pixels.shape[:2]
    # Whole pixels are skipped first, because the conversion to gray is the costly part.
    step = max(1, min(height, width) // (4 * _SIDE))
    gray = Image.fromarray(np.ascontiguousarray(pixels[::step, ::step])).convert("L")
    small = np.asarray(gray.resize((_SIDE, _SIDE), Image.Resampling.BOX), dtype=np.float64)
    if small.std() < _MIN_DEVIATION:
        return None
    basis = _cosines()
    low = (basis @ small @ basis.T).ravel()[1:]  # the first one is the mean brightness
    bits = np.append(low > np.median(low), False)
    return np.packbits(bits).tobytes().hex()


@cache
def _cosines() -> NDArray[np.float64]:
    """The first rows of the DCT-II matrix."""
    position = np.arange(_SIDE) + 0.5
    return np.cos(np.pi / _SIDE * np.outer(np.arange(_FREQUENCIES), position))

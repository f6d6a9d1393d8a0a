"""Close the eyes of a face: the upper lid is pulled down to the lower one, placed by the face mesh.

Closed eyes are rare in the data sets, and hardly any picture of UTKFace shows one. Column by column the skin between
brow and eye is stretched over the eye. A dark line of lashes lies along the lower lid.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Pixels = NDArray[np.uint8]
Points = NDArray[np.floating]

_UPPER = ((33, 246, 161, 160, 159, 158, 157, 173, 133), (362, 398, 384, 385, 386, 387, 388, 466, 263))
_LOWER = ((33, 7, 163, 144, 145, 153, 154, 155, 133), (362, 382, 381, 380, 374, 373, 390, 249, 263))
_BROW = ((46, 53, 52, 65, 55), (285, 295, 282, 283, 276))
"""Mesh points of upper lid, lower lid and lower edge of the brow, from the viewer's left, per eye."""


def close_eyes(
    pixels: Pixels, points: Points, rng: np.random.Generator, eyes: tuple[int, ...] = (0, 1), *, share: float = 1.0
) -> Pixels:
    """Return a copy with closed eyes. 0 is the eye at the viewer's left. ``share`` below 1 closes in part."""
    changed = pixels.astype(np.float32)
    original = changed.copy()
    dark = rng.uniform(0.25, 0.75)
    for eye in eyes:
        upper, lower, brow = (points[list(group[eye]), :2].astype(np.float64) for group in (_UPPER, _LOWER, _BROW))
        width = float(np.hypot(*(upper[-1] - upper[0])))
        left, right = int(np.floor(upper[0, 0] - 0.05 * width)), int(np.ceil(upper[-1, 0] + 0.05 * width))
        droop = rng.uniform(-0.02, 0.08) * width
        for x in range(max(left, 0), min(right, pixels.shape[1] - 1) + 1):
            top, bottom = np.interp(x, upper[:, 0], upper[:, 1]), np.interp(x, lower[:, 0], lower[:, 1])
            ceiling = min(float(np.interp(x, brow[:, 0], brow[:, 1])), top - 0.1 * width)
            # Mesh lids lie on the lashes: start above the upper and end below the lower ones.
            sag = droop * np.sin(np.pi * (x - left) / (right - left))
            top, bottom = top - 0.06 * width, bottom + 0.05 * width + sag
            closed = top + (bottom - top) * share
            rows = np.arange(max(int(np.ceil(ceiling)), 0), min(int(closed), pixels.shape[0] - 1) + 1)
            if len(rows) < 2 or closed <= ceiling:
                continue
            source = ceiling + (rows - ceiling) * (top - ceiling) / (closed - ceiling)
            source = np.clip(source, 0, pixels.shape[0] - 1.001)
            low = source.astype(int)
            part = (source - low)[:, None]
            changed[rows, x] = original[low, x] * (1 - part) + original[np.minimum(low + 1, len(pixels) - 1), x] * part
            thickness = max(0.05 * width, 1.0)
            near = np.abs(rows - closed) < thickness
            strength = np.clip(1 - np.abs(rows - closed) / thickness, 0, 1)[:, None] * dark
            changed[rows[near], x] *= 1 - strength[near]
    image = Image.fromarray(changed.clip(0, 255).astype(np.uint8))
    soft = image.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.3, 0.8))))
    mask = np.abs(changed - original).sum(axis=2) > 0
    return np.where(mask[:, :, None], np.asarray(soft), pixels)

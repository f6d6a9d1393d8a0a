"""Cut out a face upright and centered, as the embedding network expects it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]

SIDE = 112
TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]], np.float64
)
"""Positions of the five landmarks in an aligned face: ArcFace's template, as in OpenCV's ``FaceRecognizerSF``."""


def similarity_transform(points: NDArray[np.floating], template: NDArray[np.float64] = TEMPLATE) -> NDArray[np.float64]:
    """Return the least-squares rotation, scale and shift from ``points`` to ``template``, shape (2, 3).

    Points are complex numbers here, so this is a linear regression with one complex slope. It excludes mirroring.
    OpenCV's ``getSimilarityTransformMatrix`` (Umeyama 1991) gives the same result unless that result mirrors.
    """
    source = points[:, 0].astype(np.float64) + 1j * points[:, 1].astype(np.float64)
    target = template[:, 0] + 1j * template[:, 1]
    centered = source - source.mean()
    spread = float((centered.conj() * centered).real.sum())
    slope = (centered.conj() * (target - target.mean())).sum() / max(spread, 1e-12)
    shift = target.mean() - slope * source.mean()
    return np.array([[slope.real, -slope.imag, shift.real], [slope.imag, slope.real, shift.imag]])


def warp(
    pixels: Pixels,
    transform: NDArray[np.float64],
    side: int = SIDE,
    *,
    is_extended: bool = False,
    fill: tuple[int, int, int] = (0, 0, 0),
) -> Pixels:
    """Return a square of ``side`` pixels sampled bilinearly through ``transform`` (2, 3).

    Outside the photo it has the color ``fill``, or with ``is_extended`` the border of the photo goes on.

    Within one gray level of ``cv2.warpAffine`` in 999 of 1,000 pixels (300 random transforms of a photo, enlarged up to
    2.5 times and reduced up to 1.8). If the face is much larger than the square, the photo is first averaged over
    blocks of 2, 4, ... pixels. Without averaging, fine texture would become noise.
    """
    inverse = np.linalg.inv(np.vstack([transform, [0, 0, 1]]))[:2]
    step = float(np.hypot(inverse[0, 0], inverse[1, 0]))
    blocks = 1
    while step / (2 * blocks) >= 1.0:
        blocks *= 2
    corners = np.array([[0, 0, 1], [side, 0, 1], [0, side, 1], [side, side, 1]]) @ inverse.T
    low = np.floor(corners.min(axis=0)).astype(int) - 2
    high = np.ceil(corners.max(axis=0)).astype(int) + 3
    # Blocks lie on the photo's own grid, so that sampling does not depend on the region that is cut out.
    left, top = (max(int(v), 0) // blocks * blocks for v in low)
    right, bottom = (int(v) for v in np.minimum(high, [pixels.shape[1], pixels.shape[0]]))
    if left >= right or top >= bottom:
        return np.full((side, side, 3), fill, np.uint8)
    image = Image.fromarray(np.ascontiguousarray(pixels[top:bottom, left:right]))
    if blocks > 1:
        image = image.reduce(blocks)
    if is_extended:
        image, left, top = _extend(image, left, top, blocks, low, high)
    # Pillow's pixel (i, j) covers i..i+1 and has its center at i + 0.5; OpenCV's center is at i.
    linear = inverse[:, :2] / blocks
    shift = (inverse[:, 2] + 0.5 - [left, top]) / blocks - linear @ [0.5, 0.5]
    coefficients = (linear[0, 0], linear[0, 1], shift[0], linear[1, 0], linear[1, 1], shift[1])
    square = image.transform(
        (side, side), Image.Transform.AFFINE, coefficients, Image.Resampling.BILINEAR, fillcolor=fill
    )
    return np.asarray(square)


def _extend(
    image: Image.Image, left: int, top: int, blocks: int, low: NDArray[np.int_], high: NDArray[np.int_]
) -> tuple[Image.Image, int, int]:
    """Repeat the border of a part of the photo until it holds ``low`` to ``high``. Returns also its new corner."""
    before = [max(-(int(start) - corner) // blocks + 1, 0) for start, corner in zip(low, (left, top), strict=True)]
    ends = (left + image.width * blocks, top + image.height * blocks)
    after = [max((int(stop) - end) // blocks + 1, 0) for stop, end in zip(high, ends, strict=True)]
    limit = 4 * SIDE
    (x, y), (wide, tall) = (tuple(min(side, limit) for side in sides) for sides in (before, after))
    padded = np.pad(np.asarray(image), ((y, tall), (x, wide), (0, 0)), mode="edge")
    return Image.fromarray(padded), left - x * blocks, top - y * blocks


def align_faces(pixels: Pixels, landmarks: Sequence[NDArray[np.float32]]) -> Pixels:
    """Return aligned faces, uint8 (n, 112, 112, 3). ``landmarks`` holds five points (5, 2) per face."""
    if not landmarks:
        return np.zeros((0, SIDE, SIDE, 3), np.uint8)
    return np.stack([warp(pixels, similarity_transform(points)) for points in landmarks])

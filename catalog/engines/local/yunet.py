"""Run the detector YuNet over an image and decode its output.

The decoding follows OpenCV's ``FaceDetectorYN`` (modules/objdetect/src/face_detect.cpp).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from catalog.engines.local.networks import YUNET

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]

SCORE = 14
"""Column of a candidate's score. Columns 0 to 13 are left, top, width, height and five points, x and y, in pixels."""

_STRIDES = (8, 16, 32)
_OVERLAP = 0.3
"""Intersection over union above which two candidates are the same face."""


def run_yunet(pixels: Pixels, floor: float) -> Floats:
    """Return YuNet's candidates with a score of at least ``floor``, best first, without overlapping ones.

    A row holds left, top, width, height, five points x and y, and the score (0 to 1): 15 numbers, in pixels of
    ``pixels``.
    """
    rows, columns = pixels.shape[:2]
    padded = np.zeros((-(-rows // 32) * 32, -(-columns // 32) * 32, 3), np.uint8)
    padded[:rows, :columns] = pixels
    outputs = YUNET.run(padded[None])
    candidates = []
    for index, stride in enumerate(_STRIDES):
        cls, obj, bbox, kps = (output[0] for output in outputs[4 * index : 4 * index + 4])
        squares = cls[:, 0] * obj[:, 0]
        (indices,) = np.nonzero(squares >= floor * floor)
        if not indices.size:
            continue
        scores = np.sqrt(squares[indices])
        cells = np.stack([indices % (padded.shape[1] // stride), indices // (padded.shape[1] // stride)], axis=1)
        centers = (cells + bbox[indices, :2]) * stride
        sizes = np.exp(bbox[indices, 2:]) * stride
        points = (kps[indices].reshape(-1, 5, 2) + cells[:, None]) * stride
        candidates.append(np.concatenate([centers - sizes / 2, sizes, points.reshape(-1, 10), scores[:, None]], axis=1))
    if not candidates:
        return np.zeros((0, 15), np.float32)
    return drop_overlapping(np.concatenate(candidates).astype(np.float32))


def drop_overlapping(rows: Floats, overlap: float = _OVERLAP) -> Floats:
    """Greedy non-maximum suppression of rows of :func:`run_yunet`, best first."""
    rows = rows[np.argsort(-rows[:, 14], kind="stable")]
    areas = rows[:, 2] * rows[:, 3]
    ends = rows[:, :2] + rows[:, 2:4]
    alive = np.ones(len(rows), bool)
    for i in range(len(rows)):
        if not alive[i]:
            continue
        shared = np.minimum(ends[i], ends[i + 1 :]) - np.maximum(rows[i, :2], rows[i + 1 :, :2])
        inside = np.clip(shared, 0, None).prod(axis=1)
        alive[i + 1 :] &= inside <= overlap * (areas[i] + areas[i + 1 :] - inside)
    return rows[alive]


def reduced(pixels: Pixels, longest: int) -> tuple[Pixels, float]:
    """Return the image with its longer side at most ``longest`` pixels, and the scale factor (1 or less)."""
    rows, columns = pixels.shape[:2]
    factor = longest / max(rows, columns)
    if factor >= 1:
        return pixels, 1.0
    size = (max(1, round(columns * factor)), max(1, round(rows * factor)))
    image = Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
    return np.asarray(image), factor


def scaled(rows: Floats, factor: float) -> Floats:
    """Return candidates with their boxes and points multiplied by ``factor``."""
    result = rows.copy()
    result[:, :SCORE] *= factor
    return result


def overlap(a: Floats, b: Floats) -> float:
    """Return the intersection over union of two rows that begin with left, top, width, height."""
    low = np.maximum(a[:2], b[:2])
    high = np.minimum(a[:2] + a[2:4], b[:2] + b[2:4])
    inside = float(np.clip(high - low, 0, None).prod())
    return inside / max(float(a[2] * a[3] + b[2] * b[3]) - inside, 1e-9)

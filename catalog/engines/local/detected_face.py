"""A detected face, and operations on detected faces: mapping between images and removal of duplicates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from catalog.engines.local.yunet import Floats

_DUPLICATE_OVERLAP = 0.3
"""Intersection over union above which two boxes show one face. YuNet's own suppression uses the same value."""


@dataclass(frozen=True, slots=True, eq=False)
class DetectedFace:
    """A face in pixels of the searched array. The border of the photo may cut the face.

    ``box`` is (left, top, width, height). ``landmarks`` is float32 (5, 2), x and y: the eyes (first the eye at the
    viewer's left if the face is upright), the tip of the nose, the corners of the mouth in the same order.
    ``confidence`` is 0 to 100.
    """

    box: tuple[float, float, float, float]
    landmarks: Floats
    confidence: float

    @property
    def size(self) -> float:
        """Geometric mean of the box's width and height, in pixels."""
        return float(np.sqrt(self.box[2] * self.box[3]))

    def overlap(self, box: tuple[float, float, float, float]) -> float:
        """Return the intersection over union with ``box``, 0 to 1."""
        across = min(self.box[0] + self.box[2], box[0] + box[2]) - max(self.box[0], box[0])
        down = min(self.box[1] + self.box[3], box[1] + box[3]) - max(self.box[1], box[1])
        inside = max(across, 0.0) * max(down, 0.0)
        return inside / max(self.box[2] * self.box[3] + box[2] * box[3] - inside, 1e-9)

    def moved(self, x: float, y: float) -> DetectedFace:
        """Return the face shifted by ``x`` and ``y`` pixels."""
        left, top, width, height = self.box
        landmarks = self.landmarks + np.array([x, y], np.float32)
        return DetectedFace((left + x, top + y, width, height), landmarks, self.confidence)


def turned_back(face: DetectedFace, quarters: int, width: int, height: int) -> DetectedFace:
    """Map a face of an image turned by ``quarters`` (1 to 3) counterclockwise to pixels of the original image.

    ``width`` and ``height`` are those of the original image.
    """
    left, top, across, down = face.box
    corners = np.array([[left, top], [left + across, top + down]], np.float32)
    points = np.concatenate([corners, face.landmarks])
    x, y = points[:, 0], points[:, 1]
    back = {1: (width - y, x), 2: (width - x, height - y), 3: (y, height - x)}[quarters]
    points = np.stack(back, axis=1).astype(np.float32)
    low, high = points[:2].min(axis=0), points[:2].max(axis=0)
    box = (float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1]))
    return DetectedFace(box, points[2:], face.confidence)


def without_duplicates(faces: Iterable[DetectedFace]) -> list[DetectedFace]:
    """Return the faces without duplicates. Of overlapping faces the one with the highest confidence stays."""
    unique: list[DetectedFace] = []
    for face in sorted(faces, key=lambda face: -face.confidence):
        if all(face.overlap(kept_face.box) <= _DUPLICATE_OVERLAP for kept_face in unique):
            unique.append(face)
    return unique

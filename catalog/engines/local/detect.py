"""Detect the faces of a photo: one pass at a small size, then second looks at doubtful candidates.

- Without a face, the detector runs again at twice the size. With small faces, it runs at up to the full size.
- A doubtful candidate is scored again in enlarged and reduced cut-outs. A face keeps its score at every size; a dog, a
  flower or a headlight keeps it only at some sizes.
- Without a certain face, the photo may be turned: the detector runs in the other three orientations.

``weights/MODELS.md`` describes how the thresholds were chosen and how often they are right.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

from catalog.engines.local.yunet import SCORE, Floats, Pixels, drop_overlapping, reduced, run_yunet

_FIRST_SIDE = 640
"""Longer side of the first pass, in pixels. Amazon's smallest face, 40 pixels of 1,920, has 13 pixels at this size."""
_FURTHER_SIDES = (1280, 2048)
_TINY = 28
"""Candidates smaller than this, in pixels of the scaled image, require a pass at a larger size."""
_HINT = 0.25
"""Lowest score of a tiny candidate that requires a pass at a larger size."""
_FLOOR = 0.5
"""Candidates below this score are dropped without a second look."""
_SURE = 0.9
"""Candidates of at least this score need no second look."""
_LOOKS = ((32, 5.0), (48, 4.0), (64, 3.0), (112, 3.0), (96, 4.0))
"""Second looks: side of the face in pixels, and side of the cut-out in sides of the face. Cheap looks first."""
_LEAST, _MEAN = 0.45, 0.62
"""A doubtful candidate is a face if its lowest score is at least ``_LEAST`` and its mean score at least ``_MEAN``."""
_CHEAP_LOOKS, _CLEARLY = 3, 0.8
"""Looks end after this many if their mean reaches ``_CLEARLY`` and each reaches ``_FLOOR``. Of 1,138 candidates in LFW
and data/seed, 397 ended early; all five looks would have decided differently on one."""
_UPRIGHT = 98.0
"""Confidence of a face that shows that the photo is upright."""
_CONFIDENCE = ((0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0), (0.0, 50.0, 80.0, 90.0, 96.0, 99.0, 99.9, 100.0))
"""Mean score to confidence, 0 to 100."""


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


def detect_faces(pixels: Pixels) -> list[DetectedFace]:
    """Return the faces of an RGB image, largest first."""
    faces = _judge(pixels, _candidates(pixels))
    if not any(face.confidence >= _UPRIGHT for face in faces):
        faces = max(faces, *_detect_turned(pixels), key=_weight)
    return sorted(faces, key=lambda face: face.box[2] * face.box[3], reverse=True)


def _detect_turned(pixels: Pixels) -> Iterator[list[DetectedFace]]:
    """Yield the faces of each other orientation: upside down, then on either side."""
    for quarters in (2, 1, 3):
        turned = np.ascontiguousarray(np.rot90(pixels, quarters))
        small, factor = reduced(turned, _FIRST_SIDE)
        faces = _judge(turned, _scaled(run_yunet(small, _FLOOR), 1 / factor))
        yield [_turn_back(face, quarters, pixels.shape[1], pixels.shape[0]) for face in faces]


def _weight(faces: list[DetectedFace]) -> float:
    """Score an orientation: the more faces and the higher their confidence, the higher."""
    return sum(max(0.0, face.confidence - 80) for face in faces)


def _turn_back(face: DetectedFace, quarters: int, width: int, height: int) -> DetectedFace:
    """Map a face of an image turned by ``quarters`` counterclockwise to pixels of the original image."""
    left, top, across, down = face.box
    corners = np.array([[left, top], [left + across, top + down]], np.float32)
    points = np.concatenate([corners, face.landmarks])
    x, y = points[:, 0], points[:, 1]
    back = {1: (width - y, x), 2: (width - x, height - y), 3: (y, height - x)}[quarters]
    points = np.stack(back, axis=1).astype(np.float32)
    low, high = points[:2].min(axis=0), points[:2].max(axis=0)
    box = (float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1]))
    return DetectedFace(box, points[2:], face.confidence)


def _candidates(pixels: Pixels) -> Floats:
    """Return YuNet's candidates in pixels of the image. The smallest candidates decide the number of passes."""
    small, factor = reduced(pixels, _FIRST_SIDE)
    rows = run_yunet(small, _HINT)
    candidates = _scaled(rows, 1 / factor)
    for side in _FURTHER_SIDES:
        is_empty = side == _FURTHER_SIDES[0] and not (rows[:, SCORE] >= _FLOOR).any()
        if factor == 1.0 or not (is_empty or _has_tiny(rows)):
            break
        larger, factor = reduced(pixels, side)
        rows = run_yunet(larger, _HINT)
        # Large faces are taken from the smaller image: YuNet is weak on faces of many pixels.
        candidates = _merged(candidates, _scaled(rows, 1 / factor))
    return candidates[candidates[:, SCORE] >= _FLOOR]


def _has_tiny(rows: Floats) -> bool:
    return bool((np.sqrt(rows[:, 2] * rows[:, 3]) < _TINY).any())


def _merged(coarse: Floats, fine: Floats) -> Floats:
    """Merge the candidates of two sizes of one image. Of two candidates of one face, the higher score is kept."""
    return drop_overlapping(np.concatenate([coarse, fine]))


def _scaled(rows: Floats, factor: float) -> Floats:
    scaled = rows.copy()
    scaled[:, :SCORE] *= factor
    return scaled


def _judge(pixels: Pixels, rows: Floats) -> list[DetectedFace]:
    """Return the candidates that are faces."""
    faces = []
    for row in rows:
        score = float(row[SCORE])
        if score < _FLOOR:
            continue
        if score < _SURE:
            scores = [score, *_looks_needed(_second_looks(pixels, row))]
            score = float(np.mean(scores))
            if min(scores) < _LEAST or score < _MEAN:
                continue
        left, top, across, down = (float(v) for v in row[:4])
        confidence = float(np.interp(score, *_CONFIDENCE))
        faces.append(DetectedFace((left, top, across, down), row[4:SCORE].reshape(5, 2).copy(), confidence))
    return faces


def _looks_needed(looks: Iterator[float]) -> list[float]:
    """Return the scores of the looks taken: until one look fails, or the cheap looks agree clearly."""
    scores: list[float] = []
    for look in looks:
        scores.append(look)
        cheap = len(scores) == _CHEAP_LOOKS
        clear = cheap and min(scores) >= _FLOOR and sum(scores) >= _CHEAP_LOOKS * _CLEARLY
        if look < _LEAST or clear:
            break
    return scores


def _second_looks(pixels: Pixels, row: Floats) -> Iterator[float]:
    """Yield YuNet's score of the candidate in cut-outs of several sizes; 0 if YuNet sees no face there."""
    image = None
    x, y = float(row[0] + row[2] / 2), float(row[1] + row[3] / 2)
    side = float(max(row[2], row[3]))
    for face_side, context in _LOOKS:
        half = side * context / 2
        target = int(face_side * context)
        region, shift_x, shift_y = _region(pixels, x - half, y - half, 2 * half)
        image = Image.fromarray(region)
        factor = 2 * half / target
        blocks = max(1, int(factor))
        if blocks > 1:
            image = image.reduce(blocks)
        box = tuple(v / blocks for v in (shift_x, shift_y, shift_x + 2 * half, shift_y + 2 * half))
        cut = image.transform((target, target), Image.Transform.EXTENT, box, Image.Resampling.BILINEAR)
        candidates = _scaled(run_yunet(np.asarray(cut), 0.05), factor)
        candidates[:, 0] += x - half
        candidates[:, 1] += y - half
        yield max((float(c[SCORE]) for c in candidates if _overlap(row, c) > 0.3), default=0.0)


def _region(pixels: Pixels, left: float, top: float, side: float) -> tuple[Pixels, float, float]:
    """Return the part of an image that a square covers, and the square's corner in that part."""
    first_column, first_row = max(0, int(left) - 1), max(0, int(top) - 1)
    last_column, last_row = int(left + side) + 2, int(top + side) + 2
    region = np.ascontiguousarray(pixels[first_row:last_row, first_column:last_column])
    return region, left - first_column, top - first_row


def _overlap(a: Floats, b: Floats) -> float:
    low = np.maximum(a[:2], b[:2])
    high = np.minimum(a[:2] + a[2:4], b[:2] + b[2:4])
    inside = float(np.clip(high - low, 0, None).prod())
    return inside / max(float(a[2] * a[3] + b[2] * b[3]) - inside, 1e-9)

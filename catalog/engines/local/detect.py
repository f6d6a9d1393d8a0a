"""Find the faces of a photo: a first look at a modest size, and second looks wherever the first leaves a doubt.

- No face: the photo is looked at again at twice the size. Small faces: at up to its full size.
- A candidate that YuNet is not sure of is looked at again in enlarged and reduced cut-outs. A face stays a face at
  every size; a dog, a flower or a headlight does so at some only.
- Nothing sure at all: the photo may stand on its head or lie on its side, so the other three orientations are tried.

How the bars were found, and how often they are right, is in ``weights/MODELS.md``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

from catalog.engines.local.yunet import SCORE, Floats, Pixels, drop_overlapping, reduced, run_yunet

_FIRST_SIDE = 640
"""Longer side of the first look, in pixels: Amazon's smallest face, 40 pixels of 1,920, has 13 there."""
_FURTHER_SIDES = (1280, 2048)
_TINY = 28
"""Candidates smaller than this, in pixels of the image looked at, call for a look at a larger one."""
_HINT = 0.25
"""Score from which a tiny candidate is a reason to look closer."""
_FLOOR = 0.5
"""Score below which a candidate is given up at once."""
_SURE = 0.9
"""Score from which a candidate needs no second look."""
_LOOKS = ((32, 5.0), (48, 4.0), (64, 3.0), (112, 3.0), (96, 4.0))
"""Second looks: the face's side in pixels, and the cut-out's side in sides of the face; the cheap ones first."""
_LEAST, _MEAN = 0.45, 0.62
"""A doubtful candidate is a face when its lowest score in the looks taken reaches the one and their mean the other."""
_CHEAP_LOOKS, _CLEARLY = 3, 0.8
"""A candidate that so many looks show clearly on the average, each at ``_FLOOR`` or above, is not looked at further: of
1,138 in LFW and data/seed 397 were, and all looks decided otherwise on one."""
_UPRIGHT = 98.0
"""Confidence of a face that leaves no doubt that the photo stands upright."""
_CONFIDENCE = ((0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0), (0.0, 50.0, 80.0, 90.0, 96.0, 99.0, 99.9, 100.0))
"""Mean score to confidence, 0 to 100."""


@dataclass(frozen=True, slots=True, eq=False)
class DetectedFace:
    """A face in pixels of the array that was looked at; the border of a photo may cut it.

    ``box`` is (left, top, width, height). ``landmarks`` is float32 (5, 2), x and y: the eyes (first the one at the
    viewer's left when the face is upright), the tip of the nose, the corners of the mouth (same order).
    ``confidence`` is 0 to 100.
    """

    box: tuple[float, float, float, float]
    landmarks: Floats
    confidence: float

    @property
    def size(self) -> float:
        """The geometric mean of the box's width and height, in pixels."""
        return float(np.sqrt(self.box[2] * self.box[3]))


def detect_faces(pixels: Pixels) -> list[DetectedFace]:
    """The faces of an RGB image, largest first."""
    found = _judge(pixels, _candidates(pixels))
    if not any(face.confidence >= _UPRIGHT for face in found):
        found = max(found, *_detect_turned(pixels), key=_weight)
    return sorted(found, key=lambda face: face.box[2] * face.box[3], reverse=True)


def _detect_turned(pixels: Pixels) -> Iterator[list[DetectedFace]]:
    """The faces that show in each of the other orientations: on its head, then on either side."""
    for quarters in (2, 1, 3):
        turned = np.ascontiguousarray(np.rot90(pixels, quarters))
        small, factor = reduced(turned, _FIRST_SIDE)
        faces = _judge(turned, _scaled(run_yunet(small, _FLOOR), 1 / factor))
        yield [_turn_back(face, quarters, pixels.shape[1], pixels.shape[0]) for face in faces]


def _weight(faces: list[DetectedFace]) -> float:
    """How well an orientation explains a photo: many faces, and sure ones."""
    return sum(max(0.0, face.confidence - 80) for face in faces)


def _turn_back(face: DetectedFace, quarters: int, width: int, height: int) -> DetectedFace:
    """A face found in an image turned by quarters counterclockwise, in pixels of the image as it was."""
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
    """YuNet's candidates in pixels of the image, from as many sizes of it as its smallest faces call for."""
    small, factor = reduced(pixels, _FIRST_SIDE)
    rows = run_yunet(small, _HINT)
    found = _scaled(rows, 1 / factor)
    for side in _FURTHER_SIDES:
        unseen = side == _FURTHER_SIDES[0] and not (rows[:, SCORE] >= _FLOOR).any()
        if factor == 1.0 or not (unseen or _has_tiny(rows)):
            break
        larger, factor = reduced(pixels, side)
        rows = run_yunet(larger, _HINT)
        # What the smaller image showed well is taken from there: large faces are YuNet's weakness.
        found = _merged(found, _scaled(rows, 1 / factor))
    return found[found[:, SCORE] >= _FLOOR]


def _has_tiny(rows: Floats) -> bool:
    return bool((np.sqrt(rows[:, 2] * rows[:, 3]) < _TINY).any())


def _merged(coarse: Floats, fine: Floats) -> Floats:
    """Candidates of two sizes of one image, each face once: where both have it, the one with the higher score."""
    return drop_overlapping(np.concatenate([coarse, fine]))


def _scaled(rows: Floats, factor: float) -> Floats:
    scaled = rows.copy()
    scaled[:, :SCORE] *= factor
    return scaled


def _judge(pixels: Pixels, rows: Floats) -> list[DetectedFace]:
    """The candidates that are faces."""
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
    """Looks until one says no, or the cheap ones say yes so clearly that the others would."""
    scores: list[float] = []
    for look in looks:
        scores.append(look)
        cheap = len(scores) == _CHEAP_LOOKS
        clear = cheap and min(scores) >= _FLOOR and sum(scores) >= _CHEAP_LOOKS * _CLEARLY
        if look < _LEAST or clear:
            break
    return scores


def _second_looks(pixels: Pixels, row: Floats) -> Iterator[float]:
    """The score that YuNet gives to the candidate's place in cut-outs of different sizes; 0 where it sees nothing."""
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
        seen = run_yunet(np.asarray(cut), 0.05)
        seen = _scaled(seen, factor)
        seen[:, 0] += x - half
        seen[:, 1] += y - half
        yield max((float(other[SCORE]) for other in seen if _overlap(row, other) > 0.3), default=0.0)


def _region(pixels: Pixels, left: float, top: float, side: float) -> tuple[Pixels, float, float]:
    """The part of an image that a square covers, and the square's corner in it."""
    first_column, first_row = max(0, int(left) - 1), max(0, int(top) - 1)
    last_column, last_row = int(left + side) + 2, int(top + side) + 2
    region = np.ascontiguousarray(pixels[first_row:last_row, first_column:last_column])
    return region, left - first_column, top - first_row


def _overlap(a: Floats, b: Floats) -> float:
    low = np.maximum(a[:2], b[:2])
    high = np.minimum(a[:2] + a[2:4], b[:2] + b[2:4])
    inside = float(np.clip(high - low, 0, None).prod())
    return inside / max(float(a[2] * a[3] + b[2] * b[3]) - inside, 1e-9)

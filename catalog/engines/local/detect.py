"""Detect the faces of a photo: upright first, then in other orientations where a small pass shows a face.

- Without a face, the detector runs again at twice the size. With small faces, it runs at up to the full size.
- :mod:`.second_looks` decides on doubtful candidates.
- A small pass over the other three orientations finds faces that lie on their side or upside down, also beside
  upright ones. An orientation with such a face is searched at the full size.
- A small photo without a face is searched again with a border around it: a face may fill it.
- A photo longer than three times its shorter side (a panorama) is searched in overlapping tiles.

``weights/MODELS.md`` describes how the thresholds were chosen and how often they are right.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from catalog.engines.local.detected_face import DetectedFace, turned_back, without_duplicates
from catalog.engines.local.second_looks import find_filling_faces, verify
from catalog.engines.local.yunet import SCORE, Floats, Pixels, drop_overlapping, reduced, run_yunet, scaled

__all__ = ["DetectedFace", "detect_faces"]

_FIRST_SIDE = 640
"""Longer side of the first pass, in pixels. Amazon's smallest face, 40 pixels of 1,920, has 13 pixels at this size."""
_FURTHER_SIDES = (1280, 2048)
_TINY = 28
"""Candidates smaller than this, in pixels of the scaled image, require a pass at a larger size."""
_HINT = 0.25
"""Lowest score of a tiny candidate that requires a pass at a larger size."""
_FLOOR = 0.5
"""Candidates below this score are dropped without a second look."""
_UPRIGHT = 98.0
"""Confidence of a face that shows that the photo is upright. Without such a face all orientations are searched."""
_HINT_SIDES = (96, 320)
"""Lowest and highest longer side, in pixels, of the small pass over the orientations: half of the photo's."""
_HINT_OVERLAP = 0.3
"""Intersection over union above which faces of two orientations are the same face."""
_ELONGATED = 3.0
"""Longer side over shorter side from which a photo is searched in tiles."""


def detect_faces(pixels: Pixels) -> list[DetectedFace]:
    """Return the faces of an RGB image, largest first."""
    if max(pixels.shape[:2]) > _ELONGATED * min(pixels.shape[:2]):
        faces = without_duplicates(_detect_in_tiles(pixels))
    else:
        faces = _detect(pixels)
    return sorted(faces, key=lambda face: face.box[2] * face.box[3], reverse=True)


def _detect_in_tiles(pixels: Pixels) -> Iterator[DetectedFace]:
    """Yield the faces of overlapping tiles along the longer side; a face near a border may come twice.

    A tile is twice as long as the shorter side, and neighbors share a third of it. A tile contributes the faces whose
    center is at least half the shared part away from an inner border, so that the border cuts none of them.
    """
    is_wide = pixels.shape[1] >= pixels.shape[0]
    length, breadth = max(pixels.shape[:2]), min(pixels.shape[:2])
    shared = 2 * breadth // 3
    count = max(1, -(-(length - shared) // max(1, 2 * breadth - shared)))
    for index in range(count):
        start = round(index * (length - 2 * breadth) / max(1, count - 1))
        end = min(length, start + 2 * breadth)
        low = 0 if index == 0 else start + shared / 2
        high = length if index == count - 1 else end - shared / 2
        tile = pixels[:, start:end] if is_wide else pixels[start:end]
        for face in _detect(np.ascontiguousarray(tile)):
            moved = face.moved(start, 0) if is_wide else face.moved(0, start)
            center = moved.box[0] + moved.box[2] / 2 if is_wide else moved.box[1] + moved.box[3] / 2
            if low <= center <= high:
                yield moved


def _detect(pixels: Pixels) -> list[DetectedFace]:
    faces = verify(pixels, _candidates(pixels))
    is_upright = any(face.confidence >= _UPRIGHT for face in faces)
    orientations = _hinted_orientations(pixels) if is_upright else (2, 1, 3)
    turned = [face for quarters in orientations for face in _detect_turned(pixels, quarters)]
    return without_duplicates([*faces, *turned] or find_filling_faces(pixels))


def _detect_turned(pixels: Pixels, quarters: int) -> list[DetectedFace]:
    """Return the faces of the image turned by ``quarters`` counterclockwise, in pixels of the image."""
    turned = np.ascontiguousarray(np.rot90(pixels, quarters))
    small, factor = reduced(turned, _FIRST_SIDE)
    faces = verify(turned, scaled(run_yunet(small, _FLOOR), 1 / factor))
    return [turned_back(face, quarters, pixels.shape[1], pixels.shape[0]) for face in faces]


def _hinted_orientations(pixels: Pixels) -> list[int]:
    """Return the orientations (quarters counterclockwise) that show a face better than the upright image does.

    One small pass reads all four orientations side by side. A face of a turned orientation counts if no upright face
    overlaps it with an equal or higher score.
    """
    side = min(max(max(pixels.shape[:2]) // 2, _HINT_SIDES[0]), _HINT_SIDES[1])
    small, _ = reduced(pixels, side)
    rows, columns = small.shape[:2]
    turned = {quarters: np.rot90(small, quarters) for quarters in (0, 2, 1, 3)}
    montage = np.zeros((max(rows, columns), 2 * (columns + rows), 3), np.uint8)
    starts, start = {}, 0
    for quarters, image in turned.items():
        montage[: image.shape[0], start : start + image.shape[1]] = image
        starts[quarters] = start
        start += image.shape[1]
    upright: list[DetectedFace] = []
    hints: list[tuple[int, DetectedFace]] = []
    for row in run_yunet(montage, _FLOOR):
        center = max(0.0, float(row[0] + row[2] / 2))
        quarters = max((q for q in turned if starts[q] <= center), key=starts.__getitem__)
        box = (float(row[0]) - starts[quarters], float(row[1]), float(row[2]), float(row[3]))
        face = DetectedFace(box, row[4:SCORE].reshape(5, 2), float(row[SCORE]))
        if quarters:
            hints.append((quarters, turned_back(face, quarters, columns, rows)))
        else:
            upright.append(face)
    hinted = {
        quarters
        for quarters, hint in hints
        if all(face.overlap(hint.box) <= _HINT_OVERLAP or face.confidence < hint.confidence for face in upright)
    }
    return [quarters for quarters in turned if quarters in hinted]


def _candidates(pixels: Pixels) -> Floats:
    """Return YuNet's candidates in pixels of the image. The smallest candidates decide the number of passes."""
    small, factor = reduced(pixels, _FIRST_SIDE)
    rows = run_yunet(small, _HINT)
    candidates = scaled(rows, 1 / factor)
    for side in _FURTHER_SIDES:
        is_empty = side == _FURTHER_SIDES[0] and not (rows[:, SCORE] >= _FLOOR).any()
        if factor == 1.0 or not (is_empty or _has_tiny(rows)):
            break
        larger, factor = reduced(pixels, side)
        rows = run_yunet(larger, _HINT)
        # Large faces are taken from the smaller image: YuNet is weak on faces of many pixels.
        candidates = _merged(candidates, scaled(rows, 1 / factor))
    return candidates[candidates[:, SCORE] >= _FLOOR]


def _has_tiny(rows: Floats) -> bool:
    return bool((np.sqrt(rows[:, 2] * rows[:, 3]) < _TINY).any())


def _merged(coarse: Floats, fine: Floats) -> Floats:
    """Merge the candidates of two sizes of one image. Of two candidates of one face, the higher score is kept."""
    return drop_overlapping(np.concatenate([coarse, fine]))

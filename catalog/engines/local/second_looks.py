"""Second looks: score a doubtful candidate again in cut-outs of several sizes, and decide whether it is a face.

YuNet scores a face about equally at every size. A dog, a flower or a headlight keeps its score only at some sizes.
A tilted face scores low, so a cut-out is turned upright by the candidate's landmarks first. A large face with a mask
or without a border around it scores low in small cut-outs, so looks that reduce a face to less than half are left out.
A face that fills a small photo, as programs cut them out, scores low beside the black beyond the photo. It gets one
look with the photo's mean color there, and the face mesh must show a face, too.
``weights/MODELS.md`` describes how the thresholds were chosen and how often they are right.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from catalog.engines.local.align import similarity_transform, warp
from catalog.engines.local.detected_face import DetectedFace
from catalog.engines.local.mesh import locate_meshes
from catalog.engines.local.yunet import SCORE, Floats, Pixels, overlap, run_yunet

_FLOOR = 0.5
"""Candidates below this score are dropped without a second look."""
_SURE = 0.9
"""Candidates of at least this score need no second look."""
_LOOKS = ((32, 5.0), (48, 4.0), (64, 3.0), (112, 3.0), (96, 4.0))
"""Second looks: side of the face in pixels, and side of the cut-out in sides of the face. Cheap looks first."""
_MAX_REDUCTION = 2.0
_SMALLEST_REQUIRED_LOOK = 64
"""A look that reduces the face by more than ``_MAX_REDUCTION`` is left out, unless it has at least this many pixels."""
_LEAST, _MEAN = 0.45, 0.75
"""A doubtful candidate is a face if its lowest score is at least ``_LEAST`` and its mean score at least ``_MEAN``."""
_MEAN_OF_LARGE = 0.83
"""Lowest mean score of a candidate for which small looks are left out. A puppy seen from the front passes at 0.75."""
_CHEAP_LOOKS, _CLEARLY = 3, 0.8
"""Looks end after this many if their mean reaches ``_CLEARLY`` and each reaches ``_FLOOR``. Of 1,138 candidates in LFW
and data/seed, 397 ended early; all five looks would have decided differently on one."""
_LANDMARK_LOOK = 64
"""Landmarks and box are taken from looks of at least this many pixels: smaller cut-outs locate them less exactly."""
_FILLING = 0.4
"""Share of the photo from which a refused candidate fills the photo."""
_LARGEST_CUT_OUT = 400
"""Shorter side in pixels up to which a photo may be a program's cut-out of a face. Larger photos that an animal fills
would bring false faces."""
_BORDER = 0.4
"""Width of the border around a small photo without a face, in its shorter sides."""
_SMOOTHING = 1 / 48
"""Standard deviation of the smoothing of a small photo without a face, in its shorter sides."""
_FILLING_LOOK = (112, 3.0)


class _FillingRule(NamedTuple):
    """Lowest score of the look, and lowest face probability of the mesh, of a candidate that fills the photo."""

    score: float
    presence: float


_PLAIN, _SMOOTH = _FillingRule(0.7, 0.5), _FillingRule(0.65, 0.98)
"""Smoothing lets an animal's face look more like a person's, so the mesh must be surer of a smoothed photo."""
_CONFIDENCE = ((0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0), (0.0, 50.0, 80.0, 90.0, 96.0, 99.0, 99.9, 100.0))
"""Mean score to confidence, 0 to 100."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """The result of one second look: YuNet's score, 0 if it finds no face, and its row in pixels of the photo."""

    side: int
    score: float
    row: Floats | None


def verify(pixels: Pixels, rows: Floats) -> list[DetectedFace]:
    """Return the candidates of :func:`run_yunet` that are faces. ``rows`` are in pixels of ``pixels``."""
    faces = []
    for row in rows:
        score = float(row[SCORE])
        if score < _FLOOR:
            continue
        if score < _SURE:
            looks = looks_needed(second_looks(pixels, row))
            scores = [score, *(look.score for look in looks)]
            score = float(np.mean(scores))
            least_mean = _MEAN_OF_LARGE if len(_looks_for(_side_of(row))) < len(_LOOKS) else _MEAN
            if min(scores) < _LEAST or score < least_mean:
                filling = _filling_face(pixels, row)
                if filling is not None:
                    faces.append(filling)
                continue
            row = _best_row(row, looks)
        faces.append(_face_of(row, score))
    return faces


def _face_of(row: Floats, score: float) -> DetectedFace:
    left, top, across, down = (float(v) for v in row[:4])
    landmarks = row[4:SCORE].reshape(5, 2).astype(np.float32)
    return DetectedFace((left, top, across, down), landmarks, confidence_of(score))


def find_filling_faces(pixels: Pixels) -> list[DetectedFace]:
    """Return the faces that fill a small photo without other faces.

    YuNet finds some only with a border around them, and some only in a smoothed photo: hard edges of enlarged pixels
    and of clipped whites disturb it.
    """
    if not _is_small(pixels):
        return []
    return _faces_in_border(pixels, _PLAIN) or _faces_in_border(_smoothed(pixels), _SMOOTH)


def _faces_in_border(pixels: Pixels, rule: _FillingRule) -> list[DetectedFace]:
    rows, columns = pixels.shape[:2]
    border = int(_BORDER * min(rows, columns))
    framed = np.empty((rows + 2 * border, columns + 2 * border, 3), np.uint8)
    framed[:] = _mean_color(pixels)
    framed[border : border + rows, border : border + columns] = pixels
    candidates = run_yunet(framed, _FLOOR)
    candidates[:, [0, 1, *range(4, SCORE)]] -= border
    faces = (_filling_face(pixels, row, rule) for row in candidates)
    return [face for face in faces if face is not None]


def _smoothed(pixels: Pixels) -> Pixels:
    radius = _SMOOTHING * min(pixels.shape[:2])
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(radius)))


def _is_small(pixels: Pixels) -> bool:
    return bool(min(pixels.shape[:2]) <= _LARGEST_CUT_OUT)


def _mean_color(pixels: Pixels) -> tuple[int, int, int]:
    red, green, blue = (round(float(value)) for value in pixels.reshape(-1, 3).mean(axis=0))
    return red, green, blue


def _filling_face(pixels: Pixels, row: Floats, rule: _FillingRule = _PLAIN) -> DetectedFace | None:
    """Return the face of a refused candidate that fills a small photo, or None if it is no face."""
    if not _is_small(pixels):
        return None
    rows, columns = pixels.shape[:2]
    left, top, across, down = (float(v) for v in row[:4])
    inside_width = min(left + across, columns) - max(left, 0.0)
    inside_height = min(top + down, rows) - max(top, 0.0)
    if max(inside_width, 0.0) * max(inside_height, 0.0) < _FILLING * rows * columns:
        return None
    (mesh,) = locate_meshes(pixels, [_face_of(row, float(row[SCORE]))])
    if mesh.presence < rule.presence:
        return None
    look = _look_at(pixels, row, *_FILLING_LOOK, fill=_mean_color(pixels))
    if look.row is None or look.score < rule.score:
        return None
    return _face_of(look.row, look.score)


def confidence_of(score: float) -> float:
    """Return the confidence, 0 to 100, of a mean score."""
    return float(np.interp(score, *_CONFIDENCE))


def _best_row(row: Floats, looks: list[Look]) -> Floats:
    """Return the row of the look with the highest score, or the candidate's own row if no look is large enough."""
    large = [look for look in looks if look.row is not None and look.side >= _LANDMARK_LOOK]
    best = max(large, key=lambda look: look.score, default=None)
    return row if best is None or best.row is None else best.row


def looks_needed(looks: Iterator[Look]) -> list[Look]:
    """Return the looks taken: until one look fails, or the cheap looks agree clearly."""
    needed: list[Look] = []
    for look in looks:
        needed.append(look)
        scores = [look.score for look in needed]
        is_clear = len(scores) == _CHEAP_LOOKS and min(scores) >= _FLOOR and sum(scores) >= _CHEAP_LOOKS * _CLEARLY
        if look.score < _LEAST or is_clear:
            break
    return needed


def second_looks(pixels: Pixels, row: Floats) -> Iterator[Look]:
    """Score a candidate in upright cut-outs of several sizes, cheap looks first."""
    for face_side, context in _looks_for(_side_of(row)):
        yield _look_at(pixels, row, face_side, context)


def _look_at(
    pixels: Pixels, row: Floats, face_side: int, context: float, fill: tuple[int, int, int] = (0, 0, 0)
) -> Look:
    """Score a candidate in one upright cut-out. ``context`` is its side in sides of the face."""
    center = np.array([row[0] + row[2] / 2, row[1] + row[3] / 2], np.float64)
    upright = similarity_transform(row[4:SCORE].reshape(5, 2))
    turn = upright[:, :2] / max(float(np.hypot(upright[0, 0], upright[1, 0])), 1e-9)
    target = int(face_side * context)
    scale = face_side / _side_of(row)
    transform = np.empty((2, 3))
    transform[:, :2] = scale * turn
    transform[:, 2] = target / 2 - transform[:, :2] @ center
    return _take(warp(pixels, transform, target, fill=fill), transform, face_side, _upright_size(row, turn) * scale)


def _side_of(row: Floats) -> float:
    return float(max(row[2], row[3]))


def _looks_for(side: float) -> list[tuple[int, float]]:
    """Return the looks at a face of ``side`` pixels: those that do not reduce it too much."""
    return [
        (face_side, context)
        for face_side, context in _LOOKS
        if face_side >= _SMALLEST_REQUIRED_LOOK or face_side * _MAX_REDUCTION >= side
    ]


def _take(cut_out: Pixels, transform: NDArray[np.float64], side: int, size: NDArray[np.float64]) -> Look:
    candidates = run_yunet(cut_out, 0.05)
    expected = np.array([*(len(cut_out) / 2 - size / 2), *size], np.float32)
    overlapping = [candidate for candidate in candidates if overlap(expected, candidate) > 0.3]
    if not overlapping:
        return Look(side, 0.0, None)
    best = max(overlapping, key=lambda candidate: float(candidate[SCORE]))
    return Look(side, float(best[SCORE]), _row_in_photo(best, transform))


def _upright_size(row: Floats, turn: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return width and height of a candidate's box after a turn: swapped at 90 degrees, mixed between."""
    share = float(turn[1, 0]) ** 2
    width, height = float(row[2]), float(row[3])
    return np.array([width * (1 - share) + height * share, height * (1 - share) + width * share])


def _row_in_photo(row: Floats, transform: NDArray[np.float64]) -> Floats:
    """Map a candidate of a cut-out to pixels of the photo."""
    back = np.linalg.inv(np.vstack([transform, [0, 0, 1]]))[:2]
    scale = float(np.hypot(back[0, 0], back[1, 0]))
    center = back[:, :2] @ (row[:2] + row[2:4] / 2) + back[:, 2]
    size = _upright_size(row, back[:, :2] / scale) * scale
    points = row[4:SCORE].reshape(5, 2) @ back[:, :2].T + back[:, 2]
    return np.concatenate([center - size / 2, size, points.reshape(-1), row[SCORE:]]).astype(np.float32)

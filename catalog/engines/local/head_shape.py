"""Place Amazon's 30 landmarks by the detector's five points, where the mesh finds no face, for example on a profile.

A mean head is turned, scaled and moved so that its eyes, nose and mouth lie on the five points (weak perspective). The
other landmarks are those of the mean head.
"""

from __future__ import annotations

import json
from functools import cache

import numpy as np
from numpy.typing import NDArray

from catalog.engines.local.networks import WEIGHTS, read_checked

FIVE = ("eyeLeft", "eyeRight", "nose", "mouthLeft", "mouthRight")


def place_landmarks(five: NDArray[np.floating]) -> dict[str, tuple[float, float]]:
    """Return the 30 landmarks by name, x and y in pixels. ``five`` are the points of :data:`FIVE`, (5, 2), in pixels.

    The five landmarks themselves are returned unchanged.
    """
    names, shape = _shape()
    model_points = shape[[names.index(name) for name in FIVE]]
    points = five.astype(np.float64)
    camera = _camera(model_points - model_points.mean(axis=0), points - points.mean(axis=0))
    placed = (shape - model_points.mean(axis=0)) @ camera + points.mean(axis=0)
    landmarks = {name: (float(x), float(y)) for name, (x, y) in zip(names, placed, strict=True)}
    landmarks |= {name: (float(x), float(y)) for name, (x, y) in zip(FIVE, points, strict=True)}
    return landmarks


def _camera(model_points: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the matrix (3, 2) from the head to the photo: two rows of a rotation, times a scale."""
    affine = np.linalg.pinv(model_points) @ points
    left, stretch, right = np.linalg.svd(affine, full_matrices=False)
    return np.asarray(left @ right * stretch.mean())


@cache
def _shape() -> tuple[list[str], NDArray[np.float64]]:
    table: dict[str, list[float]] = json.loads(read_checked("head_shape.json", WEIGHTS))
    return list(table), np.array(list(table.values()), np.float64)

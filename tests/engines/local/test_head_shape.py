"""Landmarks of faces without a mesh, placed by the detector's five points."""

from __future__ import annotations

import numpy as np
import pytest

from catalog.engines.local.detect import detect_faces
from catalog.engines.local.head_shape import FIVE, place_landmarks
from catalog.engines.local.landmark_refinement import refine_landmarks
from catalog.engines.local.mesh import CENTERS
from tests.engines.local.conftest import portrait


@pytest.mark.parametrize("name", ["astronaut", "biden", "obama_1"])
def test_landmarks_are_near_those_of_the_mesh(name):
    """On portraits with a mesh, both ways agree within 0.4 distances of the eyes, on average within 0.16."""
    pixels = np.asarray(portrait(name))
    face = detect_faces(pixels)[0]
    _, (mesh, *_) = refine_landmarks(pixels, [face])
    placed, measured = place_landmarks(face.landmarks), mesh.landmarks()
    assert list(placed) == list(CENTERS)
    eyes = np.hypot(*(face.landmarks[1] - face.landmarks[0]))
    distances = np.array([np.hypot(*np.subtract(placed[key], measured[key])) for key in CENTERS]) / eyes
    assert distances.mean() < 0.16
    assert distances.max() < 0.4


def test_the_five_points_stay():
    """The landmarks that the detector gives are returned unchanged."""
    five = np.array([[10, 10], [40, 12], [24, 30], [14, 44], [37, 45]], np.float32)
    placed = place_landmarks(five)
    assert [placed[name] for name in FIVE] == [tuple(point) for point in five.astype(float).tolist()]


@pytest.mark.parametrize("degrees", [-70, -40, 0, 40, 70])
def test_a_turned_head_is_recovered(degrees):
    """Five points of a head turned to the side give the other landmarks of the turned head."""
    from catalog.engines.local.head_shape import _shape

    names, shape = _shape()
    turn = np.radians(degrees)
    axes = np.array([[np.cos(turn), 0, np.sin(turn)], [0, 1, 0]])
    turned = shape @ axes.T * 80 + [200, 150]
    placed = place_landmarks(turned[[names.index(name) for name in FIVE]].astype(np.float32))
    distances = [np.hypot(*np.subtract(placed[name], point)) for name, point in zip(names, turned, strict=True)]
    assert max(distances) < 1


def test_five_equal_points_give_finite_landmarks():
    """Degenerate points raise nothing."""
    placed = place_landmarks(np.full((5, 2), 7.0, np.float32))
    assert np.isfinite(list(placed.values())).all()

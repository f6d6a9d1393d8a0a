"""Open eyes, closed eyes, winks and the direction of the eyes."""

from __future__ import annotations

import numpy as np
import pytest

from catalog.engines.local.attribute_values import read_boolean
from catalog.engines.local.detect import detect_faces
from catalog.engines.local.eyes import CORNERS, EYE_SIDE, EyeReading, crop_eyes, read_eyes
from catalog.engines.local.landmark_refinement import refine_landmarks
from catalog.engines.local.mesh import FaceMesh
from tests.engines.local.conftest import portrait

LIDS = ((33, 246, 161, 160, 159, 158, 157, 173, 133), (33, 7, 163, 144, 145, 153, 154, 155, 133))
"""Mesh points of the upper and the lower lid of the eye at the viewer's left, from left to right."""
RIGHT_LIDS = ((362, 398, 384, 385, 386, 387, 388, 466, 263), (362, 382, 381, 380, 374, 373, 390, 249, 263))


def located(name: str) -> tuple[np.ndarray, FaceMesh]:
    pixels = np.asarray(portrait(name))
    return pixels, mesh_of(pixels)


def mesh_of(pixels: np.ndarray) -> FaceMesh:
    _, (mesh, *_) = refine_landmarks(pixels, detect_faces(pixels)[:1])
    return mesh


def reading_of(pixels: np.ndarray) -> EyeReading:
    (reading,) = read_eyes(pixels, [mesh_of(pixels)])
    return reading


def closed(pixels: np.ndarray, mesh: FaceMesh, *eyes: int) -> np.ndarray:
    """Pull the upper lid over the eye: every column of the opening shows the skin above it, with a dark lash line."""
    changed = pixels.copy()
    for upper, lower in (((LIDS), (RIGHT_LIDS))[eye] for eye in eyes):
        top, bottom = mesh.points[list(upper), :2], mesh.points[list(lower), :2]
        left, right = int(np.ceil(top[0, 0])), int(top[-1, 0])
        lift = 1.1 * float((bottom[:, 1] - top[:, 1]).max())
        for x in range(left, right + 1):
            start, end = np.interp(x, top[:, 0], top[:, 1]) - 1, np.interp(x, bottom[:, 0], bottom[:, 1]) + 1
            if end - start < 1:
                continue
            rows = np.arange(int(start), int(np.ceil(end)) + 1)
            share = (rows - start) / max(end - start, 1e-6)
            source = np.clip(start - lift * (1 - share) - 1, 0, pixels.shape[0] - 1).astype(int)
            changed[rows, x] = pixels[source, x]
            lash = int(np.ceil(end))
            changed[lash : lash + max(1, int(lift / 8)), x] = (pixels[lash, x] * 0.45).astype(np.uint8)
    return changed


def confidence_of_open(reading: EyeReading) -> float:
    value = read_boolean("eyes_open", reading.is_open)
    return value.confidence if value.value else 100 - value.confidence


@pytest.mark.parametrize("name", ["astronaut", "biden", "obama_1", "obama_2"])
def test_open_eyes_of_portraits(name):
    """Both eyes are open."""
    pixels, mesh = located(name)
    (reading,) = read_eyes(pixels, [mesh])
    assert confidence_of_open(reading) > 80


@pytest.mark.parametrize("name", ["astronaut", "obama_1"])
def test_closed_eyes_are_not_open(name):
    """Lids pulled over both eyes: open with less than even odds."""
    pixels, mesh = located(name)
    assert confidence_of_open(reading_of(closed(pixels, mesh, 0, 1))) < 50


@pytest.mark.parametrize("eye", [0, 1])
def test_a_wink_is_uncertain(eye):
    """With one closed eye the confidence is far from that of two open eyes."""
    pixels, mesh = located("astronaut")
    open_eyes, wink = reading_of(pixels), reading_of(closed(pixels, mesh, eye))
    assert 10 < confidence_of_open(wink) < 90
    assert wink.is_open < open_eyes.is_open - 2


def test_crops_show_eyes_alike():
    """The eye at the viewer's right is mirrored: both crops of a face and of its mirror image are exchanged."""
    pixels, mesh = located("astronaut")
    flipped = np.ascontiguousarray(pixels[:, ::-1])
    points = mesh.points.copy()
    points[:, 0] = pixels.shape[1] - 1 - points[:, 0]
    (first_left, first_right), (second_left, second_right) = CORNERS
    swapped = points.copy()
    swapped[[first_left, first_right]] = points[[second_right, second_left]]
    swapped[[second_left, second_right]] = points[[first_right, first_left]]
    crops, mirrored = crop_eyes(pixels, mesh), crop_eyes(flipped, FaceMesh(swapped, mesh.presence))
    assert crops.shape == (2, EYE_SIDE, EYE_SIDE)
    assert np.abs(crops.astype(int) - mirrored[::-1]).mean() < 6


def test_directions_are_finite_and_mirror():
    """A portrait that looks at the camera has moderate angles; no face gives no reading."""
    pixels, mesh = located("biden")
    (reading,) = read_eyes(pixels, [mesh])
    assert abs(reading.yaw) < 35
    assert abs(reading.pitch) < 40
    assert 0 <= reading.agreement <= 0.8
    assert read_eyes(pixels, []) == []

"""Alignment: the transform is the least-squares one, and pixels are sampled as OpenCV samples them."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from catalog.engines.local.align import SIDE, TEMPLATE, align_faces, similarity_transform, warp
from tests.engines.local.conftest import portrait


def bilinear(pixels: np.ndarray, transform: np.ndarray, side: int) -> np.ndarray:
    """Compute ``cv2.warpAffine`` as documented, in floating point: black outside, blended at the border."""
    inverse = np.linalg.inv(np.vstack([transform, [0, 0, 1]]))[:2]
    y, x = np.mgrid[:side, :side]
    source_x, source_y = np.einsum("ij,jkl->ikl", inverse, np.stack([x, y, np.ones_like(x)]).astype(float))
    left, top = np.floor(source_x).astype(int), np.floor(source_y).astype(int)
    square = np.zeros((side, side, 3))
    for row in (0, 1):
        for column in (0, 1):
            weight = (1 - abs(source_x - left - column)) * (1 - abs(source_y - top - row))
            r, c = top + row, left + column
            inside = (r >= 0) & (r < pixels.shape[0]) & (c >= 0) & (c < pixels.shape[1])
            square[inside] += (weight[..., None] * 1.0)[inside] * pixels[r[inside], c[inside]]
    return square


@pytest.mark.parametrize("degrees", [0, 17, 90, 180, -60])
@pytest.mark.parametrize("scale", [0.4, 1.0, 1.7])
def test_the_transform_undoes_rotation_scale_and_shift(degrees, scale):
    """A turned and scaled template is mapped back to the template exactly."""
    turn = np.radians(degrees)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    points = scale * TEMPLATE @ rotation.T + [300, 40]
    transform = similarity_transform(points)
    np.testing.assert_allclose(points @ transform[:, :2].T + transform[:, 2], TEMPLATE, atol=1e-9)


def test_the_transform_is_the_least_squares_one():
    """No small change of its four numbers reduces the distance to the template."""
    random = np.random.default_rng(3)
    points = TEMPLATE * 2 + random.normal(0, 6, TEMPLATE.shape)
    best = similarity_transform(points)

    def distance(a: float, b: float, x: float, y: float) -> float:
        moved = points @ np.array([[a, -b], [b, a]]).T + [x, y]
        return float(((moved - TEMPLATE) ** 2).sum())

    at_best = distance(best[0, 0], best[1, 0], best[0, 2], best[1, 2])
    for change in random.normal(0, 1e-3, (50, 4)):
        numbers = np.array([best[0, 0], best[1, 0], best[0, 2], best[1, 2]]) + change
        assert distance(*numbers) >= at_best


@pytest.mark.parametrize("degrees", [0, 12, -35, 178])
def test_pixels_are_sampled_where_opencv_samples_them(degrees):
    """The result is within one gray level of exact bilinear sampling inside the photo."""
    pixels = np.asarray(portrait("obama_1"))
    turn, scale = np.radians(degrees), 1.3
    middle = np.array([340.0, 160.0])
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    points = (TEMPLATE - 56) @ rotation.T * scale + middle
    transform = similarity_transform(points)
    warped = warp(pixels, transform).astype(float)
    exact = bilinear(pixels, transform, SIDE)
    assert np.abs(warped - exact).max() < 1.01


def test_outside_the_photo_is_black():
    """A face cut by the border is filled with black."""
    pixels = np.full((80, 80, 3), 200, np.uint8)
    transform = similarity_transform(TEMPLATE - np.array([60, 0]))
    square = warp(pixels, transform)
    assert (square[:, :50] == 0).all()
    assert (square[10:70, 70:110] == 200).all()
    assert (warp(pixels, similarity_transform(TEMPLATE + np.array([500, 0]))) == 0).all()


def test_outside_the_photo_another_color_can_be_chosen():
    """Also if the whole square is outside."""
    pixels = np.full((40, 40, 3), 200, np.uint8)
    half_outside = np.array([[1.0, 0.0, 20.0], [0.0, 1.0, 0.0]])
    square = warp(pixels, half_outside, 40, fill=(10, 20, 30))
    assert square[20, 5].tolist() == [10, 20, 30]
    assert square[20, 35].tolist() == [200, 200, 200]
    far_away = np.array([[1.0, 0.0, 500.0], [0.0, 1.0, 0.0]])
    assert (warp(pixels, far_away, 40, fill=(10, 20, 30)) == [10, 20, 30]).all()


def test_a_huge_face_is_averaged_and_not_sampled():
    """Fine texture becomes an even gray instead of noise."""
    random = np.random.default_rng(1)
    pixels = random.integers(0, 256, (1200, 1200, 3), np.uint8)
    square = warp(pixels, similarity_transform(TEMPLATE * 10 + 20))
    assert square[4:-4, 4:-4].std() < 20


def test_no_faces_give_no_squares():
    """An empty batch has the shape of a batch."""
    assert align_faces(np.asarray(Image.new("RGB", (9, 9))), []).shape == (0, SIDE, SIDE, 3)

"""A cut-out shows the face with some room around it."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from catalog.domain.faces import BoundingBox
from catalog.domain.opened_photo import OpenedPhoto
from catalog.images.crop import cut_out


def photo(width: int, height: int) -> OpenedPhoto:
    """Red grows to the right, green downwards."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[:, :, 0] = np.linspace(0, 255, width, dtype=np.uint8)
    pixels[:, :, 1] = np.linspace(0, 255, height, dtype=np.uint8)[:, None]
    return OpenedPhoto(pixels, width, height, "PNG")


def opened(data: bytes) -> Image.Image:
    image = Image.open(BytesIO(data))
    assert image.format == "JPEG"
    return image


def test_the_cut_out_is_a_square_with_the_face_in_its_middle() -> None:
    """A box of 80 x 100 with 50 % around it is a square of 200."""
    data = cut_out(photo(1000, 800), BoundingBox(0.46, 0.4375, 0.08, 0.125), padding=0.5, side=1000)
    image = opened(data)
    assert image.size == (200, 200)
    red, green, _ = (int(value) for value in np.asarray(image)[100, 100])
    assert abs(red - 127) <= 4
    assert abs(green - 127) <= 4


def test_a_large_cut_out_is_reduced() -> None:
    """A contact sheet does not need twelve megapixels."""
    assert opened(cut_out(photo(3000, 3000), BoundingBox(0.2, 0.2, 0.5, 0.5), side=256)).size == (256, 256)


@pytest.mark.parametrize("box", [
    BoundingBox(-0.05, -0.05, 0.1, 0.1),
    BoundingBox(0.95, 0.95, 0.1, 0.1),
    BoundingBox(0.95, -0.05, 0.1, 0.1),
])  # fmt: skip
def test_at_the_border_the_square_is_moved_inwards(box: BoundingBox) -> None:
    """It shows more of the photo, and nothing that is not photo."""
    assert opened(cut_out(photo(1000, 1000), box, padding=0.5, side=400)).size == (200, 200)


def test_a_cut_out_is_never_larger_than_the_photo() -> None:
    """Of a narrow photo it is as wide as that."""
    assert opened(cut_out(photo(100, 400), BoundingBox(0.1, 0.1, 0.8, 0.3), padding=1, side=500)).size == (100, 360)


@pytest.mark.parametrize("box", [BoundingBox(0.5, 0.5, 1e-6, 1e-6), BoundingBox(-1, -1, 3, 3), BoundingBox(5, 5, 1, 1)])
def test_no_box_makes_it_fail(box: BoundingBox) -> None:
    """Boxes come from networks and from strangers' sidecars."""
    assert min(opened(cut_out(photo(50, 40), box)).size) >= 1

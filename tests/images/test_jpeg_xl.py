"""JPEG XL: size by the header, pixels of every kind, metadata of the container."""

from __future__ import annotations

import imagecodecs
import numpy as np
import pytest

from catalog.domain.errors import PhotoError
from catalog.images.decode import DecodeLimits, open_image
from catalog.images.jpeg_xl import size_of
from tests.images.painting import BLUE, GREEN, RED, YELLOW, have_colors, quarters, shown


@pytest.mark.parametrize("size", [(1, 1), (7, 9), (64, 64), (640, 480), (1000, 3000), (300, 300), (1920, 1080)])
@pytest.mark.parametrize("container", [False, True])
def test_the_size_is_in_the_header(size: tuple[int, int], container: bool) -> None:
    pixels = np.zeros((size[1], size[0], 3), np.uint8)
    data = imagecodecs.jpegxl_encode(pixels, usecontainer=container, effort=1)  # the header is the same, in less time
    assert size_of(data) == size


@pytest.mark.parametrize("kind", ["uint8", "uint16", "float32", "gray", "alpha"])
def test_pixels_of_every_kind_open(kind: str) -> None:
    pixels = np.asarray(quarters())
    if kind == "uint16":
        pixels = pixels.astype(np.uint16) * 257
    elif kind == "float32":
        pixels = pixels.astype(np.float32) / 255
    elif kind == "gray":
        pixels = np.ascontiguousarray(pixels[:, :, 0])
    elif kind == "alpha":
        pixels = np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)])
    photo = open_image(imagecodecs.jpegxl_encode(pixels, lossless=True))
    assert (photo.width, photo.height, photo.format) == (96, 64, "JPEGXL")
    if kind == "gray":
        assert photo.pixels.shape == (64, 96, 3)
    else:
        assert have_colors(shown(photo), [RED, GREEN, BLUE, YELLOW])


def test_the_limit_on_pixels_holds_before_decoding() -> None:
    data = imagecodecs.jpegxl_encode(np.zeros((100, 100, 3), np.uint8))
    with pytest.raises(PhotoError, match="more than the limit"):
        open_image(data, limits=DecodeLimits(max_pixels=9_999))


@pytest.mark.parametrize("data", [b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n", b"\0\0\0\x0cJXL \r\n\x87\n\0\0\0\x01jxlc"])
def test_a_damaged_header_is_an_error_of_the_photo(data: bytes) -> None:
    with pytest.raises(PhotoError, match="JPEGXL"):
        open_image(data)

"""The perceptual hash: near for re-encodes of a real portrait, far for other portraits."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from catalog.images.decode import open_image
from catalog.images.image_hash import image_hash
from catalog.scanning.similar_images import SIMILAR_BITS

PORTRAITS = Path(__file__).parents[1] / "fixtures"


def bits_between(one: str | None, other: str | None) -> int:
    assert one is not None
    assert other is not None
    return (int(one, 16) ^ int(other, 16)).bit_count()


def hash_of(image: Image.Image) -> str | None:
    return image_hash(np.array(image.convert("RGB")))


@pytest.mark.parametrize("name", ["obama_1.jpg", "biden.jpg", "astronaut.jpg"])
def test_a_smaller_copy_is_near(name: str) -> None:
    """Half the size, at a low quality, as messengers send it; also in gray."""
    original = Image.open(PORTRAITS / name)
    copy = BytesIO()
    original.resize((original.width // 2, original.height // 2)).save(copy, "JPEG", quality=50)
    opened = open_image((PORTRAITS / name).read_bytes()).image_hash
    assert bits_between(opened, hash_of(Image.open(copy))) <= SIMILAR_BITS
    assert bits_between(opened, hash_of(original.convert("L"))) <= SIMILAR_BITS


def test_photos_of_one_man_are_far() -> None:
    """The hash compares images, not people."""
    one, two, three = (hash_of(Image.open(PORTRAITS / f"obama_{number}.jpg")) for number in (1, 2, 3))
    assert min(bits_between(one, two), bits_between(one, three), bits_between(two, three)) > 2 * SIMILAR_BITS


def test_a_blank_image_has_no_hash() -> None:
    """Two empty walls would be one photo."""
    assert hash_of(Image.new("RGB", (300, 200), (200, 200, 200))) is None
    assert hash_of(Image.effect_noise((300, 200), 2)) is None


def test_a_thin_image_has_a_hash() -> None:
    """One pixel high."""
    ramp = np.tile(np.arange(256, dtype=np.uint8)[None, :, None], (1, 1, 3))
    assert len(image_hash(ramp) or "") == 64

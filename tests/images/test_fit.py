"""A fitted image stays within the engine's limits, and boxes are mapped back to the photo."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from catalog.domain.faces import BoundingBox
from catalog.domain.opened_photo import OpenedPhoto
from catalog.images.decode import open_image
from catalog.images.fit import Fitted, ImageLimits, Placement, Unfit, fit
from tests.images.painting import BLUE, GREEN, RED, YELLOW, have_colors, noise, quarters, shown, written

FIXTURES = Path(__file__).parent / "fixtures"
LIMITS = ImageLimits(max_bytes=5_242_880, max_side=10_000, min_side=80, min_face=50)
SMALL = ImageLimits(max_bytes=60_000, max_side=600, min_side=80, min_face=50)


def fitted(photo: OpenedPhoto, limits: ImageLimits = LIMITS) -> Fitted:
    result = fit(photo, limits)
    assert isinstance(result, Fitted)
    sent = Image.open(BytesIO(result.data))
    assert sent.format in ("JPEG", "PNG")
    assert len(result.data) <= limits.max_bytes
    assert max(sent.size) <= limits.max_side
    assert min(sent.size) >= limits.min_side
    return result


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_an_acceptable_photo_goes_out_byte_for_byte(kind: str) -> None:
    """Nothing is gained by writing it anew."""
    data = written(quarters(200, 150), kind)
    result = fitted(open_image(data))
    assert result == Fitted(data, Placement(), 1.0, is_original=True)


@pytest.mark.parametrize(("mode", "is_original"), [("P", False), ("I;16", False), ("L", True), ("RGBA", True)])
def test_palette_and_16_bit_pngs_are_converted(mode: str, is_original: bool) -> None:
    """Not every reader converts such PNGs. Other PNGs are sent unchanged."""
    if mode == "I;16":
        image = Image.fromarray(np.full((150, 200), 40_000, np.uint16))
    else:
        image = Image.new("RGB", (200, 150), (200, 30, 30)).convert(mode)
    data = written(image, "PNG")
    result = fitted(open_image(data))
    assert result.is_original is is_original
    with Image.open(BytesIO(result.data)) as sent:
        assert sent.mode == (mode if is_original else "RGB")


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_a_turned_jpeg_goes_out_as_it_is(orientation: int) -> None:
    """The service turns it by EXIF, and answers in the upright frame, as catalogued."""
    exif = Image.Exif()
    exif[274] = orientation
    assert fitted(open_image(written(quarters(200, 150), "JPEG", exif=exif.tobytes()))).is_original


@pytest.mark.parametrize(("kind", "orientation"), [("PNG", 6), ("JPEG", 2), ("JPEG", 5)])
def test_a_turn_that_the_service_may_not_apply_is_baked_in(kind: str, orientation: int) -> None:
    """PNG's EXIF, and mirrored pictures."""
    exif = Image.Exif()
    exif[274] = orientation
    photo = open_image(written(quarters(200, 150), kind, exif=exif.tobytes()))
    result = fitted(photo)
    assert not result.is_original
    sent = open_image(result.data)
    assert sent.orientation == 1
    assert (sent.width, sent.height) == (photo.width, photo.height)
    assert have_colors(shown(sent), shown(photo), tolerance=25)


@pytest.mark.parametrize("kind", ["WEBP", "TIFF", "GIF", "AVIF"])
def test_another_format_is_written_as_jpeg_of_the_same_size(kind: str) -> None:
    """In sRGB, of all its pixels."""
    result = fitted(open_image(written(quarters(200, 150), kind)))
    sent = open_image(result.data)
    assert (sent.width, sent.height, sent.format) == (200, 150, "JPEG")
    assert have_colors(shown(sent), [RED, GREEN, BLUE, YELLOW], tolerance=20)
    assert result.scale == 1


def test_a_cmyk_jpeg_is_written_anew() -> None:
    """Only RGB is promised to work."""
    result = fitted(open_image(written(quarters(200, 150).convert("CMYK"), "JPEG")))
    assert Image.open(BytesIO(result.data)).mode == "RGB"


def test_too_many_bytes_cost_quality_before_size() -> None:
    """A face that is 50 pixels wide should stay so."""
    picture = Image.blend(noise(500, 400), quarters(500, 400), 0.75)
    data = written(picture, "PNG")
    assert len(data) > SMALL.max_bytes
    result = fitted(open_image(data), SMALL)
    assert result.scale == 1
    assert Image.open(BytesIO(result.data)).size == (500, 400)


def test_a_photo_is_reduced_no_more_than_needed() -> None:
    """If lower quality does not suffice, the image is reduced to at least four fifths of the limit."""
    result = fitted(open_image(written(noise(600, 500), "PNG")), SMALL)
    assert result.scale < 1
    assert len(result.data) > 0.8 * SMALL.max_bytes
    assert Image.open(BytesIO(result.data)).width == pytest.approx(600 * result.scale, abs=1)


def test_a_side_above_the_limit_is_reduced_to_it() -> None:
    """Panoramas are often very long."""
    result = fitted(open_image(written(quarters(1500, 200), "JPEG")), SMALL)
    assert Image.open(BytesIO(result.data)).size == (600, 80)
    assert result.scale == pytest.approx(0.4)


def test_a_small_photo_is_padded_with_gray() -> None:
    """And never sent as it is."""
    photo = open_image(written(quarters(200, 60), "PNG"))
    result = fitted(photo)
    sent = open_image(result.data)
    assert (sent.width, sent.height) == (200, 80)
    assert all(abs(int(value) - 128) < 8 for row in (2, 77) for value in sent.pixels[row, 100])
    assert result.placement == Placement(0, 0.125, 1, 0.75)
    # the border between red and blue, as the service would see it, is in the middle of the photo
    assert result.placement.point_in_photo(0.5, 0.5) == (0.5, 0.5)
    assert result.placement.in_photo(BoundingBox(0, 0.125, 0.5, 0.75)) == BoundingBox(0, 0, 0.5, 1)


def test_a_panorama_reduced_below_the_least_side_is_padded_too() -> None:
    """Both limits hold at once."""
    result = fitted(open_image(written(quarters(3000, 150), "JPEG")), SMALL)
    assert Image.open(BytesIO(result.data)).size == (600, 80)
    assert result.placement.height == pytest.approx(30 / 80)


@pytest.mark.parametrize("size", [(1, 1), (49, 1000), (1000, 49)])
def test_a_photo_too_small_for_any_face_is_left_out_with_a_reason(size: tuple[int, int]) -> None:
    """Padding is not sent."""
    result = fit(open_image(written(noise(*size), "PNG")), LIMITS)
    assert isinstance(result, Unfit)
    assert result.reason == f"The photo is {size[0]:,} x {size[1]:,} pixels in size, too small for a face of 50 pixels."


def test_a_photo_that_was_reduced_on_opening_is_opened_again_in_full() -> None:
    """Pixels saved for the local engine are not lost to the service; an acceptable file is not decoded twice."""
    qualities: list[int] = []

    def reopen(data: bytes, max_side: int) -> OpenedPhoto:
        qualities.append(max_side)
        return open_image(data, max_side=max_side)

    photo = open_image(written(quarters(800, 600), "WEBP"), max_side=100)
    result = fit(photo, LIMITS, reopen=reopen)
    assert isinstance(result, Fitted)
    assert Image.open(BytesIO(result.data)).size == (800, 600)
    assert qualities == [10_000]
    fit(open_image(written(quarters(800, 600), "JPEG"), max_side=100), LIMITS, reopen=reopen)
    assert qualities == [10_000]


def test_a_box_found_in_the_sent_image_is_the_same_place_of_the_photo() -> None:
    """By way of pixels: a white patch is found where it was painted, after reduction and padding."""
    picture = Image.new("RGB", (2000, 100))
    patch = BoundingBox(0.3, 0.2, 0.1, 0.6)
    picture.paste((255, 255, 255), (600, 20, 800, 80))
    result = fitted(open_image(written(picture, "TIFF")), SMALL)
    sent = open_image(result.data).pixels
    rows, columns = np.nonzero(sent[:, :, 0] > 192)  # brighter than the padding
    box = BoundingBox(
        columns.min() / sent.shape[1],
        rows.min() / sent.shape[0],
        (columns.max() + 1 - columns.min()) / sent.shape[1],
        (rows.max() + 1 - rows.min()) / sent.shape[0],
    )
    assert result.placement.in_photo(box).iou(patch) > 0.9


FRACTIONS = st.floats(0.01, 1)


@given(
    st.builds(Placement, FRACTIONS, FRACTIONS, FRACTIONS, FRACTIONS),
    st.builds(BoundingBox, st.floats(-0.2, 1), st.floats(-0.2, 1), FRACTIONS, FRACTIONS),
)
def test_mapping_there_and_back_changes_nothing(placement: Placement, box: BoundingBox) -> None:
    """For every placement and box, also those that reach over the border."""
    back = placement.in_photo(placement.in_sent(box))
    for name in ("left", "top", "width", "height"):
        assert getattr(back, name) == pytest.approx(getattr(box, name), abs=1e-9)

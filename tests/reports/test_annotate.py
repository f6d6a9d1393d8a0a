"""Annotated photos, and the search page."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from catalog.domain.faces import (
    AgeRange,
    BoundingBox,
    ComparedFace,
    Comparison,
    Emotion,
    EmotionType,
    Face,
    FaceAttributes,
)
from catalog.domain.opened_photo import OpenedPhoto
from catalog.reports.annotate import _attribute_texts, draw_analysis, draw_comparison
from catalog.reports.search_page import PageMatch, search_page

BOX = BoundingBox(0.25, 0.25, 0.5, 0.5)


def photo(width: int = 400, height: int = 300) -> OpenedPhoto:
    pixels = np.full((height, width, 3), 128, dtype=np.uint8)
    return OpenedPhoto(pixels=pixels, width=width, height=height, format="JPEG")


def drawn(jpeg: bytes) -> np.ndarray:
    with Image.open(BytesIO(jpeg)) as image:
        assert image.format == "JPEG"
        return np.asarray(image.convert("RGB")).astype(int)


def test_the_box_is_drawn_on_its_edges_only():
    """The pixels inside the box are unchanged."""
    original = photo()
    before = original.pixels.copy()
    attributes = FaceAttributes(age_range=AgeRange(20, 30), emotions=(Emotion(EmotionType.HAPPY, 99.0),))
    pixels = drawn(draw_analysis(original, [Face(BOX, 99.0, attributes=attributes)]))
    assert pixels.shape == (300, 400, 3)
    changed = np.abs(pixels - 128).max(axis=2) > 40
    assert changed[75:225, 100].mean() > 0.9
    assert changed[75:225, 300].mean() > 0.9
    assert changed[225, 100:300].mean() > 0.9
    assert not changed[90:210, 115:285].any()
    assert changed[50:74, 100:200].mean() > 0.3  # the label is above
    assert (original.pixels == before).all()


@pytest.mark.parametrize("box", [BoundingBox(-0.2, -0.2, 0.5, 0.5), BoundingBox(0.9, 0.9, 0.3, 0.3)])
def test_a_face_cut_by_the_border_is_drawn_too(box):
    """The label is inside the image."""
    pixels = drawn(draw_analysis(photo(), [Face(box, 99.0)]))
    assert (np.abs(pixels - 128).max(axis=2) > 40).any()


def test_a_label_without_a_place_is_in_a_legend_below_the_photo():
    """The photo is extended; a label beside the box does not extend it."""
    assert drawn(draw_analysis(photo(), [Face(BoundingBox(0, 0, 1, 1), 99.0)])).shape[0] > 300
    assert drawn(draw_analysis(photo(), [Face(BOX, 99.0)])).shape[0] == 300


def test_a_wide_age_range_is_not_printed():
    """A range such as 1-81 says nothing."""
    ages = [AgeRange(20, 30), AgeRange(1, 81)]
    faces = [Face(BoundingBox(0.3, 0.3, 0.4, 0.4), 99.0, attributes=FaceAttributes(age_range=age)) for age in ages]
    assert _attribute_texts(faces[0]) == ["20-30"]
    assert _attribute_texts(faces[1]) == []


def test_matches_are_green_and_other_faces_gray():
    """The photos are side by side."""
    second = BoundingBox(0.05, 0.05, 0.1, 0.1)
    compared = Comparison(Face(BOX, 99.0), (ComparedFace(Face(BOX, 99.0), 99.5),), (Face(second, 99.0),))

    def is_green(jpeg: bytes) -> bool:
        right = drawn(jpeg)[:, 416:]
        frame = right[100:200, 100]
        return bool((frame[:, 1] - frame[:, 0]).mean() > 80)

    assert is_green(draw_comparison(photo(), photo(), compared, 80))
    assert not is_green(draw_comparison(photo(), photo(), compared, 99.9))


def test_the_search_page_is_one_file():
    """Names and paths are escaped, images are embedded, and a photo that cannot be read has an entry."""
    hostile = "<script>alert(1)</script>"
    match = PageMatch(b"jpeg", hostile, "p1", 99.0, "2020-01-01", "/a/花.jpg")
    unreadable = PageMatch(None, None, None, 81.5, None, "/gone.jpg")
    text = search_page([b"reference"], [match, unreadable])
    assert hostile not in text
    assert "&lt;script&gt;" in text
    assert text.count('src="data:image/jpeg;base64,') == 2
    assert "花" in text
    assert "2 faces found" in text
    assert "http://" not in text.replace("http-equiv", "")
    assert "<script" not in text

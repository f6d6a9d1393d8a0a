"""The same-face rule: which boxes hold one face, and which box matches best."""

from __future__ import annotations

import pytest

from catalog.domain.face_key import FaceKey
from catalog.domain.faces import BoundingBox
from catalog.domain.same_face import (
    DRAWN_REGION,
    SAME_PHOTO,
    SameFaceRule,
    best_match,
    match_pairs,
    same_face,
)

FACE = BoundingBox(0.2, 0.2, 0.2, 0.2)
INNER_HALF = BoundingBox(0.23, 0.23, 0.14, 0.14)
"""Half of the area of ``FACE``, in its middle: an overlap of 0.49."""
NEXT = BoundingBox(0.45, 0.2, 0.2, 0.2)


def box(box: BoundingBox) -> BoundingBox:
    return box


def test_another_engine_may_draw_a_face_with_half_the_area() -> None:
    assert same_face(FACE, INNER_HALF, SAME_PHOTO)
    assert not same_face(FACE, NEXT, SAME_PHOTO)


def test_the_threshold_itself_is_accepted() -> None:
    half = BoundingBox(0.2, 0.2, 0.2, 0.1)
    assert same_face(FACE, half, SameFaceRule(FACE.iou(half)))


def test_a_drawn_region_matches_if_each_box_contains_the_other_center() -> None:
    tiny = BoundingBox(0.28, 0.28, 0.04, 0.04)
    assert same_face(FACE, tiny, DRAWN_REGION)
    assert not same_face(FACE, BoundingBox(0.21, 0.21, 0.04, 0.04), DRAWN_REGION), "does not contain the face's center"


def test_the_highest_overlap_wins_and_of_equal_ones_the_first() -> None:
    assert best_match(FACE, [NEXT, INNER_HALF, FACE], SAME_PHOTO, key=box) is FACE
    copies = [BoundingBox(0.2, 0.2, 0.2, 0.2), BoundingBox(0.2, 0.2, 0.2, 0.2)]
    assert best_match(FACE, copies, SAME_PHOTO, key=box) is copies[0]
    assert best_match(FACE, [NEXT], SAME_PHOTO, key=box) is None


def test_pairs_are_one_to_one_and_the_best_pair_comes_first() -> None:
    shifted = BoundingBox(0.21, 0.2, 0.2, 0.2)
    pairs = match_pairs([FACE, shifted], [shifted, NEXT], SAME_PHOTO, left_key=box, right_key=box)
    assert pairs == [(1, 0)]


def test_nothing_matches_nothing() -> None:
    assert match_pairs([], [FACE], SAME_PHOTO, left_key=box, right_key=box) == []


@pytest.mark.parametrize("content", ["a" * 64, "b" * 64])
def test_a_face_key_is_the_same_on_the_same_photo_only(content: str) -> None:
    assert FaceKey("a" * 64, FACE).same(FaceKey(content, INNER_HALF)) is (content == "a" * 64)
    assert FaceKey("a" * 64, FACE) != FaceKey("a" * 64, INNER_HALF)

"""Labels cover no face and no other label."""

from __future__ import annotations

import random
from itertools import combinations

import pytest

from catalog.reports.label_layout import LabelLayout, Rectangle


@pytest.mark.parametrize("seed", range(20))
def test_labels_of_a_crowd_do_not_overlap(seed):
    """Every placed label is inside the image."""
    dice = random.Random(seed)
    faces = []
    for _ in range(40):
        left, top = dice.uniform(-20, 780), dice.uniform(-20, 580)
        faces.append(Rectangle(left, top, left + 40, top + 50))
    layout = LabelLayout(800, 600, faces)
    labels = [label for face in faces if (label := layout.place(face, 90, 16)) is not None]
    assert len(labels) > 10
    assert all(label.left >= 0 and label.right <= 800 and label.top >= 0 and label.bottom <= 600 for label in labels)
    assert not any(label.overlaps(face) for label in labels for face in faces)
    assert not any(label.overlaps(second_label) for label, second_label in combinations(labels, 2))


def test_a_face_that_fills_the_image_has_no_place_for_a_label():
    """The caller draws a legend."""
    face = Rectangle(0, 0, 800, 600)
    assert LabelLayout(800, 600, [face]).place(face, 90, 16) is None

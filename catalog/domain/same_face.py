"""The same-face rule: the only place that decides if two boxes hold one face.

Every rule has a name, a threshold and a reason. ``tests/benchmarks/same_face.py`` measures them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from catalog.domain.faces import BoundingBox

T = TypeVar("T")
L = TypeVar("L")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class SameFaceRule:
    """When two boxes hold one face.

    ``min_overlap`` is the lowest intersection over union, 0 to 1. With ``or_centers`` two boxes also match if each
    contains the center of the other.
    """

    min_overlap: float
    or_centers: bool = False


SAME_PHOTO = SameFaceRule(0.35)
"""Two boxes on one photo: decisions, tombstones and replay across engines, a photo that one engine enrolls again, and
the face that Amazon searched for against the requested box.

Measured on 311 faces, half of them in rows in which the heads nearly touch. Boxes of half and of double the area, a
whole head, or eyes to mouth overlap the local engine's by 0.4 and more. So do boxes found again at half and double the
size (0.6 and more) or on a cut-out (0.6 and more). No two faces overlap by 0.3."""

EDITED_PHOTO = SameFaceRule(0.5)
"""Decisions carried to an edited photo. It may be cropped, which moves every box, and a wrong carry is a wrong
decision.

Measured on the same faces after a crop of 20 % at the left: 0.5 takes 6 faces for their neighbor, 0.35 takes 21. After
a crop of 6 % at each side 0.5 still finds 98 % of the faces."""

DRAWN_REGION = SameFaceRule(0.3, or_centers=True)
"""XMP regions: people and programs draw boxes differently, down to a dot on the nose. Not measured: there are no
regions of other programs to measure on."""


def same_face(one: BoundingBox, other: BoundingBox, rule: SameFaceRule) -> bool:
    if one.iou(other) >= rule.min_overlap:
        return True
    return rule.or_centers and one.contains(other.center) and other.contains(one.center)


def best_match(
    box: BoundingBox, candidates: Iterable[T], rule: SameFaceRule, key: Callable[[T], BoundingBox]
) -> T | None:
    """The candidate with the highest overlap among those that the rule accepts; of equal ones the first."""
    accepted = [candidate for candidate in candidates if same_face(box, key(candidate), rule)]
    return max(accepted, key=lambda candidate: key(candidate).iou(box), default=None)


def match_pairs(
    left: Sequence[L],
    right: Sequence[R],
    rule: SameFaceRule,
    *,
    left_key: Callable[[L], BoundingBox],
    right_key: Callable[[R], BoundingBox],
) -> list[tuple[int, int]]:
    """Match one to one, the highest overlap first. Returns pairs of indexes into ``left`` and ``right``."""
    overlaps = [
        (left_key(left_box).iou(right_key(right_box)), i, j)
        for i, left_box in enumerate(left)
        for j, right_box in enumerate(right)
        if same_face(left_key(left_box), right_key(right_box), rule)
    ]
    pairs: list[tuple[int, int]] = []
    used_left: set[int] = set()
    used_right: set[int] = set()
    for _, i, j in sorted(overlaps, key=lambda row: -row[0]):
        if i not in used_left and j not in used_right:
            pairs.append((i, j))
            used_left.add(i)
            used_right.add(j)
    return pairs

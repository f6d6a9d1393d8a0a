"""Placement of labels on a photo, so that no label covers a face or another label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rectangle:
    """Edges in pixels. Right and bottom are exclusive."""

    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: Rectangle) -> bool:
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )


class LabelLayout:
    """Places labels beside the boxes of faces, inside an image of this size."""

    def __init__(self, width: int, height: int, faces: Sequence[Rectangle]) -> None:
        self._size = width, height
        self._taken = list(faces)

    def place(self, face: Rectangle, width: float, height: float) -> Rectangle | None:
        """Return the place of a label of this size beside a face and reserve it. None if there is no free place.

        Tries above, below, right and left of the box, in this order.
        """
        for left, top in self._candidates(face, width, height):
            label = Rectangle(left, top, left + width, top + height)
            if self._is_inside(label) and not any(label.overlaps(placed_label) for placed_label in self._taken):
                self._taken.append(label)
                return label
        return None

    def _candidates(self, face: Rectangle, width: float, height: float) -> list[tuple[float, float]]:
        across = [self._inside(left, width, self._size[0]) for left in (face.left, face.right - width)]
        down = [self._inside(top, height, self._size[1]) for top in (face.top, face.bottom - height)]
        return [
            *((left, face.top - height) for left in across),
            *((left, face.bottom) for left in across),
            *((face.right, top) for top in down),
            *((face.left - width, top) for top in down),
        ]

    def _is_inside(self, label: Rectangle) -> bool:
        return label.left >= 0 and label.top >= 0 and label.right <= self._size[0] and label.bottom <= self._size[1]

    @staticmethod
    def _inside(start: float, length: float, limit: float) -> float:
        return min(max(0.0, start), max(0.0, limit - length))

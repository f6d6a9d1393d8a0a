"""EXIF orientation: boxes on the upright image and on the image as stored in the file.

The catalogue stores boxes of the upright image. Region metadata uses the stored image, before the EXIF orientation is
applied (Metadata Working Group, Guidelines for Handling Image Metadata 2.0, 5.9: "Region metadata is applied to the
stored image"). Lightroom and digiKam follow this.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from catalog.domain.faces import BoundingBox

_PointMap = Callable[[float, float], tuple[float, float]]

# By EXIF orientation: maps a point of the stored image to the upright image. Both are fractions of width and height.
_TO_UPRIGHT: dict[int, _PointMap] = {
    1: lambda x, y: (x, y),
    2: lambda x, y: (1 - x, y),
    3: lambda x, y: (1 - x, 1 - y),
    4: lambda x, y: (x, 1 - y),
    5: lambda x, y: (y, x),
    6: lambda x, y: (1 - y, x),
    7: lambda x, y: (1 - y, 1 - x),
    8: lambda x, y: (y, 1 - x),
}
_TO_STORED = {**_TO_UPRIGHT, 6: _TO_UPRIGHT[8], 8: _TO_UPRIGHT[6]}


@dataclass(frozen=True, slots=True)
class ImageGeometry:
    """Upright size in pixels, and the EXIF orientation (1 to 8) that turns the stored image upright."""

    width: int
    height: int
    orientation: int

    @property
    def stored_size(self) -> tuple[int, int]:
        return (self.height, self.width) if is_sideways(self.orientation) else (self.width, self.height)


def is_sideways(orientation: int) -> bool:
    """Return True if the orientation swaps width and height."""
    return orientation >= 5


def to_upright(box: BoundingBox, orientation: int) -> BoundingBox:
    return _mapped(box, _TO_UPRIGHT[orientation])


def to_stored(box: BoundingBox, orientation: int) -> BoundingBox:
    return _mapped(box, _TO_STORED[orientation])


def _mapped(box: BoundingBox, point_map: _PointMap) -> BoundingBox:
    (x1, y1), (x2, y2) = point_map(box.left, box.top), point_map(box.right, box.bottom)
    return BoundingBox(min(x1, x2), min(y1, y2), abs(x2 - x1), abs(y2 - y1))

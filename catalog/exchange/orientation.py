"""Boxes of the upright image and of the image as it is stored.

The catalogue speaks of upright photos. Region metadata speaks of the stored image, before the EXIF orientation is
applied (Metadata Working Group, Guidelines for Handling Image Metadata 2.0, 5.9: "Region metadata is applied to the
stored image"), and so do Lightroom and digiKam.
"""

from __future__ import annotations

from collections.abc import Callable

from catalog.domain.faces import BoundingBox

_Turn = Callable[[float, float], tuple[float, float]]

# Where a point of the stored image is found on the upright one, by EXIF orientation.
_UPRIGHT: dict[int, _Turn] = {
    1: lambda x, y: (x, y),
    2: lambda x, y: (1 - x, y),
    3: lambda x, y: (1 - x, 1 - y),
    4: lambda x, y: (x, 1 - y),
    5: lambda x, y: (y, x),
    6: lambda x, y: (1 - y, x),
    7: lambda x, y: (1 - y, 1 - x),
    8: lambda x, y: (y, 1 - x),
}
_BACK = {**_UPRIGHT, 6: _UPRIGHT[8], 8: _UPRIGHT[6]}


def is_sideways(orientation: int) -> bool:
    """Whether width and height change places."""
    return orientation >= 5


def upright(box: BoundingBox, orientation: int) -> BoundingBox:
    """A box of the stored image on the upright one."""
    return _turned(box, _UPRIGHT[orientation])


def stored(box: BoundingBox, orientation: int) -> BoundingBox:
    """A box of the upright image on the stored one."""
    return _turned(box, _BACK[orientation])


def _turned(box: BoundingBox, turn: _Turn) -> BoundingBox:
    (x1, y1), (x2, y2) = turn(box.left, box.top), turn(box.right, box.bottom)
    return BoundingBox(min(x1, x2), min(y1, y2), abs(x2 - x1), abs(y2 - y1))

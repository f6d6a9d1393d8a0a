"""The frame of regions: on which form of the image the boxes of a region list were drawn.

The standard says the stored image (see :mod:`catalog.domain.orientation`). Programs also write boxes of the upright
image, and lossless rotation turns the pixels of a file without its regions. The frame in which regions meet the faces
that the catalogue found is used. Without such evidence the standard decides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from catalog.domain.faces import BoundingBox
from catalog.domain.orientation import ImageGeometry, to_upright
from catalog.domain.same_face import DRAWN_REGION, match_pairs

AppliedSize = tuple[float, float]

_MAX_RATIO_ERROR = 0.01
"""Largest relative difference of two equal aspect ratios. A larger one means that the photo was cropped or turned."""
_MIN_TURNED_MATCHES = 2
"""Regions that must match faces before a frame is assumed that the standard and the size do not suggest."""


@dataclass(frozen=True, slots=True)
class PlacedRegions:
    """Boxes on the upright image, in the order of the regions.

    ``is_certain`` is False if the photo was cropped or turned after the regions were drawn. A region that meets no face
    then says nothing about a position.
    """

    boxes: tuple[BoundingBox, ...]
    is_certain: bool


def place_regions(
    boxes: Sequence[BoundingBox],
    applied_size: AppliedSize | None,
    geometry: ImageGeometry,
    faces: Sequence[BoundingBox],
) -> PlacedRegions:
    """Convert boxes as written to boxes on the upright image. ``faces``: boxes of the faces that were found."""
    fits_stored = applied_size is None or _has_ratio(applied_size, geometry.stored_size)
    fits_upright = applied_size is not None and _has_ratio(applied_size, (geometry.width, geometry.height))
    is_upright_size = applied_size == (geometry.width, geometry.height) != geometry.stored_size
    standard = _upright_from_upright if is_upright_size else _upright_from_stored(geometry.orientation)
    other_frames = [_upright_from_stored(geometry.orientation), _upright_from_upright]
    matches = _match_count(boxes, faces, standard)
    chosen = standard
    for frame in other_frames:
        count = _match_count(boxes, faces, frame)
        if count > matches:
            chosen, matches = frame, count
    if matches < len(boxes):
        needed = max(matches + 1, 1 if not (fits_stored or fits_upright) else _MIN_TURNED_MATCHES)
        for orientation in (6, 3, 8):
            frame = _upright_from_stored(orientation)
            count = _match_count(boxes, faces, frame)
            if count >= needed:
                chosen, matches, needed = frame, count, count + 1
    return PlacedRegions(tuple(chosen(box) for box in boxes), is_certain=fits_stored or fits_upright)


def _upright_from_stored(orientation: int) -> Callable[[BoundingBox], BoundingBox]:
    return lambda box: to_upright(box, orientation)


def _upright_from_upright(box: BoundingBox) -> BoundingBox:
    return box


def _match_count(
    boxes: Sequence[BoundingBox], faces: Sequence[BoundingBox], frame: Callable[[BoundingBox], BoundingBox]
) -> int:
    placed = [frame(box) for box in boxes]
    return len(match_pairs(placed, faces, DRAWN_REGION, left_key=lambda box: box, right_key=lambda box: box))


def _has_ratio(size: AppliedSize, other_size: tuple[int, int]) -> bool:
    return abs(size[0] * other_size[1] / (size[1] * other_size[0]) - 1) <= _MAX_RATIO_ERROR

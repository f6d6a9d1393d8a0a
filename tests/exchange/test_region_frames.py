"""The frame of regions: evidence of faces first, the standard otherwise."""

from __future__ import annotations

import pytest

from catalog.domain.faces import BoundingBox
from catalog.domain.orientation import ImageGeometry, to_stored
from catalog.exchange.region_frames import place_regions

FACES = [BoundingBox(0.6, 0.1, 0.2, 0.2), BoundingBox(0.1, 0.3, 0.2, 0.2)]


def rounded(boxes: tuple[BoundingBox, ...]) -> list[tuple[float, ...]]:
    return [tuple(round(edge, 6) for edge in (box.left, box.top, box.width, box.height)) for box in boxes]


def expected(boxes: list[BoundingBox]) -> list[tuple[float, ...]]:
    return rounded(tuple(boxes))


@pytest.mark.parametrize("applied", [(4000, 3000), (3000, 4000), (4000.0, 2000.0), None])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_regions_on_the_stored_image_meet_faces(orientation, applied):
    """With the stored size, the upright size, another size and none."""
    geometry = ImageGeometry(3000, 4000, orientation)
    written = [to_stored(face, orientation) for face in FACES]
    assert rounded(place_regions(written, applied, geometry, FACES).boxes) == expected(FACES)


@pytest.mark.parametrize("applied", [(4000, 3000), (3000, 4000), None])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_regions_on_the_upright_image_meet_faces(orientation, applied):
    """As some programs write them."""
    geometry = ImageGeometry(3000, 4000, orientation)
    assert rounded(place_regions(FACES, applied, geometry, FACES).boxes) == expected(FACES)


@pytest.mark.parametrize("turn", [3, 6, 8])
def test_regions_of_a_file_that_was_turned_afterwards_meet_faces(turn):
    """The pixels were turned, the regions and their size were not."""
    geometry = ImageGeometry(3000, 4000, 1)
    written = [to_stored(face, turn) for face in FACES]
    applied = (3000, 4000) if turn == 3 else (4000, 3000)
    assert rounded(place_regions(written, applied, geometry, FACES).boxes) == expected(FACES)


def test_one_region_without_a_face_is_not_turned_onto_another_face():
    """A person seen from behind: turning the region by 180 degrees would give a wrong name."""
    geometry = ImageGeometry(3000, 4000, 1)
    (written,) = [to_stored(FACES[0], 3)]
    placed = place_regions([written], (3000, 4000), geometry, FACES[:1])
    assert rounded(placed.boxes) == expected([written])
    assert placed.is_certain


@pytest.mark.parametrize(("applied", "is_certain"), [((4000, 3000), True), ((3000, 4000), True), ((1000, 900), False)])
def test_without_faces_the_standard_decides(applied, is_certain):
    """The upright size means the upright image. After a crop no position is certain."""
    geometry = ImageGeometry(3000, 4000, 6)
    written = [BoundingBox(0.1, 0.2, 0.3, 0.1)]
    placed = place_regions(written, applied, geometry, [])
    upright = [BoundingBox(0.7, 0.1, 0.1, 0.3)] if applied != (3000, 4000) else written
    assert rounded(placed.boxes) == expected(upright)
    assert placed.is_certain is is_certain

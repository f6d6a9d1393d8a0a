"""Sunglasses, masks and borders that cover a face, and what they hide."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from catalog.engines.local.align import align_faces
from catalog.engines.local.attributes import AttributeReader, AttributeReading
from catalog.engines.local.detect import DetectedFace, detect_faces
from catalog.engines.local.embed import embed_with_maps
from catalog.engines.local.landmark_refinement import refine_landmarks
from tests.engines.local.conftest import portrait


def read(image: Image.Image) -> list[AttributeReading]:
    pixels = np.asarray(image)
    return read_faces(pixels, detect_faces(pixels))


def read_faces(pixels: np.ndarray, faces: list[DetectedFace]) -> list[AttributeReading]:
    refined, meshes = refine_landmarks(pixels, faces)
    embedded = embed_with_maps(align_faces(pixels, [face.landmarks for face in refined]))
    return AttributeReader().read(pixels, refined, meshes, embedded)


def painted(name: str, *outlines: tuple[int, ...], color: tuple[int, int, int]) -> Image.Image:
    """Fill polygons of mesh points of a portrait."""
    image = portrait(name)
    pixels = np.asarray(image)
    _, (mesh, *_) = refine_landmarks(pixels, detect_faces(pixels)[:1])
    for outline in outlines:
        ImageDraw.Draw(image).polygon([tuple(mesh.points[i, :2]) for i in outline], fill=color)
    return image


LENSES = (
    (226, 113, 46, 53, 52, 65, 55, 193, 245, 128, 121, 120, 119, 118, 117),
    (446, 342, 276, 283, 282, 295, 285, 417, 465, 357, 350, 349, 348, 347, 346),
)
MASK = (6, 122, 118, 117, 123, 147, 172, 136, 150, 149, 176, 148, 152)
MASK += (377, 400, 378, 379, 365, 397, 376, 352, 346, 347, 351)


@pytest.mark.parametrize("name", ["obama_1", "biden", "astronaut"])
def test_sunglasses_cover_the_eyes(name):
    """Black lenses are sunglasses and cover the face. Of the eyes little is said."""
    values = read(painted(name, *LENSES, color=(15, 15, 18)))[0].attributes
    assert values.sunglasses.value
    assert values.face_occluded.value
    assert values.eyes_open.confidence < 75
    assert values.eye_direction.confidence < 40


@pytest.mark.parametrize("name", ["obama_1", "biden", "astronaut"])
def test_a_mask_covers_the_mouth(name):
    """A mask covers the face and is no sunglasses. Of mouth and beard little is said."""
    values = read(painted(name, MASK, color=(120, 165, 200)))[0].attributes
    assert values.face_occluded.value
    assert not values.sunglasses.value
    assert values.mouth_open.confidence < 75
    assert values.beard.confidence < 80


def test_a_face_that_the_photo_cuts_is_covered():
    """Half of a face at the border counts as not fully visible."""
    image = portrait("biden")
    face = detect_faces(np.asarray(image))[0]
    left, _, width, _ = face.box
    half = image.crop((int(left + 0.35 * width), 0, image.width, image.height))
    shifted = type(face)(
        box=(face.box[0] - int(left + 0.35 * width), *face.box[1:]),
        landmarks=face.landmarks - [int(left + 0.35 * width), 0],
        confidence=face.confidence,
    )
    (reading,) = read_faces(np.asarray(half), [shifted])
    assert reading.attributes.face_occluded.value

"""Attributes: what is read off real portraits, and how answers become percentages."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from catalog.domain.faces import EmotionType, GenderValue
from catalog.engines.local import attributes
from catalog.engines.local.align import align_faces
from catalog.engines.local.attributes import AttributeReader, AttributeReading
from catalog.engines.local.detect import DetectedFace, detect_faces
from catalog.engines.local.embed import embed_faces, embed_with_maps
from catalog.engines.local.landmark_refinement import place_landmarks
from tests.engines.local.conftest import portrait, side_by_side


def read(image: Image.Image) -> list[AttributeReading]:
    pixels = np.asarray(image)
    return read_faces(pixels, detect_faces(pixels))


def read_faces(pixels: np.ndarray, faces: list[DetectedFace], reader: AttributeReader | None = None):
    placed, meshes = place_landmarks(pixels, faces)
    embedded = embed_with_maps(align_faces(pixels, [face.landmarks for face in placed]))
    return (reader or AttributeReader()).read(pixels, placed, meshes, embedded)


@pytest.fixture(scope="module")
def readings() -> dict[str, AttributeReading]:
    return {name: read(portrait(name))[0] for name in ("astronaut", "obama_1", "biden")}


def test_gender_of_portraits(readings):
    """Two men and a woman are told apart with confidence."""
    genders = {name: reading.attributes.gender for name, reading in readings.items()}
    assert genders["astronaut"].value is GenderValue.FEMALE
    assert genders["obama_1"].value is GenderValue.MALE
    assert genders["biden"].value is GenderValue.MALE
    assert all(50 <= gender.confidence <= 100 for gender in genders.values())


def test_gender_does_not_see_left_and_right():
    """A face and its mirror image, at the same place of the crop, have the same odds."""
    pixels = np.asarray(portrait("astronaut"))
    _, meshes = place_landmarks(pixels, detect_faces(pixels))
    frame = meshes[0].frame_points()
    turned = np.array([pixels.shape[1] - 1, 0]) + frame[[1, 0, 3, 2]] * [-1, 1]
    crops = [
        attributes.cut(image, [points], *attributes.GENDER_CROP)
        for image, points in ((pixels, frame), (np.ascontiguousarray(pixels[:, ::-1]), turned))
    ]
    there, back = (attributes.male_odds(each)[0] for each in crops)
    assert there == pytest.approx(back, abs=0.3)


def test_laughing_portraits_are_happy(readings):
    """Who shows teeth is happy first, smiles, and has an open mouth; the closed smile of a third is too faint."""
    for name in ("astronaut", "obama_1"):
        shown = readings[name].attributes
        assert shown.emotions[0].type is EmotionType.HAPPY
        assert shown.smile.value
        assert shown.mouth_open.value
    assert not readings["biden"].attributes.mouth_open.value


def test_age_range_is_about_right(readings):
    """An astronaut of about 43 and a vice president of about 70 get ranges that reach near their ages."""
    young, old = readings["astronaut"].attributes.age_range, readings["biden"].attributes.age_range
    assert 15 < young.low < young.high < 60
    assert young.high < old.high
    assert 55 < old.high < 100


def test_seven_emotions_sorted_by_confidence(readings):
    """The seven that are measured, highest first; CONFUSED is not measured and not there."""
    for reading in readings.values():
        emotions = reading.attributes.emotions
        assert {emotion.type for emotion in emotions} == set(attributes.EMOTIONS)
        assert EmotionType.CONFUSED not in {emotion.type for emotion in emotions}
        confidences = [emotion.confidence for emotion in emotions]
        assert confidences == sorted(confidences, reverse=True)
        assert all(0 <= confidence <= 100 for confidence in confidences)


def test_portraits_show_open_eyes_and_no_glasses(readings):
    """Nobody here wears glasses or a beard, and all look at the camera."""
    for reading in readings.values():
        shown = reading.attributes
        assert shown.eyes_open.value
        assert not shown.eyeglasses.value
        assert not shown.beard.value
        assert not shown.mustache.value
        assert all(50 <= mark.confidence <= 100 for mark in (shown.eyes_open, shown.eyeglasses, shown.beard))


def test_what_is_not_measured_stays_none(readings):
    """Sunglasses and occlusion are left out, not guessed."""
    for reading in readings.values():
        assert reading.attributes.sunglasses is None
        assert reading.attributes.face_occluded is None


def test_painted_glasses_are_seen():
    """Dark frames drawn around both eyes make the answer that there are none less sure."""
    image = portrait("obama_1")
    reading = read(image)[0]
    pixels = np.asarray(image).copy()
    rows, columns = np.mgrid[: pixels.shape[0], : pixels.shape[1]]
    left, right = (np.array(reading.landmarks[name]) for name in ("eyeLeft", "eyeRight"))
    gap = float(np.hypot(*(right - left)))
    for center in (left, right):
        away = np.hypot(columns - center[0], (rows - center[1]) * 1.15) / gap
        pixels[(away > 0.33) & (away < 0.41)] = 20
    bridge = (
        (np.abs(rows - left[1]) < 0.04 * gap) & (columns > left[0] + 0.33 * gap) & (columns < right[0] - 0.33 * gap)
    )
    pixels[bridge] = 20
    painted = read(Image.fromarray(pixels))[0].attributes.eyeglasses
    bare = reading.attributes.eyeglasses
    assert not bare.value
    assert painted.value or painted.confidence < bare.confidence - 5


def test_every_face_of_a_photo_in_order():
    """The readings come in the order of the faces, as many as there are, whatever the size of a batch."""
    image = side_by_side(*[portrait("astronaut"), portrait("biden")] * 5)
    pixels = np.asarray(image)
    faces = detect_faces(pixels)
    found = read_faces(pixels, faces)
    assert len(found) == len(faces) == 10
    for face, reading in zip(faces, found, strict=True):
        left, top, width, height = face.box
        x, y = reading.landmarks["nose"]
        assert left < x < left + width
        assert top < y < top + height


def test_no_face_no_reading():
    """An empty list of faces is answered with an empty list, and no network runs."""
    assert read_faces(np.zeros((10, 10, 3), np.uint8), []) == []


def test_a_tiny_face_is_read_too():
    """A face of about 25 pixels is read without failing, and is the same person's gender."""
    image = portrait("biden")
    face = detect_faces(np.asarray(image))[0]
    scale = 25 / face.size
    small = np.asarray(image.resize((round(image.width * scale), round(image.height * scale))))
    shrunk = type(face)(
        box=tuple(scale * side for side in face.box), landmarks=face.landmarks * scale, confidence=face.confidence
    )
    (reading,) = read_faces(small, [shrunk])
    assert reading.attributes.gender.value is GenderValue.MALE


def test_a_box_beside_the_photo_is_not_a_face():
    """Landmarks that lie outside the photo give no mesh: no landmarks, no pose, no eyes, no mouth."""
    image = portrait("biden")
    face = detect_faces(np.asarray(image))[0]
    moved = type(face)(box=face.box, landmarks=face.landmarks - 3000, confidence=face.confidence)
    (reading,) = read_faces(np.asarray(image), [moved])
    assert reading.landmarks == {}
    assert reading.pose is None
    assert reading.attributes.eyes_open is None
    assert reading.attributes.mouth_open is None


def test_threads_read_the_same():
    """Eight readings at once in four threads agree with one alone."""
    pixels = np.asarray(portrait("astronaut"))
    faces = detect_faces(pixels)
    alone = read_faces(pixels, faces)
    reader = AttributeReader()
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda _: read_faces(pixels, faces, reader), range(8)))
    assert all(reading == alone for reading in together)


def test_age_range_follows_the_distribution():
    """A distribution with one sharp peak gives a narrow range around it; a flat one a wide range."""
    sharp = np.full(100, -20, np.float32)
    sharp[31] = 5
    narrow = attributes.read_age(sharp)
    assert (narrow.low, narrow.high) == (31, 31)
    wide = attributes.read_age(np.zeros(100, np.float32))
    assert wide.low < 25
    assert wide.high > 75


def test_age_bounds_grow_with_a_smaller_tail():
    """Cutting less off leaves more."""
    answer = np.random.default_rng(3).normal(size=100).astype(np.float32)
    wide, narrow = attributes.age_bounds(answer, 0.02), attributes.age_bounds(answer, 0.3)
    assert wide[0] <= narrow[0] <= narrow[1] <= wide[1]


def test_the_family_is_happy(seed):
    """Everybody in the tutorial's family photo smiles, and Amazon's own answer says HAPPY."""
    with Image.open(seed / "pic1.jpg") as image:
        found = read(image.convert("RGB"))
    assert len(found) == 6
    assert [reading.attributes.emotions[0].type for reading in found] == [EmotionType.HAPPY] * 6
    assert all(reading.attributes.smile.value for reading in found)


def test_what_is_embedded_for_attributes_is_embedded_alike():
    """Asking for the maps on the way does not change the vector, with the mirrored view and without."""
    pixels = np.asarray(portrait("astronaut"))
    placed, _ = place_landmarks(pixels, detect_faces(pixels))
    aligned = align_faces(pixels, [face.landmarks for face in placed])
    for mirrored in (False, True):
        vectors = embed_with_maps(aligned, mirrored=mirrored).vectors
        np.testing.assert_allclose(vectors, embed_faces(aligned, mirrored=mirrored), atol=1e-5)

"""Attributes of real portraits, and the calibration from network outputs to percentages."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from catalog.domain.faces import EmotionType, GenderValue
from catalog.engines.local import attribute_values, attributes
from catalog.engines.local.align import align_faces
from catalog.engines.local.attributes import AttributeReader, AttributeReading
from catalog.engines.local.detect import DetectedFace, detect_faces
from catalog.engines.local.embed import embed_faces, embed_with_maps
from catalog.engines.local.landmark_refinement import refine_landmarks
from tests.engines.local.conftest import portrait, side_by_side


def read(image: Image.Image) -> list[AttributeReading]:
    pixels = np.asarray(image)
    return read_faces(pixels, detect_faces(pixels))


def read_faces(pixels: np.ndarray, faces: list[DetectedFace], reader: AttributeReader | None = None):
    placed, meshes = refine_landmarks(pixels, faces)
    embedded = embed_with_maps(align_faces(pixels, [face.landmarks for face in placed]))
    return (reader or AttributeReader()).read(pixels, placed, meshes, embedded)


@pytest.fixture(scope="module")
def readings() -> dict[str, AttributeReading]:
    return {name: read(portrait(name))[0] for name in ("astronaut", "obama_1", "biden")}


def test_gender_of_portraits(readings):
    """Two men and a woman get the right gender."""
    genders = {name: reading.attributes.gender for name, reading in readings.items()}
    assert genders["astronaut"].value is GenderValue.FEMALE
    assert genders["obama_1"].value is GenderValue.MALE
    assert genders["biden"].value is GenderValue.MALE
    assert all(50 <= gender.confidence <= 100 for gender in genders.values())


def test_the_gender_network_runs_only_for_open_faces():
    """The head decides certain faces; a margin above all log-odds leaves every face to the network."""
    pixels = np.asarray(side_by_side(portrait("astronaut"), portrait("biden")))
    faces, meshes = refine_landmarks(pixels, detect_faces(pixels))
    embedded = embed_with_maps(align_faces(pixels, [face.landmarks for face in faces]), mirrored=False)
    results = [
        attributes.run_networks(pixels, faces, meshes, embedded.rows, embedded.grid, gender_margin=margin)
        for margin in (0.0, 1000.0)
    ]
    assert np.isnan(results[0].male_by_network).all()
    assert np.isfinite(results[1].male_by_network).all()
    np.testing.assert_array_equal(results[0].male_by_head, results[1].male_by_head)
    by_head = [attribute_values.read_gender(float(value), np.nan).value for value in results[0].male_by_head]
    pairs = zip(results[1].male_by_head, results[1].male_by_network, strict=True)
    assert by_head == [attribute_values.read_gender(float(head), float(network)).value for head, network in pairs]


def test_a_doubtful_gender_is_read_from_the_mirror_image_too(monkeypatch):
    """A certain one is not: the network takes longer than all other attributes."""
    runs = []

    def run(_network, crops):
        runs.append(len(crops))
        return [np.where(crops[:, 0, :1, 0] == 0, 0.6, 3.0).astype(np.float32)]

    monkeypatch.setattr(type(attributes.GENDER), "run", run)
    crops = np.zeros((3, 192, 192, 3), np.uint8)
    crops[0] = 255  # log-odds of 3
    crops[1, :, -1] = 255  # log-odds of 0.6, and of 3 in the mirror image
    line = attribute_values.calibration()["gender"]
    assert abs(0.6 + line["shift"] / line["slope"]) < 0.5
    assert attributes.male_log_odds(crops).tolist() == pytest.approx([3.0, 1.8, 0.6])
    assert runs == [3, 2]


def test_gender_is_equal_for_the_mirror_image():
    """A face and its mirror image, at the same position in the crop, have the same log-odds."""
    pixels = np.asarray(portrait("astronaut"))
    _, meshes = refine_landmarks(pixels, detect_faces(pixels))
    frame = meshes[0].frame_points()
    turned = np.array([pixels.shape[1] - 1, 0]) + frame[[1, 0, 3, 2]] * [-1, 1]
    crops = [
        attributes.crop_faces(image, [points], *attributes.GENDER_CROP)
        for image, points in ((pixels, frame), (np.ascontiguousarray(pixels[:, ::-1]), turned))
    ]
    original, mirrored = (attributes.male_log_odds(images)[0] for images in crops)
    assert original == pytest.approx(mirrored, abs=0.3)


def test_laughing_portraits_are_happy(readings):
    """Portraits that show teeth are HAPPY first, smile, and have an open mouth. A closed smile has a closed mouth."""
    for name in ("astronaut", "obama_1"):
        values = readings[name].attributes
        assert values.emotions[0].type is EmotionType.HAPPY
        assert values.smile.value
        assert values.mouth_open.value
    assert not readings["biden"].attributes.mouth_open.value


def test_age_range_is_about_right(readings):
    """An astronaut of about 43 and a vice president of about 70 get ranges near their ages."""
    young, old = readings["astronaut"].attributes.age_range, readings["biden"].attributes.age_range
    assert 15 < young.low < young.high < 60
    assert young.high < old.high
    assert 55 < old.high < 100


def test_eight_emotions_sorted_by_confidence(readings):
    """The emotions come highest first. CONFUSED, which has no data, has a low confidence and is never the first."""
    for reading in readings.values():
        emotions = reading.attributes.emotions
        assert {emotion.type for emotion in emotions} == {*attribute_values.EMOTIONS, EmotionType.CONFUSED}
        assert len(emotions) == 8
        (confused,) = (emotion for emotion in emotions if emotion.type is EmotionType.CONFUSED)
        assert 0 <= confused.confidence <= attribute_values.MAX_CONFUSED
        assert emotions[0].type is not EmotionType.CONFUSED
        confidences = [emotion.confidence for emotion in emotions]
        assert confidences == sorted(confidences, reverse=True)
        assert all(0 <= confidence <= 100 for confidence in confidences)


def test_portraits_show_open_eyes_and_no_glasses(readings):
    """The portraits show open eyes, and no glasses, beard or mustache."""
    for reading in readings.values():
        values = reading.attributes
        assert values.eyes_open.value
        assert not values.eyeglasses.value
        assert not values.beard.value
        assert not values.mustache.value
        assert all(50 <= mark.confidence <= 100 for mark in (values.eyes_open, values.eyeglasses, values.beard))


def test_confused_grows_with_disagreement():
    """It is nearly 0 for one certain emotion and highest if all seven are equally likely, yet below the first."""
    certain = np.zeros(7, np.float32)
    certain[3] = 20
    confused = [
        next(e for e in attribute_values.read_emotions(output) if e.type is EmotionType.CONFUSED).confidence
        for output in (certain, np.zeros(7, np.float32))
    ]
    assert confused[0] < 0.1
    assert confused[1] > 5
    first = attribute_values.read_emotions(np.zeros(7, np.float32))[0]
    assert first.type is not EmotionType.CONFUSED


def test_every_attribute_of_a_portrait_is_filled(readings):
    """No member is None. Bare faces of portraits wear no sunglasses and are not covered."""
    for reading in readings.values():
        values = reading.attributes
        assert all(getattr(values, name) is not None for name in values.__slots__)
        assert not values.sunglasses.value
        assert not values.face_occluded.value
        assert values.eye_direction.confidence <= 80
        assert len(reading.landmarks) == 30


def test_painted_glasses_are_detected():
    """Dark frames drawn around both eyes are glasses, or lower the confidence that there are none."""
    image = portrait("obama_1")
    reading = read(image)[0]
    pixels = np.asarray(image).copy()
    rows, columns = np.mgrid[: pixels.shape[0], : pixels.shape[1]]
    left, right = (np.array(reading.landmarks[name]) for name in ("eyeLeft", "eyeRight"))
    gap = float(np.hypot(*(right - left)))
    for center in (left, right):
        distance = np.hypot(columns - center[0], (rows - center[1]) * 1.15) / gap
        pixels[(distance > 0.33) & (distance < 0.41)] = 20
    bridge = (
        (np.abs(rows - left[1]) < 0.04 * gap) & (columns > left[0] + 0.33 * gap) & (columns < right[0] - 0.33 * gap)
    )
    pixels[bridge] = 20
    painted = read(Image.fromarray(pixels))[0].attributes.eyeglasses
    bare = reading.attributes.eyeglasses
    assert not bare.value
    assert painted.value or painted.confidence < bare.confidence - 5


def test_every_face_of_a_photo_in_order():
    """There is one reading per face, in the order of the faces, across several batches."""
    image = side_by_side(*[portrait("astronaut"), portrait("biden")] * 5)
    pixels = np.asarray(image)
    faces = detect_faces(pixels)
    readings = read_faces(pixels, faces)
    assert len(readings) == len(faces) == 10
    for face, reading in zip(faces, readings, strict=True):
        left, top, width, height = face.box
        x, y = reading.landmarks["nose"]
        assert left < x < left + width
        assert top < y < top + height


def test_no_face_no_reading():
    """An empty list of faces gives an empty list."""
    assert read_faces(np.zeros((10, 10, 3), np.uint8), []) == []


def test_a_tiny_face_is_read_too():
    """A face of about 25 pixels is read without an error and has the right gender."""
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
    """Landmarks outside the photo give no mesh: no pose, landmarks by the detector, eyes and mouth uncertain."""
    image = portrait("biden")
    face = detect_faces(np.asarray(image))[0]
    moved = type(face)(box=face.box, landmarks=face.landmarks - 3000, confidence=face.confidence)
    (reading,) = read_faces(np.asarray(image), [moved])
    assert len(reading.landmarks) == 30
    assert reading.pose is None
    assert reading.attributes.eyes_open.confidence <= 70
    assert reading.attributes.mouth_open.confidence <= 70


def test_threads_read_the_same():
    """Eight concurrent readings in four threads equal a single reading."""
    pixels = np.asarray(portrait("astronaut"))
    faces = detect_faces(pixels)
    alone = read_faces(pixels, faces)
    reader = AttributeReader()
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda _: read_faces(pixels, faces, reader), range(8)))
    assert all(reading == alone for reading in together)


def test_age_range_follows_the_distribution():
    """A distribution with one sharp peak gives a narrow range around it; a flat distribution gives a wide range."""
    sharp = np.full(100, -20, np.float32)
    sharp[31] = 5
    narrow = attribute_values.read_age(sharp)
    assert (narrow.low, narrow.high) == (31, 31)
    wide = attribute_values.read_age(np.zeros(100, np.float32))
    assert wide.low < 25
    assert wide.high > 75


def test_age_bounds_grow_with_a_smaller_tail():
    """A smaller tail gives a wider range."""
    answer = np.random.default_rng(3).normal(size=100).astype(np.float32)
    wide, narrow = attribute_values.age_bounds(answer, 0.02), attribute_values.age_bounds(answer, 0.3)
    assert wide[0] <= narrow[0] <= narrow[1] <= wide[1]


def test_the_family_is_happy(seed):
    """All six people in the tutorial's family photo smile. Amazon's answers are HAPPY, too."""
    with Image.open(seed / "pic1.jpg") as image:
        readings = read(image.convert("RGB"))
    assert len(readings) == 6
    assert [reading.attributes.emotions[0].type for reading in readings] == [EmotionType.HAPPY] * 6
    assert all(reading.attributes.smile.value for reading in readings)


def test_embedding_with_maps_gives_the_same_vectors():
    """Requesting the feature maps does not change the vector, with and without the mirrored view."""
    pixels = np.asarray(portrait("astronaut"))
    placed, _ = refine_landmarks(pixels, detect_faces(pixels))
    aligned = align_faces(pixels, [face.landmarks for face in placed])
    for mirrored in (False, True):
        vectors = embed_with_maps(aligned, mirrored=mirrored).vectors
        np.testing.assert_allclose(vectors, embed_faces(aligned, mirrored=mirrored), atol=1e-5)

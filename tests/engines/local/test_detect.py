"""Detection of small, turned and cut faces; animals and things are not faces."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from catalog.engines.local.detect import _looks_needed, detect_faces
from tests.engines.local.conftest import portrait
from tests.fakes import Drawn, draw


def pixels_of(image: Image.Image) -> np.ndarray:
    return np.ascontiguousarray(np.asarray(image))


def overlap(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    across = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    down = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    inside = max(across, 0) * max(down, 0)
    return inside / (a[2] * a[3] + b[2] * b[3] - inside)


@pytest.mark.parametrize("name", ["obama_1", "obama_2", "obama_3", "biden", "astronaut"])
def test_a_portrait_shows_one_face(name):
    """The eyes are above the nose, the nose is above the mouth, and the left eye is at the left."""
    (face,) = detect_faces(pixels_of(portrait(name)))
    assert face.confidence > 99
    eye_left, eye_right, nose, mouth_left, mouth_right = face.landmarks
    assert eye_left[0] < eye_right[0]
    assert mouth_left[0] < mouth_right[0]
    assert max(eye_left[1], eye_right[1]) < nose[1] < min(mouth_left[1], mouth_right[1])


@pytest.mark.parametrize("quarters", [1, 2, 3])
@pytest.mark.parametrize("name", ["obama_1", "astronaut"])
def test_a_turned_photo_shows_the_same_face(name, quarters):
    """Box and landmarks are in coordinates of the turned photo."""
    upright = pixels_of(portrait(name))
    (expected,) = detect_faces(upright)
    (face,) = detect_faces(np.ascontiguousarray(np.rot90(upright, quarters)))
    height, width = upright.shape[:2]
    x, y = expected.landmarks[:, 0], expected.landmarks[:, 1]
    turned = {1: (y, width - x), 2: (width - x, height - y), 3: (height - y, x)}[quarters]
    error = np.linalg.norm(np.stack(turned, axis=1) - face.landmarks, axis=1)
    assert error.max() < 0.1 * expected.size
    assert face.confidence > 98


def test_small_faces_of_a_large_group_photo_are_found():
    """Sixty faces of about 25 pixels in a photo of 2048 pixels: 8 pixels in the first pass."""
    canvas = Image.new("RGB", (2048, 1365), (110, 120, 110))
    small = [portrait(name) for name in ("obama_1", "biden", "astronaut", "obama_2")]
    small = [
        face.resize((max(1, round(face.width * s)), max(1, round(face.height * s))))
        for face, s in zip(small, (0.11, 0.18, 0.26, 0.1), strict=True)
    ]
    for index in range(60):
        canvas.paste(small[index % 4], (40 + index % 12 * 165, 40 + index // 12 * 260))
    faces = detect_faces(pixels_of(canvas))
    assert len(faces) == 60
    assert max(face.size for face in faces) < 40


def test_one_large_face_among_small_ones_is_counted_once():
    """Detection at several sizes neither loses the large face nor counts it twice."""
    canvas = Image.new("RGB", (2000, 1500), (110, 120, 110))
    canvas.paste(portrait("obama_1").resize((1120, 1400)), (0, 50))
    tiny = portrait("biden").resize((75, 170))
    for index in range(6):
        canvas.paste(tiny, (1300 + index % 3 * 200, 200 + index // 3 * 500))
    faces = detect_faces(pixels_of(canvas))
    assert len(faces) == 7
    assert faces[0].size > 8 * faces[1].size


@pytest.mark.parametrize("part", [0.75, 0.6])
def test_a_face_cut_by_the_border_is_found(part):
    """The box may extend beyond the photo."""
    image = portrait("obama_1")
    (whole,) = detect_faces(pixels_of(image))
    left = int(whole.box[0] + whole.box[2] * (1 - part))
    (face,) = detect_faces(pixels_of(image.crop((left, 0, image.width, image.height))))
    assert face.size > 0.6 * whole.size


def test_a_face_that_fills_the_photo_is_found():
    """A tight crop, enlarged to 1500 pixels."""
    image = portrait("obama_1")
    (whole,) = detect_faces(pixels_of(image))
    left, top, width, height = whole.box
    crop = image.crop((int(left), int(top), int(left + width), int(top + height))).resize((1200, 1500))
    (face,) = detect_faces(pixels_of(crop))
    assert face.size > 800


@pytest.mark.parametrize("size", [(1, 1), (3, 2000), (640, 480), (31, 33)])
def test_plain_images_of_any_size_show_no_face(size):
    """Images smaller than the network's stride work, too."""
    assert detect_faces(pixels_of(Image.new("RGB", size, (90, 120, 200)))) == []


def test_noise_shows_no_face():
    """No orientation of noise has a face."""
    grain = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)
    assert detect_faces(grain) == []


def test_a_drawn_face_is_not_a_person():
    """The flat squares of the fake engine are not faces."""
    assert detect_faces(pixels_of(draw([Drawn("ann"), Drawn("bob", left=150)]))) == []


def test_the_dog_is_no_face(seed):
    """YuNet alone gives the dog in the tutorial's photo a score of 0.78."""
    with Image.open(seed / "pic1.jpg") as image:
        faces = detect_faces(pixels_of(image.convert("RGB")))
    dog = (414.0, 178.0, 67.0, 80.0)
    assert len(faces) == 6
    assert max(overlap(face.box, dog) for face in faces) < 0.2


@pytest.mark.parametrize("scale", [0.5, 0.75, 1.4, 2.0, 2.8])
def test_the_dog_is_no_face_at_other_sizes_either(seed, scale):
    """The photo shows six people at every size."""
    with Image.open(seed / "pic1.jpg") as image:
        resized = image.convert("RGB").resize((round(image.width * scale), round(image.height * scale)))
    assert len(detect_faces(pixels_of(resized))) == 6


@pytest.mark.parametrize(
    ("scores", "taken"),
    [
        ([0.9, 0.9, 0.9, 0.1, 0.1], 3),
        ([0.55, 0.95, 0.95, 0.9, 0.9], 3),
        ([0.9, 0.4, 0.9, 0.9, 0.9], 2),
        ([0.49, 1.0, 1.0, 1.0, 1.0], 5),
        ([0.7, 0.7, 0.7, 0.7, 0.7], 5),
    ],
)
def test_looks_end_early(scores, taken):
    """One failing look ends the looks, and so do three cheap looks that agree clearly. Later looks are not taken."""
    looks = iter(scores)
    assert _looks_needed(looks) == scores[:taken]
    assert list(looks) == scores[taken:]

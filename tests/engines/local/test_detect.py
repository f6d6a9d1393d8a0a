"""Detection of small, turned and cut faces; animals and things are not faces."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from catalog.engines.local.detect import DetectedFace, detect_faces
from catalog.engines.local.landmark_refinement import refine_landmarks
from catalog.engines.local.second_looks import Look, looks_needed
from tests.engines.local.conftest import SHARED, portrait, side_by_side
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
    """Detection at several sizes keeps the large face and counts it once."""
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
    ("scores", "look_count"),
    [
        ([0.9, 0.9, 0.9, 0.1, 0.1], 3),
        ([0.55, 0.95, 0.95, 0.9, 0.9], 3),
        ([0.9, 0.4, 0.9, 0.9, 0.9], 2),
        ([0.49, 1.0, 1.0, 1.0, 1.0], 5),
        ([0.7, 0.7, 0.7, 0.7, 0.7], 5),
    ],
)
def test_looks_end_early(scores, look_count):
    """One failing look ends the looks, and so do three cheap looks that agree clearly. Later looks are not taken."""
    looks = [Look(64, score, None) for score in scores]
    remaining = iter(looks)
    assert looks_needed(remaining) == looks[:look_count]
    assert list(remaining) == looks[look_count:]


def turned(image: Image.Image, degrees: float) -> Image.Image:
    return image.rotate(-degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=(128, 128, 128))


def refined_faces(image: Image.Image) -> list[DetectedFace]:
    pixels = pixels_of(image)
    return refine_landmarks(pixels, detect_faces(pixels))[0]


def tilt_of(face: DetectedFace) -> float:
    """Return the clockwise turn of the face in degrees, from its eyes and mouth."""
    down = face.landmarks[3:].mean(axis=0) - face.landmarks[:2].mean(axis=0)
    return float(np.degrees(np.arctan2(-down[0], down[1])))


@pytest.mark.parametrize("degrees", [30, 40, 50, -45])
@pytest.mark.parametrize("name", ["obama_1", "obama_3", "astronaut"])
def test_a_tilted_head_is_found(name, degrees):
    """The detector alone gives tilted heads low scores. The face mesh refines the landmarks."""
    image = portrait(name)
    (upright,) = refined_faces(image)
    (face,) = refined_faces(turned(image, degrees))
    assert 0.6 < face.size / upright.size < 1.6
    assert abs(tilt_of(face) - tilt_of(upright) - degrees) < 35


@pytest.mark.parametrize("color", [(60, 90, 170), (25, 25, 25), (235, 235, 235)])
@pytest.mark.parametrize("name", ["obama_1", "biden", "astronaut"])
def test_a_face_with_a_mask_is_found(name, color):
    """A painted mask covers nose, mouth and chin."""
    image = portrait(name)
    (bare,) = detect_faces(pixels_of(image))
    eyes, mouth = bare.landmarks[:2].mean(axis=0), bare.landmarks[3:].mean(axis=0)
    width = float(np.linalg.norm(bare.landmarks[1] - bare.landmarks[0]))
    top, bottom = eyes + 0.35 * (mouth - eyes), eyes + 1.75 * (mouth - eyes)
    corners = [
        (top[0] - width, top[1]),
        (top[0] + width, top[1]),
        (bottom[0] + 0.6 * width, bottom[1]),
        (bottom[0] - 0.6 * width, bottom[1]),
    ]
    ImageDraw.Draw(image).polygon([(float(x), float(y)) for x, y in corners], fill=color)
    (face,) = detect_faces(pixels_of(image))
    assert overlap(face.box, bare.box) > 0.4


@pytest.mark.parametrize("share", [1.0, 0.85])
@pytest.mark.parametrize("name", ["obama_2", "biden", "astronaut"])
def test_a_face_without_a_border_is_found(name, share):
    """A crop at the face's box, enlarged, has no context around the face."""
    image = portrait(name)
    (whole,) = detect_faces(pixels_of(image))
    left, top, width, height = whole.box
    x, y = left + width * (1 - share) / 2, top + height * (1 - share) / 2
    crop = image.crop((int(x), int(y), int(x + width * share), int(y + height * share)))
    (face,) = detect_faces(pixels_of(crop.resize((crop.width * 6, crop.height * 6), Image.Resampling.BICUBIC)))
    assert face.size > 3 * whole.size


@pytest.mark.parametrize(
    ("name", "share", "middle"),
    [
        *[("astronaut", 0.5, 0.42), ("astronaut", 0.5, 0.58), ("astronaut", 0.55, 0.42), ("obama_3", 0.5, 0.58)],
        *[("astronaut", 0.5, 0.5), ("biden", 0.4, 0.58), ("obama_3", 0.4, 0.42), ("obama_1", 0.4, 0.5)],
    ],
)
def test_a_face_larger_than_its_small_photo_is_found(name, share, middle):
    """Programs cut faces out and leave chin and brow out. ``middle``: row of the cut-out's middle in the box."""
    image = portrait(name)
    (whole,) = detect_faces(pixels_of(image))
    left, top, width, height = whole.box
    half, x, y = max(width, height) * share / 2, left + width / 2, top + height * middle
    cut_out = image.crop((int(x - half), int(y - half), int(x + half), int(y + half))).convert("L")
    (face,) = detect_faces(pixels_of(cut_out.resize((192, 192), Image.Resampling.BOX).convert("RGB")))
    scale = 192 / (2 * half)
    expected = ((left - int(x - half)) * scale, (top - int(y - half)) * scale, width * scale, height * scale)
    assert overlap(face.box, expected) > 0.4


@pytest.mark.parametrize("name", ["obama_1", "obama_2", "biden", "astronaut"])
def test_a_face_of_few_large_pixels_is_found(name):
    """Hard edges between enlarged pixels, and clipped blacks and whites, disturb YuNet."""
    image = portrait(name)
    (whole,) = detect_faces(pixels_of(image))
    left, top, width, height = whole.box
    half, x, y = max(width, height) * 0.35, left + width / 2, top + height / 2
    cut_out = image.crop((int(x - half), int(y - half), int(x + half), int(y + half))).convert("L")
    small = cut_out.resize((36, 36), Image.Resampling.BOX)
    mean = float(np.asarray(small).mean())
    contrasted = small.point(lambda value: max(0, min(255, int(128 + 6 * (value - mean)))))
    (face,) = detect_faces(pixels_of(contrasted.resize((192, 192), Image.Resampling.NEAREST).convert("RGB")))
    scale = 192 / (2 * half)
    expected = ((left - int(x - half)) * scale, (top - int(y - half)) * scale, width * scale, height * scale)
    assert overlap(face.box, expected) > 0.4


def test_a_face_that_fills_a_small_photo_is_found_once():
    """A cut-out beside its mirror image gives several candidates at the same place."""
    cut_out = portrait("astronaut").convert("RGB").crop((177, 85, 248, 156))
    both = Image.new("RGB", (142, 71))
    both.paste(cut_out, (0, 0))
    both.paste(cut_out.transpose(Image.Transpose.FLIP_LEFT_RIGHT), (71, 0))
    faces = detect_faces(pixels_of(both.resize((798, 399), Image.Resampling.BOX)))
    pairs = [(a, b) for number, a in enumerate(faces) for b in faces[:number]]
    assert all(overlap(a.box, b.box) < 0.5 for a, b in pairs)


@pytest.mark.parametrize("degrees", [90, 180, 270])
@pytest.mark.parametrize("enlargement", [0.5, 2.5])
def test_a_turned_face_beside_an_upright_one_is_found(degrees, enlargement):
    """Album pages have prints in several directions; every face has its own direction."""
    page = side_by_side(portrait("astronaut"), portrait("obama_2").rotate(-degrees, expand=True))
    page = page.resize((round(page.width * enlargement), round(page.height * enlargement)))
    faces = sorted(detect_faces(pixels_of(page)), key=lambda face: face.box[0])
    assert len(faces) == 2
    assert abs(tilt_of(faces[0])) < 20
    assert np.cos(np.radians(tilt_of(faces[1]) - degrees)) > np.cos(np.radians(20))


def test_every_print_of_an_album_page_is_found():
    """Four prints in four directions, one of them upright."""
    people = [portrait(name).resize((300, 400)) for name in ("obama_1", "biden", "astronaut", "obama_3")]
    prints = [image.rotate(90 * index, expand=True) for index, image in enumerate(people)]
    assert len(detect_faces(pixels_of(side_by_side(*prints)))) == 4


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_the_sideways_case_has_two_faces(degrees):
    """data/cases/sideways_beside_upright: an upright person and a turned person on one photo."""
    path = SHARED / "cases" / "sideways_beside_upright" / f"upright_and_{degrees}.jpg"
    if not path.is_file():
        pytest.skip("data/cases is not beside this checkout")
    with Image.open(path) as image:
        assert len(detect_faces(pixels_of(image.convert("RGB")))) == 2


@pytest.mark.parametrize("is_vertical", [False, True])
def test_the_faces_of_a_panorama_are_found_once(is_vertical):
    """Faces of about 50 pixels in 12,000 x 700 pixels, also on the borders of tiles."""
    canvas = Image.new("RGB", (12_000, 700), (120, 120, 120))
    people = [portrait(name) for name in ("obama_1", "biden", "astronaut")]
    scales = [50 / detect_faces(pixels_of(image))[0].size for image in people]
    sizes = [(round(image.width * s), round(image.height * s)) for image, s in zip(people, scales, strict=True)]
    small = [image.resize(size) for image, size in zip(people, sizes, strict=True)]
    for index in range(24):
        canvas.paste(small[index % 3], (100 + index * 490, 30 + index * 137 % 400))
    if is_vertical:
        canvas = Image.fromarray(np.concatenate(np.split(np.asarray(canvas), 24, axis=1), axis=0))
    assert len(detect_faces(pixels_of(canvas))) == 24

"""The face mesh: landmarks under Amazon's names, pose with Amazon's signs, eye and mouth openings."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageOps

from catalog.engines.local.detect import detect_faces
from catalog.engines.local.mesh import FaceMesh, locate_meshes
from tests.engines.local.conftest import portrait

AMAZON = [
    "eyeLeft",
    "eyeRight",
    "mouthLeft",
    "mouthRight",
    "nose",
    "leftEyeBrowLeft",
    "leftEyeBrowRight",
    "leftEyeBrowUp",
    "rightEyeBrowLeft",
    "rightEyeBrowRight",
    "rightEyeBrowUp",
    "leftEyeLeft",
    "leftEyeRight",
    "leftEyeUp",
    "leftEyeDown",
    "rightEyeLeft",
    "rightEyeRight",
    "rightEyeUp",
    "rightEyeDown",
    "noseLeft",
    "noseRight",
    "mouthUp",
    "mouthDown",
    "leftPupil",
    "rightPupil",
    "upperJawlineLeft",
    "midJawlineLeft",
    "chinBottom",
    "midJawlineRight",
    "upperJawlineRight",
]


def mesh_of(image: Image.Image) -> FaceMesh:
    pixels = np.asarray(image)
    return locate_meshes(pixels, detect_faces(pixels)[:1])[0]


@pytest.fixture(scope="module")
def biden() -> FaceMesh:
    return mesh_of(portrait("biden"))


def test_thirty_landmarks_under_amazons_names(biden):
    """All thirty landmarks exist, and left is the viewer's left."""
    landmarks = biden.landmarks()
    assert sorted(landmarks) == sorted(AMAZON)
    pairs = [(name, name.replace("Left", "Right")) for name in AMAZON if name.endswith("Left")]
    assert all(landmarks[left][0] < landmarks[right][0] for left, right in pairs if right in landmarks)


def test_landmarks_have_the_order_of_a_face(biden):
    """The order from the top is brows, eyes, nose, mouth, chin."""
    heights = {name: y for name, (_, y) in biden.landmarks().items()}
    order = ["leftEyeBrowUp", "leftEyeUp", "leftEyeDown", "nose", "mouthUp", "mouthDown", "chinBottom"]
    assert [heights[name] for name in order] == sorted(heights[name] for name in order)


def test_landmarks_agree_with_detection(biden):
    """Eyes, nose and mouth agree with the detector within a tenth of the face."""
    face = detect_faces(np.asarray(portrait("biden")))[0]
    landmarks = biden.landmarks()
    for name, point in zip(("eyeLeft", "eyeRight", "nose", "mouthLeft", "mouthRight"), face.landmarks, strict=True):
        assert np.hypot(*(np.array(landmarks[name]) - point)) < 0.1 * face.size


@pytest.mark.parametrize("degrees", [-12, 12])
def test_roll_follows_the_photo(biden, degrees):
    """A photo turned clockwise adds its angle to the roll, with Amazon's sign."""
    turned = portrait("biden").rotate(-degrees, Image.Resampling.BICUBIC, fillcolor=(128, 128, 128))
    assert mesh_of(turned).pose().roll - biden.pose().roll == pytest.approx(degrees, abs=5)


def test_a_mirror_image_negates_the_yaw():
    """A mirrored portrait has the opposite yaw and the same pitch."""
    image = portrait("obama_2")
    straight, mirrored = mesh_of(image).pose(), mesh_of(ImageOps.mirror(image)).pose()
    assert mirrored.yaw == pytest.approx(-straight.yaw, abs=5)
    assert mirrored.pitch == pytest.approx(straight.pitch, abs=5)


def test_a_smile_with_teeth_opens_the_mouth_and_not_the_eyes():
    """Openings are ratios. The laughing astronaut has an open mouth; a mesh with closed lips has none."""
    mesh = mesh_of(portrait("astronaut"))
    assert mesh.mouth_opening() > 0.05
    assert all(0.15 < opening < 0.5 for opening in mesh.eye_openings())
    shut = mesh.points.copy()
    for upper, lower in ((82, 87), (13, 14), (312, 317)):
        shut[lower] = shut[upper]
    assert FaceMesh(shut, 1.0).mouth_opening() == pytest.approx(0, abs=1e-9)


def test_a_wall_has_no_face():
    """A crop without a face has a low face probability."""
    pixels = np.full((300, 300, 3), 120, np.uint8)
    face = detect_faces(np.asarray(portrait("biden")))[0]
    inside = type(face)(
        box=(50, 50, 150, 200),
        landmarks=face.landmarks * 0 + [[90, 110], [160, 110], [125, 150], [95, 190], [155, 190]],
        confidence=50.0,
    )
    assert locate_meshes(pixels, [inside])[0].presence < 0.5

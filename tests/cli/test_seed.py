"""Three photos, compared with the answers of Amazon Rekognition."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from catalog.domain.faces import BoundingBox

SEED = Path(__file__).parents[3] / "shared" / "data" / "seed"

pytestmark = pytest.mark.skipif(not SEED.is_dir(), reason="the photos of ../shared/data/seed are not here")


@pytest.fixture(scope="module")
def amazon():
    return json.loads((SEED / "rekognition_answers.json").read_text())


def box_of(body):
    return BoundingBox(body["Left"], body["Top"], body["Width"], body["Height"])


@pytest.mark.parametrize(("photo", "faces"), [("pic1.jpg", 6), ("pic2.jpg", 1), ("pic3.jpg", 4)])
def test_every_face_is_found_and_no_dog(catalog, photo, faces):
    """Six people and a dog are six faces."""
    answer = catalog("analyze", SEED / photo, "--json")
    assert len(answer.json["FaceDetails"]) == faces


def test_each_face_of_the_family_is_happy_and_smiles(catalog):
    """Each face's strongest emotion is HAPPY."""
    faces = catalog("analyze", SEED / "pic1.jpg", "--json").json["FaceDetails"]
    assert [face["Emotions"][0]["Type"] for face in faces] == ["HAPPY"] * 6
    assert all(face["Smile"]["Value"] for face in faces)


def test_the_father_is_found_where_amazon_found_him(catalog, amazon):
    """One match with a similarity above 99. Its box overlaps Amazon's box."""
    answer = catalog("compare", SEED / "pic3.jpg", SEED / "pic1.jpg", "--json", "--threshold", 80)
    (match,) = answer.json["FaceMatches"]
    (amazon_match,) = amazon["compare"][1]["matches_at_80"]
    assert match["Similarity"] > 99
    assert box_of(match["Face"]["BoundingBox"]).iou(box_of(amazon_match)) > 0.5
    assert len(answer.json["UnmatchedFaces"]) == 5
    assert box_of(answer.json["SourceImageFace"]["BoundingBox"]).iou(box_of(amazon["compare"][1]["source_face"])) > 0.5


def test_the_stranger_matches_no_face(catalog):
    """All similarities are below 5."""
    answer = catalog("compare", SEED / "pic2.jpg", SEED / "pic1.jpg", "--json", "--threshold", 0)
    assert max(match["Similarity"] for match in answer.json["FaceMatches"]) < 5


def test_each_face_of_the_third_photo_is_found_in_the_first(catalog):
    """find-person with all faces names the first photo for each person who is on both."""
    assert catalog("scan", SEED).code == 0
    answer = catalog("find-person", SEED / "pic3.jpg", "--all-faces", "--json")
    assert answer.code == 0
    text = json.dumps(answer.json)
    assert text.count("pic1.jpg") == 4
    assert "pic2.jpg" not in text

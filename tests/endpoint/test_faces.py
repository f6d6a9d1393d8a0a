"""Detecting, indexing, listing, deleting and comparing faces of real photos, over HTTP with boto3."""

from __future__ import annotations

import threading
from io import BytesIO

import pytest
from PIL import Image

from tests.endpoint.wire import UNKNOWN_FACE, client_of, encode, group, nobody, portrait, refused

DEFAULT_MEMBERS = {"BoundingBox", "Confidence", "Landmarks", "Pose", "Quality"}


def overlap(a, b):
    across = min(a["Left"] + a["Width"], b["Left"] + b["Width"]) - max(a["Left"], b["Left"])
    down = min(a["Top"] + a["Height"], b["Top"] + b["Height"]) - max(a["Top"], b["Top"])
    shared = max(across, 0) * max(down, 0)
    return shared / (a["Width"] * a["Height"] + b["Width"] * b["Height"] - shared)


# ------------------------------------------------------------------------------------------------ DetectFaces


def test_default_attributes_are_five_members_and_five_landmarks(rekognition):
    """Nothing else is present at all."""
    (face,) = rekognition.detect_faces(Image={"Bytes": portrait("biden")})["FaceDetails"]
    assert set(face) == DEFAULT_MEMBERS
    names = {"eyeLeft", "eyeRight", "mouthLeft", "mouthRight", "nose"}
    assert sorted(point["Type"] for point in face["Landmarks"]) == sorted(names)


def test_all_attributes_hold_whatever_was_measured(rekognition):
    """Every attribute is of the model's type; what the engine does not measure is absent."""
    (face,) = rekognition.detect_faces(Image={"Bytes": portrait("biden")}, Attributes=["ALL"])["FaceDetails"]
    assert set(face) >= DEFAULT_MEMBERS
    for member in set(face) & {"Smile", "Eyeglasses", "Sunglasses", "Beard", "Mustache", "EyesOpen", "MouthOpen"}:
        assert isinstance(face[member]["Value"], bool)
        assert 0 <= face[member]["Confidence"] <= 100
    confidences = [emotion["Confidence"] for emotion in face.get("Emotions", [])]
    assert confidences == sorted(confidences, reverse=True)


def test_a_single_attribute_adds_to_the_default(rekognition):
    """GENDER gives a gender, and no age."""
    (face,) = rekognition.detect_faces(Image={"Bytes": portrait("biden")}, Attributes=["GENDER"])["FaceDetails"]
    assert DEFAULT_MEMBERS <= set(face) <= DEFAULT_MEMBERS | {"Gender"}


def test_faces_come_largest_first(rekognition):
    """Two men of different size."""
    faces = rekognition.detect_faces(Image={"Bytes": group()})["FaceDetails"]
    assert len(faces) == 2
    areas = [face["BoundingBox"]["Width"] * face["BoundingBox"]["Height"] for face in faces]
    assert areas == sorted(areas, reverse=True)


def test_no_face_is_an_empty_list(rekognition):
    """DetectFaces of a wall is a success."""
    assert rekognition.detect_faces(Image={"Bytes": nobody()})["FaceDetails"] == []


def test_boxes_are_of_the_upright_picture(rekognition):
    """A photo that lies on its side and says so in EXIF gives the box of the photo standing up."""
    upright = Image.open(BytesIO(portrait("biden")))
    exif = Image.Exif()
    exif[274] = 6
    lying = encode(upright.transpose(Image.Transpose.ROTATE_90), quality=95, exif=exif)
    standing = encode(upright, quality=95)
    (a,), (b,) = (rekognition.detect_faces(Image={"Bytes": data})["FaceDetails"] for data in (lying, standing))
    assert overlap(a["BoundingBox"], b["BoundingBox"]) > 0.9


# ------------------------------------------------------------------------------------------------ IndexFaces


def test_an_indexed_face_is_kept_with_its_image(rekognition, collection):
    """Record and list agree; ExternalImageId and ImageId are the photo's."""
    answer = rekognition.index_faces(
        CollectionId=collection, Image={"Bytes": group()}, ExternalImageId="two:men_1.jpg", DetectionAttributes=["ALL"]
    )
    assert len(answer["FaceRecords"]) == 2
    for record in answer["FaceRecords"]:
        assert record["Face"]["BoundingBox"] == record["FaceDetail"]["BoundingBox"]
        assert record["Face"]["ExternalImageId"] == "two:men_1.jpg"
        assert record["Face"]["IndexFacesModelVersion"] == answer["FaceModelVersion"]
    assert len({record["Face"]["ImageId"] for record in answer["FaceRecords"]}) == 1
    listed = rekognition.list_faces(CollectionId=collection)["Faces"]
    assert sorted(listed, key=lambda face: face["FaceId"]) == sorted(
        (record["Face"] for record in answer["FaceRecords"]), key=lambda face: face["FaceId"]
    )


def test_indexing_the_same_photo_again_gives_the_same_faces(rekognition, collection, index):
    """Same bytes and external id: same ids, nothing stored twice."""
    assert index("biden") == index("biden")
    assert rekognition.describe_collection(CollectionId=collection)["FaceCount"] == 1


def test_another_external_id_makes_another_face(rekognition, collection, index):
    """Same bytes under another name are stored again, with the same ImageId."""
    first = index("biden")
    answer = rekognition.index_faces(CollectionId=collection, Image={"Bytes": portrait("biden")}, ExternalImageId="x")
    assert answer["FaceRecords"][0]["Face"]["FaceId"] != first
    listed = rekognition.list_faces(CollectionId=collection)["Faces"]
    assert len({face["FaceId"] for face in listed}) == 2
    assert len({face["ImageId"] for face in listed}) == 1


def test_indexing_the_same_photo_at_once_stores_it_once(url, rekognition, collection):
    """Eight clients with one photo at the same moment."""
    start, ids = threading.Barrier(8), []

    def work():
        client = client_of(url)
        start.wait()
        answer = client.index_faces(CollectionId=collection, Image={"Bytes": portrait("biden")}, ExternalImageId="x")
        ids.append(answer["FaceRecords"][0]["Face"]["FaceId"])

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 8
    assert len(set(ids)) == 1
    assert rekognition.describe_collection(CollectionId=collection)["FaceCount"] == 1


def test_a_photo_without_a_face_is_a_success(rekognition, collection):
    """IndexFaces of a wall stores nothing."""
    answer = rekognition.index_faces(CollectionId=collection, Image={"Bytes": nobody()})
    assert answer["FaceRecords"] == []
    assert answer["UnindexedFaces"] == []


def test_faces_beyond_the_most_wanted_are_told(rekognition, collection):
    """With MaxFaces 1 the larger of two good faces is kept, and the other is reported."""
    answer = rekognition.index_faces(CollectionId=collection, Image={"Bytes": group()}, MaxFaces=1)
    (record,), (left_out,) = answer["FaceRecords"], answer["UnindexedFaces"]
    assert left_out["Reasons"] == ["EXCEEDS_MAX_FACES"]
    assert record["FaceDetail"]["BoundingBox"]["Height"] > left_out["FaceDetail"]["BoundingBox"]["Height"]
    again = rekognition.index_faces(CollectionId=collection, Image={"Bytes": group()})
    assert again["FaceRecords"][0]["Face"]["FaceId"] == record["Face"]["FaceId"]
    assert len(again["FaceRecords"]) == 2


def test_a_poor_face_is_rejected_with_reasons(rekognition, collection):
    """A face of a few blurred pixels passes NONE and fails HIGH."""
    small = Image.open(BytesIO(portrait("biden"))).convert("RGB")
    small.thumbnail((110, 110))
    canvas = Image.new("RGB", (640, 480), (120, 120, 120))
    canvas.paste(small, (280, 200))
    photo = {"Bytes": encode(canvas)}
    strict = rekognition.index_faces(CollectionId=collection, Image=photo, QualityFilter="HIGH")
    assert strict["FaceRecords"] == []
    assert strict["UnindexedFaces"][0]["Reasons"]
    lax = rekognition.index_faces(CollectionId=collection, Image=photo, QualityFilter="NONE")
    assert len(lax["FaceRecords"]) == 1


# ------------------------------------------------------------------------------------------------ ListFaces


def test_faces_are_listed_in_pages(rekognition, collection, index):
    """Every face once."""
    ids = {index(name) for name in ("biden", "obama_1", "obama_2")}
    pages = list(
        rekognition.get_paginator("list_faces").paginate(CollectionId=collection, PaginationConfig={"PageSize": 1})
    )
    assert {face["FaceId"] for page in pages for face in page["Faces"]} == ids
    assert sum(len(page["Faces"]) for page in pages) == 3


def test_faces_can_be_asked_for_by_id(rekognition, collection, index):
    """FaceIds filters; one that is not there is simply not listed."""
    face_id = index("biden")
    index("obama_1")
    listed = rekognition.list_faces(CollectionId=collection, FaceIds=[face_id, UNKNOWN_FACE])["Faces"]
    assert [face["FaceId"] for face in listed] == [face_id]


def test_faces_of_an_unknown_user_are_not_found(rekognition, collection):
    """UserId must exist."""
    with refused("ResourceNotFoundException"):
        rekognition.list_faces(CollectionId=collection, UserId="nobody")


# ------------------------------------------------------------------------------------------------ DeleteFaces


def test_deleted_faces_are_gone_and_others_are_told(rekognition, collection, index):
    """What was there is deleted once; what was not is FACE_NOT_FOUND."""
    face_id = index("biden")
    answer = rekognition.delete_faces(CollectionId=collection, FaceIds=[face_id, UNKNOWN_FACE, face_id])
    assert answer["DeletedFaces"] == [face_id]
    assert answer["UnsuccessfulFaceDeletions"] == [{"FaceId": UNKNOWN_FACE, "Reasons": ["FACE_NOT_FOUND"]}]
    assert rekognition.list_faces(CollectionId=collection)["Faces"] == []


# ------------------------------------------------------------------------------------------------ CompareFaces


def test_the_same_man_matches_and_the_other_does_not(rekognition):
    """The source's largest face against each of the target's."""
    answer = rekognition.compare_faces(SourceImage={"Bytes": portrait("obama_1")}, TargetImage={"Bytes": group()})
    (match,), (other,) = answer["FaceMatches"], answer["UnmatchedFaces"]
    assert match["Similarity"] >= 99
    assert set(match["Face"]) == set(other) == DEFAULT_MEMBERS
    assert set(answer["SourceImageFace"]) == {"BoundingBox", "Confidence"}


def test_threshold_zero_gives_every_face_a_similarity(rekognition):
    """Nothing is unmatched, and the most similar comes first."""
    answer = rekognition.compare_faces(
        SourceImage={"Bytes": portrait("biden")}, TargetImage={"Bytes": group()}, SimilarityThreshold=0
    )
    first, second = answer["FaceMatches"]
    assert first["Similarity"] > 80 > second["Similarity"]
    assert answer["UnmatchedFaces"] == []


@pytest.mark.parametrize("pair", [("biden", None), (None, "biden")])
def test_comparing_needs_a_face_on_both_sides(rekognition, pair):
    """InvalidParameterException, unlike DetectFaces."""
    source, target = (nobody() if name is None else portrait(name) for name in pair)
    with refused("InvalidParameterException") as error:
        rekognition.compare_faces(SourceImage={"Bytes": source}, TargetImage={"Bytes": target})
    assert error.value.response["Error"]["Message"] == "Request has invalid parameters"

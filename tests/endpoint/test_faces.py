"""DetectFaces, IndexFaces, ListFaces, DeleteFaces and CompareFaces on real photos, over HTTP with boto3."""

from __future__ import annotations

import threading
from io import BytesIO

import pytest
from PIL import Image

from tests.endpoint.wire import UNKNOWN_FACE, client_of, encode, group, no_face, portrait, refused

DEFAULT_MEMBERS = {"BoundingBox", "Confidence", "Landmarks", "Pose", "Quality"}


def overlap(a, b):
    across = min(a["Left"] + a["Width"], b["Left"] + b["Width"]) - max(a["Left"], b["Left"])
    down = min(a["Top"] + a["Height"], b["Top"] + b["Height"]) - max(a["Top"], b["Top"])
    shared = max(across, 0) * max(down, 0)
    return shared / (a["Width"] * a["Height"] + b["Width"] * b["Height"] - shared)


# ------------------------------------------------------------------------------------------------ DetectFaces


def test_default_attributes_are_five_members_and_five_landmarks(rekognition):
    """All other members are absent."""
    (face,) = rekognition.detect_faces(Image={"Bytes": portrait("biden")})["FaceDetails"]
    assert set(face) == DEFAULT_MEMBERS
    names = {"eyeLeft", "eyeRight", "mouthLeft", "mouthRight", "nose"}
    assert sorted(point["Type"] for point in face["Landmarks"]) == sorted(names)


def test_all_attributes_have_values_of_the_model_types(rekognition):
    """Attributes that the engine does not measure are absent."""
    (face,) = rekognition.detect_faces(Image={"Bytes": portrait("biden")}, Attributes=["ALL"])["FaceDetails"]
    assert set(face) >= DEFAULT_MEMBERS
    for member in set(face) & {"Smile", "Eyeglasses", "Sunglasses", "Beard", "Mustache", "EyesOpen", "MouthOpen"}:
        assert isinstance(face[member]["Value"], bool)
        assert 0 <= face[member]["Confidence"] <= 100
    confidences = [emotion["Confidence"] for emotion in face.get("Emotions", [])]
    assert confidences == sorted(confidences, reverse=True)


def test_all_attributes_are_present_and_can_be_indexed(rekognition):
    """A client reads every member of FaceDetail without asking whether it is there."""
    for image in (portrait("biden"), portrait("astronaut"), group()):
        for face in rekognition.detect_faces(Image={"Bytes": image}, Attributes=["ALL"])["FaceDetails"]:
            for member in (
                *("Smile", "Eyeglasses", "Sunglasses", "Beard", "Mustache", "EyesOpen", "MouthOpen", "FaceOccluded"),
            ):
                assert face[member]["Value"] in (True, False)
                assert 50 <= face[member]["Confidence"] <= 100
            assert {"Yaw", "Pitch", "Confidence"} == set(face["EyeDirection"])
            assert face["AgeRange"]["Low"] <= face["AgeRange"]["High"]
            assert face["Gender"]["Value"] in ("Male", "Female")
            assert len({point["Type"] for point in face["Landmarks"]}) == 30
            assert {emotion["Type"] for emotion in face["Emotions"]} == {
                *("HAPPY", "SAD", "ANGRY", "CONFUSED", "DISGUSTED", "SURPRISED", "CALM", "FEAR")
            }


def test_a_single_attribute_is_added_to_the_default(rekognition):
    """GENDER adds Gender and not AgeRange."""
    (face,) = rekognition.detect_faces(Image={"Bytes": portrait("biden")}, Attributes=["GENDER"])["FaceDetails"]
    assert DEFAULT_MEMBERS <= set(face) <= DEFAULT_MEMBERS | {"Gender"}


def test_faces_are_ordered_largest_first(rekognition):
    """The image shows two faces of different size."""
    faces = rekognition.detect_faces(Image={"Bytes": group()})["FaceDetails"]
    assert len(faces) == 2
    areas = [face["BoundingBox"]["Width"] * face["BoundingBox"]["Height"] for face in faces]
    assert areas == sorted(areas, reverse=True)


def test_an_image_without_faces_gives_an_empty_list(rekognition):
    """DetectFaces succeeds."""
    assert rekognition.detect_faces(Image={"Bytes": no_face()})["FaceDetails"] == []


def test_boxes_refer_to_the_upright_image(rekognition):
    """A rotated photo with EXIF orientation has the same box as the upright photo."""
    upright = Image.open(BytesIO(portrait("biden")))
    exif = Image.Exif()
    exif[274] = 6
    rotated = encode(upright.transpose(Image.Transpose.ROTATE_90), quality=95, exif=exif)
    reference = encode(upright, quality=95)
    (a,), (b,) = (rekognition.detect_faces(Image={"Bytes": data})["FaceDetails"] for data in (rotated, reference))
    assert overlap(a["BoundingBox"], b["BoundingBox"]) > 0.9


# ------------------------------------------------------------------------------------------------ IndexFaces


def test_an_indexed_face_is_listed_with_its_image(rekognition, collection):
    """IndexFaces and ListFaces return the same Face. Both faces of the photo have its ImageId and ExternalImageId."""
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
    """The same bytes and ExternalImageId give the same FaceIds. Each face is stored once."""
    assert index("biden") == index("biden")
    assert rekognition.describe_collection(CollectionId=collection)["FaceCount"] == 1


def test_indexing_again_without_external_id_gives_new_faces(rekognition, collection):
    """As at Amazon. The ImageId is the same, and both faces can be searched."""
    records = [
        rekognition.index_faces(CollectionId=collection, Image={"Bytes": portrait("biden")})["FaceRecords"]
        for _ in range(2)
    ]
    first, second = (faces[0]["Face"] for faces in records)
    assert first["FaceId"] != second["FaceId"]
    assert first["ImageId"] == second["ImageId"]
    (match,) = rekognition.search_faces(CollectionId=collection, FaceId=first["FaceId"])["FaceMatches"]
    assert match["Face"]["FaceId"] == second["FaceId"]


def test_another_external_id_gives_another_face(rekognition, collection, index):
    """The same bytes with another ExternalImageId are stored again, with the same ImageId."""
    first = index("biden")
    answer = rekognition.index_faces(CollectionId=collection, Image={"Bytes": portrait("biden")}, ExternalImageId="x")
    assert answer["FaceRecords"][0]["Face"]["FaceId"] != first
    listed = rekognition.list_faces(CollectionId=collection)["Faces"]
    assert len({face["FaceId"] for face in listed}) == 2
    assert len({face["ImageId"] for face in listed}) == 1


def test_concurrent_indexing_of_one_photo_stores_it_once(url, rekognition, collection):
    """Eight clients index the same photo at the same time."""
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


def test_indexing_a_photo_without_faces_succeeds(rekognition, collection):
    """IndexFaces stores nothing."""
    answer = rekognition.index_faces(CollectionId=collection, Image={"Bytes": no_face()})
    assert answer["FaceRecords"] == []
    assert answer["UnindexedFaces"] == []


def test_faces_beyond_max_faces_are_reported(rekognition, collection):
    """With MaxFaces 1 the larger of two good faces is indexed, the other is in UnindexedFaces."""
    answer = rekognition.index_faces(CollectionId=collection, Image={"Bytes": group()}, MaxFaces=1)
    (record,), (unindexed,) = answer["FaceRecords"], answer["UnindexedFaces"]
    assert unindexed["Reasons"] == ["EXCEEDS_MAX_FACES"]
    assert record["FaceDetail"]["BoundingBox"]["Height"] > unindexed["FaceDetail"]["BoundingBox"]["Height"]
    image = {"CollectionId": collection, "Image": {"Bytes": group()}, "ExternalImageId": "x"}
    (first,) = rekognition.index_faces(**image, MaxFaces=1)["FaceRecords"]
    again = rekognition.index_faces(**image)
    assert again["FaceRecords"][0]["Face"]["FaceId"] == first["Face"]["FaceId"]
    assert len(again["FaceRecords"]) == 2


def test_a_poor_face_is_rejected_with_reasons(rekognition, collection):
    """QualityFilter NONE accepts a face of few blurred pixels, HIGH rejects it."""
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
    """Each face is on one page."""
    ids = {index(name) for name in ("biden", "obama_1", "obama_2")}
    pages = list(
        rekognition.get_paginator("list_faces").paginate(CollectionId=collection, PaginationConfig={"PageSize": 1})
    )
    assert {face["FaceId"] for page in pages for face in page["Faces"]} == ids
    assert sum(len(page["Faces"]) for page in pages) == 3


def test_faces_can_be_listed_by_id(rekognition, collection, index):
    """An unknown id is left out."""
    face_id = index("biden")
    index("obama_1")
    listed = rekognition.list_faces(CollectionId=collection, FaceIds=[face_id, UNKNOWN_FACE])["Faces"]
    assert [face["FaceId"] for face in listed] == [face_id]


def test_faces_of_an_unknown_user_are_not_found(rekognition, collection):
    """UserId must exist."""
    with refused("ResourceNotFoundException"):
        rekognition.list_faces(CollectionId=collection, UserId="unknown")


# ------------------------------------------------------------------------------------------------ DeleteFaces


def test_delete_faces_reports_deleted_and_unknown_faces(rekognition, collection, index):
    """A face is reported once. An unknown face is reported as FACE_NOT_FOUND."""
    face_id = index("biden")
    answer = rekognition.delete_faces(CollectionId=collection, FaceIds=[face_id, UNKNOWN_FACE, face_id])
    assert answer["DeletedFaces"] == [face_id]
    assert answer["UnsuccessfulFaceDeletions"] == [{"FaceId": UNKNOWN_FACE, "Reasons": ["FACE_NOT_FOUND"]}]
    assert rekognition.list_faces(CollectionId=collection)["Faces"] == []


# ------------------------------------------------------------------------------------------------ CompareFaces


def test_compare_faces_separates_matches_from_other_faces(rekognition):
    """The largest face of the source is compared with each face of the target."""
    answer = rekognition.compare_faces(SourceImage={"Bytes": portrait("obama_1")}, TargetImage={"Bytes": group()})
    (match,), (unmatched,) = answer["FaceMatches"], answer["UnmatchedFaces"]
    assert match["Similarity"] >= 99
    assert set(match["Face"]) == set(unmatched) == DEFAULT_MEMBERS
    assert set(answer["SourceImageFace"]) == {"BoundingBox", "Confidence"}


def test_threshold_zero_matches_every_face(rekognition):
    """Matches are ordered by similarity, highest first."""
    answer = rekognition.compare_faces(
        SourceImage={"Bytes": portrait("biden")}, TargetImage={"Bytes": group()}, SimilarityThreshold=0
    )
    first, second = answer["FaceMatches"]
    assert first["Similarity"] > 80 > second["Similarity"]
    assert answer["UnmatchedFaces"] == []


@pytest.mark.parametrize("pair", [("biden", None), (None, "biden")])
def test_compare_faces_needs_a_face_in_both_images(rekognition, pair):
    """InvalidParameterException, unlike DetectFaces."""
    source, target = (no_face() if name is None else portrait(name) for name in pair)
    with refused("InvalidParameterException") as error:
        rekognition.compare_faces(SourceImage={"Bytes": source}, TargetImage={"Bytes": target})
    assert error.value.response["Error"]["Message"] == "Request has invalid parameters"

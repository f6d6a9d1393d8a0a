"""SearchFaces and SearchFacesByImage, over HTTP with boto3."""

from __future__ import annotations

import time

import pytest

from catalog.endpoint.fault_injection import FaultPlan
from catalog.web.endpoint_server import open_endpoint
from tests.endpoint.wire import UNKNOWN_FACE, client_of, group, no_face, portrait, refused


def test_a_search_finds_other_faces_of_the_person(rekognition, collection, index):
    """Matches are ordered by similarity and do not include the searched face."""
    first, second, third = index("obama_1"), index("obama_2"), index("obama_3")
    index("biden")
    answer = rekognition.search_faces(CollectionId=collection, FaceId=first)
    assert answer["SearchedFaceId"] == first
    assert {match["Face"]["FaceId"] for match in answer["FaceMatches"]} == {second, third}
    similarities = [match["Similarity"] for match in answer["FaceMatches"]]
    assert similarities == sorted(similarities, reverse=True)
    assert answer["FaceMatches"][0]["Face"]["ExternalImageId"].startswith("obama_")


def test_threshold_and_limit_are_applied(rekognition, collection, index):
    """Threshold 0 matches every face, threshold 100 none. MaxFaces keeps the most similar faces."""
    first, second = index("obama_1"), index("obama_2")
    index("biden")
    matches = rekognition.search_faces(CollectionId=collection, FaceId=first, FaceMatchThreshold=0)["FaceMatches"]
    assert len(matches) == 2
    limited = rekognition.search_faces(CollectionId=collection, FaceId=first, FaceMatchThreshold=0, MaxFaces=1)
    assert [match["Face"]["FaceId"] for match in limited["FaceMatches"]] == [second]
    assert rekognition.search_faces(CollectionId=collection, FaceId=first, FaceMatchThreshold=100)["FaceMatches"] == []


def test_an_unknown_face_is_an_invalid_parameter(rekognition, collection):
    """Not ResourceNotFoundException."""
    with refused("InvalidParameterException") as error:
        rekognition.search_faces(CollectionId=collection, FaceId=UNKNOWN_FACE)
    assert error.value.response["Error"]["Message"] == "faceId was not found in the collection."


def test_an_image_is_searched_by_its_largest_face(rekognition, collection, index):
    """Smaller faces are ignored."""
    obama = index("obama_1")
    index("biden")
    answer = rekognition.search_faces_by_image(CollectionId=collection, Image={"Bytes": group()})
    assert [match["Face"]["FaceId"] for match in answer["FaceMatches"]] == [obama]
    assert answer["SearchedFaceConfidence"] > 50
    assert answer["SearchedFaceBoundingBox"]["Left"] < 0.5


def test_all_comparisons_of_two_faces_agree(rekognition, collection, index):
    """SearchFaces, SearchFacesByImage and CompareFaces give about the same similarity of two different men."""
    obama, biden = index("obama_2"), index("biden")
    by_face = rekognition.search_faces(CollectionId=collection, FaceId=obama, FaceMatchThreshold=0)["FaceMatches"]
    image = {"Bytes": portrait("obama_2")}
    by_image = rekognition.search_faces_by_image(CollectionId=collection, Image=image, FaceMatchThreshold=0)
    compared = rekognition.compare_faces(
        SourceImage=image, TargetImage={"Bytes": portrait("biden")}, SimilarityThreshold=0
    )
    (searched,) = [match["Similarity"] for match in by_face]
    (searched_by_image,) = [m["Similarity"] for m in by_image["FaceMatches"] if m["Face"]["FaceId"] == biden]
    (direct,) = [match["Similarity"] for match in compared["FaceMatches"]]
    assert searched == pytest.approx(direct, rel=0.05)
    assert searched_by_image == pytest.approx(direct, rel=0.05)
    assert direct < 20


def test_an_image_without_a_face_is_an_invalid_parameter(rekognition, collection):
    """Unlike IndexFaces."""
    with refused("InvalidParameterException") as error:
        rekognition.search_faces_by_image(CollectionId=collection, Image={"Bytes": no_face()})
    assert error.value.response["Error"]["Message"] == "There are no faces in the image. Should be at least 1."


def test_a_deleted_face_is_not_found(rekognition, collection, index):
    """SearchFacesByImage does not match the face. SearchFaces refuses its id."""
    face_id = index("biden")
    rekognition.delete_faces(CollectionId=collection, FaceIds=[face_id])
    response = rekognition.search_faces_by_image(CollectionId=collection, Image={"Bytes": portrait("biden")})
    assert response["FaceMatches"] == []
    with refused("InvalidParameterException"):
        rekognition.search_faces(CollectionId=collection, FaceId=face_id)


def test_a_new_face_is_searchable_after_the_consistency_delay():
    """The face is listed at once, as at Amazon."""
    with open_endpoint(plan=FaultPlan(consistency_delay=2.0)) as server, server.in_background() as url:
        client = client_of(url)
        client.create_collection(CollectionId="c")
        answer = client.index_faces(CollectionId="c", Image={"Bytes": portrait("biden")})
        face_id = answer["FaceRecords"][0]["Face"]["FaceId"]
        assert len(client.list_faces(CollectionId="c")["Faces"]) == 1
        with refused("InvalidParameterException"):
            client.search_faces(CollectionId="c", FaceId=face_id)
        by_image = {"CollectionId": "c", "Image": {"Bytes": portrait("biden")}}
        assert client.search_faces_by_image(**by_image)["FaceMatches"] == []
        time.sleep(2.0)
        client.search_faces(CollectionId="c", FaceId=face_id)
        assert client.search_faces_by_image(**by_image)["FaceMatches"][0]["Similarity"] == pytest.approx(100, abs=0.5)

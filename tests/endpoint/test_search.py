"""Searching a collection's faces, over HTTP with boto3."""

from __future__ import annotations

import time

import pytest

from catalog.endpoint.factory import open_endpoint
from catalog.endpoint.fault_injection import FaultPlan
from tests.endpoint.wire import UNKNOWN_FACE, client_of, group, nobody, portrait, refused


def test_a_search_finds_the_same_man_and_not_itself(rekognition, collection, index):
    """Sorted by similarity, with the face's whole entry."""
    one, two, three = index("obama_1"), index("obama_2"), index("obama_3")
    index("biden")
    answer = rekognition.search_faces(CollectionId=collection, FaceId=one)
    assert answer["SearchedFaceId"] == one
    assert {match["Face"]["FaceId"] for match in answer["FaceMatches"]} == {two, three}
    similarities = [match["Similarity"] for match in answer["FaceMatches"]]
    assert similarities == sorted(similarities, reverse=True)
    assert answer["FaceMatches"][0]["Face"]["ExternalImageId"].startswith("obama_")


def test_threshold_and_limit_are_honoured(rekognition, collection, index):
    """At 0 everybody matches, at 100 nobody; MaxFaces cuts the list from below."""
    one, two = index("obama_1"), index("obama_2")
    index("biden")
    everybody = rekognition.search_faces(CollectionId=collection, FaceId=one, FaceMatchThreshold=0)["FaceMatches"]
    assert len(everybody) == 2
    first = rekognition.search_faces(CollectionId=collection, FaceId=one, FaceMatchThreshold=0, MaxFaces=1)
    assert [match["Face"]["FaceId"] for match in first["FaceMatches"]] == [two]
    assert rekognition.search_faces(CollectionId=collection, FaceId=one, FaceMatchThreshold=100)["FaceMatches"] == []


def test_an_unknown_face_is_an_invalid_parameter(rekognition, collection):
    """Not ResourceNotFoundException, and in these words."""
    with refused("InvalidParameterException") as error:
        rekognition.search_faces(CollectionId=collection, FaceId=UNKNOWN_FACE)
    assert error.value.response["Error"]["Message"] == "faceId was not found in the collection."


def test_a_picture_is_searched_by_its_largest_face(rekognition, collection, index):
    """Of two men the larger is searched for, the other silently ignored."""
    obama = index("obama_1")
    index("biden")
    answer = rekognition.search_faces_by_image(CollectionId=collection, Image={"Bytes": group()})
    assert [match["Face"]["FaceId"] for match in answer["FaceMatches"]] == [obama]
    assert answer["SearchedFaceConfidence"] > 50
    assert answer["SearchedFaceBoundingBox"]["Left"] < 0.5


def test_every_way_to_compare_two_faces_tells_one_similarity(rekognition, collection, index):
    """A stored face, a picture, and two pictures: two men whom the network's own vectors have far more alike."""
    obama, biden = index("obama_2"), index("biden")
    by_face = rekognition.search_faces(CollectionId=collection, FaceId=obama, FaceMatchThreshold=0)["FaceMatches"]
    image = {"Bytes": portrait("obama_2")}
    by_image = rekognition.search_faces_by_image(CollectionId=collection, Image=image, FaceMatchThreshold=0)
    compared = rekognition.compare_faces(
        SourceImage=image, TargetImage={"Bytes": portrait("biden")}, SimilarityThreshold=0
    )
    (first,) = [match["Similarity"] for match in by_face]
    (second,) = [m["Similarity"] for m in by_image["FaceMatches"] if m["Face"]["FaceId"] == biden]
    (third,) = [match["Similarity"] for match in compared["FaceMatches"]]
    assert first == pytest.approx(third, rel=0.05)
    assert second == pytest.approx(third, rel=0.05)
    assert third < 20


def test_a_picture_without_a_face_is_an_invalid_parameter(rekognition, collection):
    """Unlike IndexFaces."""
    with refused("InvalidParameterException") as error:
        rekognition.search_faces_by_image(CollectionId=collection, Image={"Bytes": nobody()})
    assert error.value.response["Error"]["Message"] == "There are no faces in the image. Should be at least 1."


def test_a_deleted_face_is_not_found_any_more(rekognition, collection, index):
    """By image nor by id."""
    face_id = index("biden")
    rekognition.delete_faces(CollectionId=collection, FaceIds=[face_id])
    found = rekognition.search_faces_by_image(CollectionId=collection, Image={"Bytes": portrait("biden")})
    assert found["FaceMatches"] == []
    with refused("InvalidParameterException"):
        rekognition.search_faces(CollectionId=collection, FaceId=face_id)


def test_a_new_face_is_searched_after_the_consistency_delay():
    """Listed at once, found a little later: as at Amazon."""
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

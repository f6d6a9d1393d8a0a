"""Programs written as Amazon's examples are: they index members of the responses without asking whether they exist."""

from __future__ import annotations

import json

import pytest

from catalog.endpoint.service_model import operation_models
from tests.endpoint.wire import group, portrait

FACE_DETAIL = operation_models()["DetectFaces"].output_shape.members["FaceDetails"].member


def absent_members(shape, value, path=""):
    """Paths of members of the service model that a response lacks. Lists are checked by their first item."""
    if shape.type_name == "structure":
        return [
            absent
            for name, member in shape.members.items()
            for absent in (
                absent_members(member, value[name], f"{path}.{name}") if name in value else [f"{path}.{name}"]
            )
        ]
    if shape.type_name == "list":
        return absent_members(shape.member, value[0], f"{path}[0]") if value else [f"{path}[0]"]
    return []


@pytest.mark.parametrize("name", ["biden", "obama_1", "astronaut"])
def test_all_attributes_have_every_member_of_the_service_model(rekognition, name):
    """DetectFaces with ALL: a program may read any member of FaceDetail."""
    (face,) = rekognition.detect_faces(Image={"Bytes": portrait(name)}, Attributes=["ALL"])["FaceDetails"]
    assert list(absent_members(FACE_DETAIL, face)) == []


def test_a_program_that_describes_faces(rekognition):
    """It prints each member of each face, as the example of DetectFaces does."""
    response = rekognition.detect_faces(Image={"Bytes": group()}, Attributes=["ALL"])
    lines = []
    for face in response["FaceDetails"]:
        lines.append(f"between {face['AgeRange']['Low']} and {face['AgeRange']['High']} years old")
        lines += [
            f"{feature}: {face[feature]['Value']} ({face[feature]['Confidence']:.1f})"
            for feature in ("Smile", "Eyeglasses", "Beard", "Mustache", "EyesOpen", "MouthOpen")
        ]
        lines.append(f"gender: {face['Gender']['Value']} ({face['Gender']['Confidence']:.1f})")
        lines.append(max(face["Emotions"], key=lambda emotion: emotion["Confidence"])["Type"])
        lines.append(f"{face['Pose']['Roll']:.1f} {face['Pose']['Yaw']:.1f} {face['Pose']['Pitch']:.1f}")
        lines.append(f"{face['Quality']['Brightness']:.1f} {face['Quality']['Sharpness']:.1f}")
        lines += [f"{point['Type']} {point['X']:.3f} {point['Y']:.3f}" for point in face["Landmarks"]]
    assert len([line for line in lines if line.startswith("between")]) == 2
    assert json.dumps(response["FaceDetails"], sort_keys=True)


def test_a_program_that_keeps_a_collection(rekognition, collection):
    """Index, list with pages, search by image and by face, compare, delete: every member is read by its name."""
    for name, photo in (("group", group()), ("obama", portrait("obama_1"))):
        response = rekognition.index_faces(
            CollectionId=collection,
            Image={"Bytes": photo},
            ExternalImageId=name,
            MaxFaces=1,
            QualityFilter="AUTO",
            DetectionAttributes=["ALL"],
        )
        for record in response["FaceRecords"]:
            assert record["Face"]["FaceId"]
            assert record["Face"]["ExternalImageId"] == name
            assert record["Face"]["BoundingBox"] == record["FaceDetail"]["BoundingBox"]
            assert list(absent_members(FACE_DETAIL, record["FaceDetail"])) == []
        for unindexed in response["UnindexedFaces"]:
            assert unindexed["FaceDetail"]["BoundingBox"]["Width"] > 0
            assert unindexed["Reasons"] == ["EXCEEDS_MAX_FACES"]
        assert len(response["UnindexedFaces"]) == (name == "group")

    response = rekognition.list_faces(CollectionId=collection, MaxResults=1)
    faces = response["Faces"]
    while "NextToken" in response:
        response = rekognition.list_faces(CollectionId=collection, MaxResults=1, NextToken=response["NextToken"])
        faces += response["Faces"]
    assert [face["ExternalImageId"] for face in faces] == ["group", "obama"]

    response = rekognition.search_faces_by_image(
        CollectionId=collection, Image={"Bytes": portrait("obama_2")}, FaceMatchThreshold=70, MaxFaces=2
    )
    assert response["SearchedFaceBoundingBox"]["Left"] > 0
    assert response["SearchedFaceConfidence"] > 90
    assert {match["Face"]["FaceId"] for match in response["FaceMatches"]} == {face["FaceId"] for face in faces}
    response = rekognition.search_faces(CollectionId=collection, FaceId=faces[0]["FaceId"], FaceMatchThreshold=50)
    assert f"{response['FaceMatches'][0]['Similarity']:.2f}"

    response = rekognition.compare_faces(
        SourceImage={"Bytes": portrait("biden")}, TargetImage={"Bytes": group()}, SimilarityThreshold=70
    )
    assert response["SourceImageFace"]["Confidence"] > 90
    (match,) = response["FaceMatches"]
    assert match["Face"]["Landmarks"][0]["Type"]
    assert response["UnmatchedFaces"][0]["Pose"]["Yaw"] is not None
    deleted = rekognition.delete_faces(CollectionId=collection, FaceIds=[face["FaceId"] for face in faces])
    assert len(deleted["DeletedFaces"]) == 2
    described = rekognition.describe_collection(CollectionId=collection)
    assert described["FaceCount"] == 0
    assert described["CollectionARN"].startswith("arn:aws:rekognition:")
    assert described["CreationTimestamp"].year >= 2020

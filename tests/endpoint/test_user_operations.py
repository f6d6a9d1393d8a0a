"""Users over HTTP with boto3: people as a collection knows them."""

from __future__ import annotations

import time

import numpy as np
import pytest

from catalog.domain.faces import BoundingBox
from catalog.endpoint.database import open_data
from catalog.endpoint.factory import open_endpoint
from catalog.endpoint.fault_injection import FaultPlan
from catalog.endpoint.local_engine_access import LocalEngineAccess
from catalog.engines.local.gallery import LocalGallery, NewFace
from tests.endpoint.wire import UNKNOWN_FACE, client_of, group, nobody, portrait, refused


@pytest.fixture
def barack(rekognition, collection):
    """A user without faces."""
    rekognition.create_user(CollectionId=collection, UserId="barack")
    return {"CollectionId": collection, "UserId": "barack"}


def status(rekognition, collection):
    return {user["UserId"]: user["UserStatus"] for user in rekognition.list_users(CollectionId=collection)["Users"]}


# ------------------------------------------------------------------------------------------------ create and delete


def test_a_new_user_has_no_face_yet(rekognition, collection, barack):
    """CREATED means that."""
    assert status(rekognition, collection) == {"barack": "CREATED"}


def test_a_user_is_created_once(rekognition, barack):
    """A second time conflicts."""
    with refused("ConflictException"):
        rekognition.create_user(**barack)


def test_a_repeated_token_repeats_the_answer(rekognition, collection):
    """Same token, same request: no second action; another request under it is a mismatch."""
    request = {"CollectionId": collection, "UserId": "u", "ClientRequestToken": "token-1"}
    rekognition.create_user(**request)
    rekognition.create_user(**request)
    with refused("IdempotentParameterMismatchException") as error:
        rekognition.create_user(**{**request, "UserId": "other"})
    assert "The ClientRequestToken: token-1 you have supplied is already in use" in str(error.value)


def test_a_deleted_user_leaves_its_faces(rekognition, collection, barack, index):
    """The face stays, free for another; deleting again finds no user."""
    face_id = index("obama_1")
    rekognition.associate_faces(**barack, FaceIds=[face_id])
    rekognition.delete_user(**barack)
    (face,) = rekognition.list_faces(CollectionId=collection)["Faces"]
    assert "UserId" not in face
    with refused("ResourceNotFoundException"):
        rekognition.delete_user(**barack)


def test_users_are_listed_in_pages(rekognition, collection):
    """Each user once."""
    names = {f"user-{number}" for number in range(5)}
    for name in names:
        rekognition.create_user(CollectionId=collection, UserId=name)
    pages = list(
        rekognition.get_paginator("list_users").paginate(CollectionId=collection, PaginationConfig={"PageSize": 2})
    )
    assert len(pages) == 3
    assert sorted(user["UserId"] for page in pages for user in page["Users"]) == sorted(names)


# ------------------------------------------------------------------------------------------------ associations


def test_associating_makes_a_user_of_faces(rekognition, collection, barack, index):
    """The answer says UPDATING, the list ACTIVE; the face then names its user."""
    face_id = index("obama_1")
    answer = rekognition.associate_faces(**barack, FaceIds=[face_id])
    assert answer["AssociatedFaces"] == [{"FaceId": face_id}]
    assert answer["UserStatus"] == "UPDATING"
    assert status(rekognition, collection) == {"barack": "ACTIVE"}
    (face,) = rekognition.list_faces(**barack)["Faces"]
    assert (face["FaceId"], face["UserId"]) == (face_id, "barack")
    again = rekognition.index_faces(
        CollectionId=collection, Image={"Bytes": portrait("obama_1")}, ExternalImageId="obama_1.jpg"
    )
    assert again["FaceRecords"][0]["Face"]["UserId"] == "barack"


def test_a_face_already_there_is_ignored(rekognition, barack, index):
    """Absent from the answer, and no failure."""
    face_id = index("obama_1")
    rekognition.associate_faces(**barack, FaceIds=[face_id])
    answer = rekognition.associate_faces(**barack, FaceIds=[face_id])
    assert (answer["AssociatedFaces"], answer["UnsuccessfulFaceAssociations"]) == ([], [])


def test_failures_are_told_one_by_one(rekognition, collection, barack, index):
    """Unknown, of another user, and unlike the faces that the user has."""
    mine, other, stranger = index("obama_1"), index("obama_2"), index("biden")
    rekognition.create_user(CollectionId=collection, UserId="another")
    rekognition.associate_faces(CollectionId=collection, UserId="another", FaceIds=[other])
    rekognition.associate_faces(**barack, FaceIds=[mine])
    answer = rekognition.associate_faces(**barack, FaceIds=[UNKNOWN_FACE, other, stranger])
    reasons = {f["FaceId"]: f["Reasons"] for f in answer["UnsuccessfulFaceAssociations"]}
    assert reasons == {
        UNKNOWN_FACE: ["FACE_NOT_FOUND"],
        other: ["ASSOCIATED_TO_A_DIFFERENT_USER"],
        stranger: ["LOW_MATCH_CONFIDENCE"],
    }
    assert answer["UserStatus"] == "ACTIVE"
    forced = rekognition.associate_faces(**barack, FaceIds=[stranger], UserMatchThreshold=0)
    assert forced["AssociatedFaces"] == [{"FaceId": stranger}]


def test_the_first_faces_are_not_checked(rekognition, barack, index):
    """The threshold applies from the second batch on."""
    ids = [index("obama_1"), index("biden")]
    assert len(rekognition.associate_faces(**barack, FaceIds=ids, UserMatchThreshold=99)["AssociatedFaces"]) == 2


def test_disassociating_frees_a_face(rekognition, collection, barack, index):
    """Again is ignored; unknown and others' faces are failures."""
    mine, other = index("obama_1"), index("biden")
    rekognition.create_user(CollectionId=collection, UserId="joe")
    rekognition.associate_faces(CollectionId=collection, UserId="joe", FaceIds=[other])
    rekognition.associate_faces(**barack, FaceIds=[mine])
    answer = rekognition.disassociate_faces(**barack, FaceIds=[mine, other, UNKNOWN_FACE])
    assert answer["DisassociatedFaces"] == [{"FaceId": mine}]
    reasons = {f["FaceId"]: f["Reasons"] for f in answer["UnsuccessfulFaceDisassociations"]}
    assert reasons == {other: ["ASSOCIATED_TO_A_DIFFERENT_USER"], UNKNOWN_FACE: ["FACE_NOT_FOUND"]}
    again = rekognition.disassociate_faces(**barack, FaceIds=[mine])
    assert (again["DisassociatedFaces"], again["UnsuccessfulFaceDisassociations"]) == ([], [])


def test_a_face_of_a_user_cannot_be_deleted(rekognition, collection, barack, index):
    """It must be let go first."""
    face_id = index("obama_1")
    rekognition.associate_faces(**barack, FaceIds=[face_id])
    answer = rekognition.delete_faces(CollectionId=collection, FaceIds=[face_id])
    assert answer["DeletedFaces"] == []
    assert answer["UnsuccessfulFaceDeletions"] == [
        {"FaceId": face_id, "UserId": "barack", "Reasons": ["ASSOCIATED_TO_AN_EXISTING_USER"]}
    ]
    rekognition.disassociate_faces(**barack, FaceIds=[face_id])
    assert rekognition.delete_faces(CollectionId=collection, FaceIds=[face_id])["DeletedFaces"] == [face_id]


def test_a_user_takes_a_hundred_faces(tmp_path):
    """The hundred and first is a failure, and when the user is full the call is refused."""
    data = str(tmp_path / "data.sqlite3")
    with open_endpoint(data) as server, server.in_background() as url, open_data(data) as database:
        client = client_of(url)
        client.create_collection(CollectionId="c")
        client.create_user(CollectionId="c", UserId="u")
        vector = np.eye(1, 128, dtype=np.float32)[0]
        faces = [NewFace(BoundingBox(0, number, 1, 1), 99.0, vector) for number in range(102)]
        ids = LocalGallery(database, "c", LocalEngineAccess(database).model).enroll("0" * 64, faces)
        client.associate_faces(CollectionId="c", UserId="u", FaceIds=ids[:99])
        answer = client.associate_faces(CollectionId="c", UserId="u", FaceIds=ids[99:101])
        assert len(answer["AssociatedFaces"]) == 1
        assert [failure["FaceId"] for failure in answer["UnsuccessfulFaceAssociations"]] == [ids[100]]
        with refused("ServiceQuotaExceededException"):
            client.associate_faces(CollectionId="c", UserId="u", FaceIds=[ids[101]])


@pytest.mark.parametrize("operation", ["associate_faces", "disassociate_faces"])
def test_an_unknown_user_is_not_found(rekognition, collection, operation):
    """Unlike an unknown face, which is a failure in the list."""
    with refused("ResourceNotFoundException"):
        getattr(rekognition, operation)(CollectionId=collection, UserId="nobody", FaceIds=[UNKNOWN_FACE])


def test_a_changed_user_becomes_active_after_the_delay():
    """UPDATING until then, and found by searches all the same."""
    with open_endpoint(plan=FaultPlan(associate_delay=2.0)) as server, server.in_background() as url:
        client = client_of(url)
        client.create_collection(CollectionId="c")
        client.create_user(CollectionId="c", UserId="u")
        answer = client.index_faces(CollectionId="c", Image={"Bytes": portrait("biden")})
        client.associate_faces(CollectionId="c", UserId="u", FaceIds=[answer["FaceRecords"][0]["Face"]["FaceId"]])
        assert status(client, "c") == {"u": "UPDATING"}
        found = client.search_users_by_image(CollectionId="c", Image={"Bytes": portrait("biden")})
        assert found["UserMatches"][0]["User"] == {"UserId": "u", "UserStatus": "UPDATING"}
        time.sleep(2.0)
        assert status(client, "c") == {"u": "ACTIVE"}


# ------------------------------------------------------------------------------------------------ searches


@pytest.fixture
def people(rekognition, collection, barack, index):
    """Two users; gives the collection and a face that belongs to none."""
    rekognition.associate_faces(**barack, FaceIds=[index("obama_1"), index("obama_2")])
    rekognition.create_user(CollectionId=collection, UserId="joe")
    rekognition.associate_faces(CollectionId=collection, UserId="joe", FaceIds=[index("biden")])
    return {"CollectionId": collection}, index("obama_3")


def test_users_are_searched_by_a_face(rekognition, people):
    """The man himself, with status and similarity."""
    where, face_id = people
    answer = rekognition.search_users(**where, FaceId=face_id)
    assert answer["SearchedFace"] == {"FaceId": face_id}
    (match,) = answer["UserMatches"]
    assert match["User"] == {"UserId": "barack", "UserStatus": "ACTIVE"}
    assert match["Similarity"] > 99


def test_users_are_searched_by_a_user(rekognition, people):
    """The searched user is not among the answers."""
    where, _ = people
    answer = rekognition.search_users(**where, UserId="barack", UserMatchThreshold=0)
    assert answer["SearchedUser"] == {"UserId": "barack"}
    assert [match["User"]["UserId"] for match in answer["UserMatches"]] == ["joe"]


def test_threshold_and_limit_are_honoured(rekognition, people):
    """At 0 both, most similar first; MaxUsers cuts."""
    where, face_id = people
    both = rekognition.search_users(**where, FaceId=face_id, UserMatchThreshold=0)["UserMatches"]
    assert [match["User"]["UserId"] for match in both] == ["barack", "joe"]
    one = rekognition.search_users(**where, FaceId=face_id, UserMatchThreshold=0, MaxUsers=1)["UserMatches"]
    assert one == both[:1]


@pytest.mark.parametrize("asked", [{}, {"UserId": "barack", "FaceId": UNKNOWN_FACE}])
def test_exactly_one_of_user_and_face_is_searched(rekognition, people, asked):
    """Neither and both are invalid."""
    with refused("InvalidParameterException"):
        rekognition.search_users(**people[0], **asked)


def test_searching_for_what_is_not_there(rekognition, people):
    """An unknown face is an invalid parameter, an unknown user is not found."""
    with refused("InvalidParameterException"):
        rekognition.search_users(**people[0], FaceId=UNKNOWN_FACE)
    with refused("ResourceNotFoundException"):
        rekognition.search_users(**people[0], UserId="nobody")


def test_a_user_without_faces_matches_nobody(rekognition, people):
    """It has no vector yet."""
    where, _ = people
    rekognition.create_user(**where, UserId="empty")
    assert rekognition.search_users(**where, UserId="empty", UserMatchThreshold=0)["UserMatches"] == []


def test_users_are_searched_by_a_picture(rekognition, people):
    """By its largest face; the others are told as not searched."""
    where, _ = people
    answer = rekognition.search_users_by_image(**where, Image={"Bytes": group()})
    assert [match["User"]["UserId"] for match in answer["UserMatches"]] == ["barack"]
    assert answer["SearchedFace"]["FaceDetail"]["BoundingBox"]["Left"] < 0.5
    (other,) = answer["UnsearchedFaces"]
    assert other["Reasons"] == ["FACE_NOT_LARGEST"]
    assert other["FaceDetails"]["BoundingBox"]["Left"] > 0.4


def test_a_picture_without_a_face_matches_nobody(rekognition, people):
    """A success, unlike SearchFacesByImage."""
    answer = rekognition.search_users_by_image(**people[0], Image={"Bytes": nobody()})
    assert answer["UserMatches"] == []
    assert "SearchedFace" not in answer

"""Operations on users and user searches, over HTTP with boto3."""

from __future__ import annotations

import time

import numpy as np
import pytest

from catalog.domain.faces import BoundingBox
from catalog.endpoint.database import open_data
from catalog.endpoint.fault_injection import FaultPlan
from catalog.endpoint.local_engine_access import LocalEngineAccess
from catalog.engines.local.gallery import LocalGallery, NewFace
from catalog.web.endpoint_server import open_endpoint
from tests.endpoint.wire import UNKNOWN_FACE, client_of, group, no_face, portrait, refused


@pytest.fixture
def barack(rekognition, collection):
    """A user without faces."""
    rekognition.create_user(CollectionId=collection, UserId="barack")
    return {"CollectionId": collection, "UserId": "barack"}


def status(rekognition, collection):
    return {user["UserId"]: user["UserStatus"] for user in rekognition.list_users(CollectionId=collection)["Users"]}


# ------------------------------------------------------------------------------------------------ create and delete


def test_a_new_user_is_created_without_faces(rekognition, collection, barack):
    """The status is CREATED."""
    assert status(rekognition, collection) == {"barack": "CREATED"}


def test_user_ids_are_unique(rekognition, barack):
    """Creating the same user again is a conflict."""
    with refused("ConflictException"):
        rekognition.create_user(**barack)


def test_a_repeated_request_token_repeats_the_response(rekognition, collection):
    """The same request has no second effect. Another request with the same token is refused."""
    request = {"CollectionId": collection, "UserId": "u", "ClientRequestToken": "token-1"}
    rekognition.create_user(**request)
    rekognition.create_user(**request)
    with refused("IdempotentParameterMismatchException") as error:
        rekognition.create_user(**{**request, "UserId": "other"})
    assert "The ClientRequestToken: token-1 you have supplied is already in use" in str(error.value)


def test_deleting_a_user_keeps_its_faces(rekognition, collection, barack, index):
    """The face has no user then. Deleting the user again is refused."""
    face_id = index("obama_1")
    rekognition.associate_faces(**barack, FaceIds=[face_id])
    rekognition.delete_user(**barack)
    (face,) = rekognition.list_faces(CollectionId=collection)["Faces"]
    assert "UserId" not in face
    with refused("ResourceNotFoundException"):
        rekognition.delete_user(**barack)


def test_users_are_listed_in_pages(rekognition, collection):
    """Each user is on one page."""
    names = {f"user-{number}" for number in range(5)}
    for name in names:
        rekognition.create_user(CollectionId=collection, UserId=name)
    pages = list(
        rekognition.get_paginator("list_users").paginate(CollectionId=collection, PaginationConfig={"PageSize": 2})
    )
    assert len(pages) == 3
    assert sorted(user["UserId"] for page in pages for user in page["Users"]) == sorted(names)


# ------------------------------------------------------------------------------------------------ associations


def test_associating_faces_activates_the_user(rekognition, collection, barack, index):
    """The response says UPDATING, ListUsers says ACTIVE. The face has the UserId."""
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


def test_associating_a_face_again_has_no_effect(rekognition, barack, index):
    """The face is absent from the response."""
    face_id = index("obama_1")
    rekognition.associate_faces(**barack, FaceIds=[face_id])
    answer = rekognition.associate_faces(**barack, FaceIds=[face_id])
    assert (answer["AssociatedFaces"], answer["UnsuccessfulFaceAssociations"]) == ([], [])


def test_failed_associations_have_reasons(rekognition, collection, barack, index):
    """An unknown face, a face of another user, and a face unlike the user's faces."""
    own, foreign, stranger = index("obama_1"), index("obama_2"), index("biden")
    rekognition.create_user(CollectionId=collection, UserId="another")
    rekognition.associate_faces(CollectionId=collection, UserId="another", FaceIds=[foreign])
    rekognition.associate_faces(**barack, FaceIds=[own])
    answer = rekognition.associate_faces(**barack, FaceIds=[UNKNOWN_FACE, foreign, stranger])
    reasons = {f["FaceId"]: f["Reasons"] for f in answer["UnsuccessfulFaceAssociations"]}
    assert reasons == {
        UNKNOWN_FACE: ["FACE_NOT_FOUND"],
        foreign: ["ASSOCIATED_TO_A_DIFFERENT_USER"],
        stranger: ["LOW_MATCH_CONFIDENCE"],
    }
    assert answer["UserStatus"] == "ACTIVE"
    forced = rekognition.associate_faces(**barack, FaceIds=[stranger], UserMatchThreshold=0)
    assert forced["AssociatedFaces"] == [{"FaceId": stranger}]


def test_the_first_faces_of_a_user_are_not_compared(rekognition, barack, index):
    """The threshold applies from the second request on."""
    ids = [index("obama_1"), index("biden")]
    assert len(rekognition.associate_faces(**barack, FaceIds=ids, UserMatchThreshold=99)["AssociatedFaces"]) == 2


def test_disassociating_releases_a_face(rekognition, collection, barack, index):
    """A second request has no effect. Unknown faces and faces of other users are failures."""
    own, foreign = index("obama_1"), index("biden")
    rekognition.create_user(CollectionId=collection, UserId="joe")
    rekognition.associate_faces(CollectionId=collection, UserId="joe", FaceIds=[foreign])
    rekognition.associate_faces(**barack, FaceIds=[own])
    answer = rekognition.disassociate_faces(**barack, FaceIds=[own, foreign, UNKNOWN_FACE])
    assert answer["DisassociatedFaces"] == [{"FaceId": own}]
    reasons = {f["FaceId"]: f["Reasons"] for f in answer["UnsuccessfulFaceDisassociations"]}
    assert reasons == {foreign: ["ASSOCIATED_TO_A_DIFFERENT_USER"], UNKNOWN_FACE: ["FACE_NOT_FOUND"]}
    again = rekognition.disassociate_faces(**barack, FaceIds=[own])
    assert (again["DisassociatedFaces"], again["UnsuccessfulFaceDisassociations"]) == ([], [])


def test_a_face_of_a_user_cannot_be_deleted(rekognition, collection, barack, index):
    """The face must be disassociated first."""
    face_id = index("obama_1")
    rekognition.associate_faces(**barack, FaceIds=[face_id])
    answer = rekognition.delete_faces(CollectionId=collection, FaceIds=[face_id])
    assert answer["DeletedFaces"] == []
    assert answer["UnsuccessfulFaceDeletions"] == [
        {"FaceId": face_id, "UserId": "barack", "Reasons": ["ASSOCIATED_TO_AN_EXISTING_USER"]}
    ]
    rekognition.disassociate_faces(**barack, FaceIds=[face_id])
    assert rekognition.delete_faces(CollectionId=collection, FaceIds=[face_id])["DeletedFaces"] == [face_id]


def test_a_user_has_at_most_100_faces(tmp_path):
    """Face 101 is a failure. If the user already has 100 faces, the request is refused."""
    data = str(tmp_path / "data.sqlite3")
    with open_endpoint(data) as server, server.in_background() as url, open_data(data) as database:
        client = client_of(url)
        client.create_collection(CollectionId="c")
        client.create_user(CollectionId="c", UserId="u")
        vector = np.eye(1, 128, dtype=np.float32)[0]
        faces = [NewFace(BoundingBox(0, number, 1, 1), 99.0, vector) for number in range(102)]
        ids = LocalGallery(database, "us-east-1/000000000000/c", LocalEngineAccess(database).model).enroll(
            "0" * 64, faces
        )
        client.associate_faces(CollectionId="c", UserId="u", FaceIds=ids[:99])
        answer = client.associate_faces(CollectionId="c", UserId="u", FaceIds=ids[99:101])
        assert len(answer["AssociatedFaces"]) == 1
        assert [failure["FaceId"] for failure in answer["UnsuccessfulFaceAssociations"]] == [ids[100]]
        with refused("ServiceQuotaExceededException"):
            client.associate_faces(CollectionId="c", UserId="u", FaceIds=[ids[101]])


@pytest.mark.parametrize("operation", ["associate_faces", "disassociate_faces"])
def test_an_unknown_user_is_not_found(rekognition, collection, operation):
    """An unknown face is a failure in the response instead."""
    with refused("ResourceNotFoundException"):
        getattr(rekognition, operation)(CollectionId=collection, UserId="unknown", FaceIds=[UNKNOWN_FACE])


def test_a_changed_user_becomes_active_after_the_delay():
    """The user is UPDATING before, and found by searches."""
    with open_endpoint(plan=FaultPlan(associate_delay=2.0)) as server, server.in_background() as url:
        client = client_of(url)
        client.create_collection(CollectionId="c")
        client.create_user(CollectionId="c", UserId="u")
        answer = client.index_faces(CollectionId="c", Image={"Bytes": portrait("biden")})
        client.associate_faces(CollectionId="c", UserId="u", FaceIds=[answer["FaceRecords"][0]["Face"]["FaceId"]])
        assert status(client, "c") == {"u": "UPDATING"}
        response = client.search_users_by_image(CollectionId="c", Image={"Bytes": portrait("biden")})
        assert response["UserMatches"][0]["User"] == {"UserId": "u", "UserStatus": "UPDATING"}
        time.sleep(2.0)
        assert status(client, "c") == {"u": "ACTIVE"}


# ------------------------------------------------------------------------------------------------ searches


@pytest.fixture
def people(rekognition, collection, barack, index):
    """Two users. Returns the collection, and a face without a user."""
    rekognition.associate_faces(**barack, FaceIds=[index("obama_1"), index("obama_2")])
    rekognition.create_user(CollectionId=collection, UserId="joe")
    rekognition.associate_faces(CollectionId=collection, UserId="joe", FaceIds=[index("biden")])
    return {"CollectionId": collection}, index("obama_3")


def test_users_are_searched_by_a_face(rekognition, people):
    """The user of other faces of the same man, with status and similarity."""
    of_collection, face_id = people
    answer = rekognition.search_users(**of_collection, FaceId=face_id)
    assert answer["SearchedFace"] == {"FaceId": face_id}
    (match,) = answer["UserMatches"]
    assert match["User"] == {"UserId": "barack", "UserStatus": "ACTIVE"}
    assert match["Similarity"] > 99


def test_users_are_searched_by_a_user(rekognition, people):
    """The searched user is not among the matches."""
    of_collection, _ = people
    answer = rekognition.search_users(**of_collection, UserId="barack", UserMatchThreshold=0)
    assert answer["SearchedUser"] == {"UserId": "barack"}
    assert [match["User"]["UserId"] for match in answer["UserMatches"]] == ["joe"]


def test_threshold_and_limit_are_applied(rekognition, people):
    """Threshold 0 matches both users, most similar first. MaxUsers keeps the most similar users."""
    of_collection, face_id = people
    matches = rekognition.search_users(**of_collection, FaceId=face_id, UserMatchThreshold=0)["UserMatches"]
    assert [match["User"]["UserId"] for match in matches] == ["barack", "joe"]
    limited = rekognition.search_users(**of_collection, FaceId=face_id, UserMatchThreshold=0, MaxUsers=1)["UserMatches"]
    assert limited == matches[:1]


@pytest.mark.parametrize("probe", [{}, {"UserId": "barack", "FaceId": UNKNOWN_FACE}])
def test_exactly_one_of_user_and_face_is_searched(rekognition, people, probe):
    """A request with none or with both is refused."""
    with refused("InvalidParameterException"):
        rekognition.search_users(**people[0], **probe)


def test_unknown_probes_are_refused(rekognition, people):
    """An unknown face is an invalid parameter, an unknown user is not found."""
    with refused("InvalidParameterException"):
        rekognition.search_users(**people[0], FaceId=UNKNOWN_FACE)
    with refused("ResourceNotFoundException"):
        rekognition.search_users(**people[0], UserId="unknown")


def test_a_user_without_faces_has_no_matches(rekognition, people):
    """Such a user has no vector."""
    of_collection, _ = people
    rekognition.create_user(**of_collection, UserId="empty")
    assert rekognition.search_users(**of_collection, UserId="empty", UserMatchThreshold=0)["UserMatches"] == []


def test_users_are_searched_by_an_image(rekognition, people):
    """The largest face is searched. The other face is reported as not searched."""
    of_collection, _ = people
    answer = rekognition.search_users_by_image(**of_collection, Image={"Bytes": group()})
    assert [match["User"]["UserId"] for match in answer["UserMatches"]] == ["barack"]
    assert answer["SearchedFace"]["FaceDetail"]["BoundingBox"]["Left"] < 0.5
    (unsearched,) = answer["UnsearchedFaces"]
    assert unsearched["Reasons"] == ["FACE_NOT_LARGEST"]
    assert unsearched["FaceDetails"]["BoundingBox"]["Left"] > 0.4


def test_an_image_without_a_face_has_no_matches(rekognition, people):
    """A success, unlike SearchFacesByImage."""
    answer = rekognition.search_users_by_image(**people[0], Image={"Bytes": no_face()})
    assert answer["UserMatches"] == []
    assert "SearchedFace" not in answer

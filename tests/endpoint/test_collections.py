"""Collections over HTTP with boto3."""

from __future__ import annotations

import pytest

from catalog.endpoint.collections import face_model_version
from tests.endpoint.wire import client_of, portrait, refused


def test_a_new_collection_says_its_arn_and_version(rekognition):
    """The answer's ARN lacks its first part, as Amazon's does; DescribeCollection's does not."""
    answer = rekognition.create_collection(CollectionId="arns")
    assert answer["StatusCode"] == 200
    assert answer["CollectionArn"] == "aws:rekognition:eu-west-1:000000000000:collection/arns"
    described = rekognition.describe_collection(CollectionId="arns")
    assert described["CollectionARN"] == "arn:aws:rekognition:eu-west-1:000000000000:collection/arns"
    assert described["FaceModelVersion"] == answer["FaceModelVersion"]
    assert rekognition.delete_collection(CollectionId="arns")["StatusCode"] == 200


def test_the_version_differs_with_the_networks():
    """Digits and a dot, and another for other networks."""
    assert face_model_version("a") != face_model_version("b")
    assert face_model_version("a").replace(".", "").isdigit()


def test_names_are_taken_once(rekognition, collection):
    """A second collection of the same name is refused, one in capitals is another."""
    with refused("ResourceAlreadyExistsException") as error:
        rekognition.create_collection(CollectionId=collection)
    assert error.value.response["Error"]["Message"] == f"The collection id: {collection} already exists"
    rekognition.create_collection(CollectionId=collection.upper())
    rekognition.delete_collection(CollectionId=collection.upper())


@pytest.mark.parametrize("operation", ["describe_collection", "delete_collection", "list_faces", "list_users"])
def test_a_collection_that_is_not_there_is_not_found(rekognition, operation):
    """ResourceNotFoundException with the name."""
    with refused("ResourceNotFoundException"):
        getattr(rekognition, operation)(CollectionId="nowhere")


def test_a_deleted_collection_takes_everything_with_it(rekognition, collection, index):
    """Faces, users and tags are gone, and a collection of the same name starts empty."""
    face_id = index("biden")
    rekognition.create_user(CollectionId=collection, UserId="joe")
    rekognition.associate_faces(CollectionId=collection, UserId="joe", FaceIds=[face_id])
    rekognition.search_faces(CollectionId=collection, FaceId=face_id)
    rekognition.delete_collection(CollectionId=collection)
    rekognition.create_collection(CollectionId=collection)
    described = rekognition.describe_collection(CollectionId=collection)
    assert (described["FaceCount"], described["UserCount"]) == (0, 0)
    answer = rekognition.search_faces_by_image(CollectionId=collection, Image={"Bytes": portrait("biden")})
    assert answer["FaceMatches"] == []


def test_counts_are_told(rekognition, collection, index):
    """DescribeCollection counts faces and users."""
    index("biden")
    rekognition.create_user(CollectionId=collection, UserId="joe")
    described = rekognition.describe_collection(CollectionId=collection)
    assert (described["FaceCount"], described["UserCount"]) == (1, 1)


def test_lists_go_on_from_page_to_page(rekognition):
    """Two parallel lists, in pages, each collection once; names of the greatest length too."""
    names = {f"{'n' * 250}{number:05d}" for number in range(5)}
    for name in names:
        rekognition.create_collection(CollectionId=name)
    pages = list(rekognition.get_paginator("list_collections").paginate(PaginationConfig={"PageSize": 2}))
    listed = [name for page in pages for name in page["CollectionIds"]]
    assert len(pages) >= 3
    assert names <= set(listed)
    assert len(listed) == len(set(listed))
    assert all(len(page["CollectionIds"]) == len(page["FaceModelVersions"]) for page in pages)
    for name in names:
        rekognition.delete_collection(CollectionId=name)


@pytest.mark.parametrize("token", ["junk", "AAAAAAAAAAAAAAAA", "ü", ""])
def test_a_token_that_is_not_ours_is_refused(rekognition, token):
    """InvalidPaginationTokenException, whatever it looks like."""
    with refused("InvalidPaginationTokenException"):
        rekognition.list_collections(NextToken=token)


def test_a_token_of_another_list_is_refused(rekognition, collection):
    """A list of users does not go on where a list of collections was left."""
    rekognition.create_collection(CollectionId="another")
    token = rekognition.list_collections(MaxResults=1)["NextToken"]
    with refused("InvalidPaginationTokenException"):
        rekognition.list_users(CollectionId=collection, NextToken=token)
    rekognition.delete_collection(CollectionId="another")


def test_the_region_is_the_clients(url):
    """ARNs name the region that the request was signed for."""
    client = client_of(url, region="ap-south-1")
    assert ":ap-south-1:" in client.create_collection(CollectionId="regional")["CollectionArn"]
    client.delete_collection(CollectionId="regional")

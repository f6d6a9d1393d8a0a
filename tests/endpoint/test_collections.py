"""Operations on collections, over HTTP with boto3."""

from __future__ import annotations

import pytest

from catalog.endpoint.collections import face_model_version
from tests.endpoint.wire import client_of, portrait, refused


def test_create_collection_returns_arn_and_version(rekognition):
    """CreateCollection returns the ARN without "arn:", as Amazon does. DescribeCollection returns the full ARN."""
    answer = rekognition.create_collection(CollectionId="arns")
    assert answer["StatusCode"] == 200
    assert answer["CollectionArn"] == "aws:rekognition:us-east-1:000000000000:collection/arns"
    described = rekognition.describe_collection(CollectionId="arns")
    assert described["CollectionARN"] == "arn:aws:rekognition:us-east-1:000000000000:collection/arns"
    assert described["FaceModelVersion"] == answer["FaceModelVersion"]
    assert rekognition.delete_collection(CollectionId="arns")["StatusCode"] == 200


def test_the_version_depends_on_the_face_model():
    """A version has digits and dots only."""
    assert face_model_version("a") != face_model_version("b")
    assert face_model_version("a").replace(".", "").isdigit()


def test_collection_ids_are_unique_and_case_sensitive(rekognition, collection):
    """A second collection with the same id is refused. The same id in capitals is another collection."""
    with refused("ResourceAlreadyExistsException") as error:
        rekognition.create_collection(CollectionId=collection)
    assert error.value.response["Error"]["Message"] == f"The collection id: {collection} already exists"
    rekognition.create_collection(CollectionId=collection.upper())
    rekognition.delete_collection(CollectionId=collection.upper())


@pytest.mark.parametrize("operation", ["describe_collection", "delete_collection", "list_faces", "list_users"])
def test_an_unknown_collection_is_not_found(rekognition, operation):
    """ResourceNotFoundException."""
    with refused("ResourceNotFoundException"):
        getattr(rekognition, operation)(CollectionId="nowhere")


def test_deleting_a_collection_deletes_its_contents(rekognition, collection, index):
    """Faces, users and tags are deleted. A new collection with the same id is empty."""
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


def test_describe_collection_returns_counts(rekognition, collection, index):
    """FaceCount and UserCount."""
    index("biden")
    rekognition.create_user(CollectionId=collection, UserId="joe")
    described = rekognition.describe_collection(CollectionId=collection)
    assert (described["FaceCount"], described["UserCount"]) == (1, 1)


def test_collections_are_listed_in_pages(rekognition):
    """Each collection is on one page, also with ids of the maximum length. Both lists have the same length."""
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
def test_an_invalid_page_token_is_refused(rekognition, token):
    """InvalidPaginationTokenException."""
    with refused("InvalidPaginationTokenException"):
        rekognition.list_collections(NextToken=token)


def test_a_page_token_of_another_listing_is_refused(rekognition, collection):
    """A token of ListCollections is not valid for ListUsers."""
    rekognition.create_collection(CollectionId="another")
    token = rekognition.list_collections(MaxResults=1)["NextToken"]
    with refused("InvalidPaginationTokenException"):
        rekognition.list_users(CollectionId=collection, NextToken=token)
    rekognition.delete_collection(CollectionId="another")


def test_arns_name_the_region_of_the_request(url):
    """The region is read from the signature."""
    client = client_of(url, region="ap-south-1")
    assert ":ap-south-1:" in client.create_collection(CollectionId="regional")["CollectionArn"]
    client.delete_collection(CollectionId="regional")


def test_regions_and_accounts_have_separate_collections(url, rekognition, collection, index):
    """The same id names another collection in another region, and in another account."""
    index("biden")
    elsewhere = [client_of(url, region="ap-south-1"), client_of(url, key="123456789012")]
    for client in elsewhere:
        assert collection not in client.list_collections()["CollectionIds"]
        with refused("ResourceNotFoundException"):
            client.describe_collection(CollectionId=collection)
        with refused("ResourceNotFoundException"):
            client.delete_collection(CollectionId=collection)
        client.create_collection(CollectionId=collection)
        assert client.describe_collection(CollectionId=collection)["FaceCount"] == 0
        assert collection in client.list_collections()["CollectionIds"]
        client.delete_collection(CollectionId=collection)
    assert rekognition.describe_collection(CollectionId=collection)["FaceCount"] == 1


def test_arns_name_the_account(url):
    """The account of the access key."""
    client = client_of(url, key="123456789012")
    arn = client.create_collection(CollectionId="owned")["CollectionArn"]
    assert arn == "aws:rekognition:us-east-1:123456789012:collection/owned"
    with refused("ResourceNotFoundException"):
        client_of(url).list_tags_for_resource(ResourceArn=f"arn:{arn}")
    client.delete_collection(CollectionId="owned")

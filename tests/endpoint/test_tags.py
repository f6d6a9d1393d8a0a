"""Tags on collections."""

from __future__ import annotations

import pytest

from tests.endpoint.wire import refused


@pytest.fixture
def arn(rekognition, collection):
    return rekognition.describe_collection(CollectionId=collection)["CollectionARN"]


def test_tags_are_put_replaced_and_taken(rekognition, arn):
    """TagResource adds and replaces, UntagResource takes away what is there."""
    rekognition.tag_resource(ResourceArn=arn, Tags={"a": "1", "b": "2"})
    rekognition.tag_resource(ResourceArn=arn, Tags={"b": "3", "c": ""})
    assert rekognition.list_tags_for_resource(ResourceArn=arn)["Tags"] == {"a": "1", "b": "3", "c": ""}
    rekognition.untag_resource(ResourceArn=arn, TagKeys=["a", "zzz"])
    assert rekognition.list_tags_for_resource(ResourceArn=arn)["Tags"] == {"b": "3", "c": ""}


def test_a_collection_may_be_made_with_tags(rekognition):
    """CreateCollection takes tags, and its own form of the ARN finds them."""
    arn = rekognition.create_collection(CollectionId="tagged", Tags={"k": "v"})["CollectionArn"]
    assert rekognition.list_tags_for_resource(ResourceArn=arn)["Tags"] == {"k": "v"}
    rekognition.delete_collection(CollectionId="tagged")


def test_more_than_two_hundred_tags_are_refused(rekognition, arn):
    """The quota is of the resource, not of the request; what would exceed it changes nothing."""
    rekognition.tag_resource(ResourceArn=arn, Tags={str(number): "" for number in range(199)})
    with refused("ServiceQuotaExceededException"):
        rekognition.tag_resource(ResourceArn=arn, Tags={"x": "", "y": ""})
    assert len(rekognition.list_tags_for_resource(ResourceArn=arn)["Tags"]) == 199


def test_a_resource_that_is_not_there_is_not_found(rekognition, arn):
    """An ARN of no collection."""
    with refused("ResourceNotFoundException"):
        rekognition.list_tags_for_resource(ResourceArn=arn + "x")


def test_what_is_no_arn_of_a_collection_is_invalid(rekognition):
    """An ARN of another kind of thing."""
    with refused("InvalidParameterException"):
        rekognition.list_tags_for_resource(ResourceArn="arn:aws:s3:::some-bucket-of-mine")

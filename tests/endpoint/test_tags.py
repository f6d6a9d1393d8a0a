"""Tags of collections, over HTTP with boto3."""

from __future__ import annotations

import pytest

from tests.endpoint.wire import refused


@pytest.fixture
def arn(rekognition, collection):
    return rekognition.describe_collection(CollectionId=collection)["CollectionARN"]


def test_tags_are_added_replaced_and_removed(rekognition, arn):
    """TagResource adds and replaces, UntagResource removes. Unknown tag keys are ignored."""
    rekognition.tag_resource(ResourceArn=arn, Tags={"a": "1", "b": "2"})
    rekognition.tag_resource(ResourceArn=arn, Tags={"b": "3", "c": ""})
    assert rekognition.list_tags_for_resource(ResourceArn=arn)["Tags"] == {"a": "1", "b": "3", "c": ""}
    rekognition.untag_resource(ResourceArn=arn, TagKeys=["a", "zzz"])
    assert rekognition.list_tags_for_resource(ResourceArn=arn)["Tags"] == {"b": "3", "c": ""}


def test_a_collection_can_be_created_with_tags(rekognition):
    """The ARN that CreateCollection returns, without "arn:", is accepted."""
    arn = rekognition.create_collection(CollectionId="tagged", Tags={"k": "v"})["CollectionArn"]
    assert rekognition.list_tags_for_resource(ResourceArn=arn)["Tags"] == {"k": "v"}
    rekognition.delete_collection(CollectionId="tagged")


def test_more_than_two_hundred_tags_are_refused(rekognition, arn):
    """The quota counts all tags of the collection. A request that exceeds it changes nothing."""
    rekognition.tag_resource(ResourceArn=arn, Tags={str(number): "" for number in range(199)})
    with refused("ServiceQuotaExceededException"):
        rekognition.tag_resource(ResourceArn=arn, Tags={"x": "", "y": ""})
    assert len(rekognition.list_tags_for_resource(ResourceArn=arn)["Tags"]) == 199


def test_the_arn_of_an_unknown_collection_is_not_found(rekognition, arn):
    """ResourceNotFoundException."""
    with refused("ResourceNotFoundException"):
        rekognition.list_tags_for_resource(ResourceArn=arn + "x")


def test_the_arn_of_another_resource_is_invalid(rekognition):
    """InvalidParameterException."""
    with refused("InvalidParameterException"):
        rekognition.list_tags_for_resource(ResourceArn="arn:aws:s3:::some-bucket-of-mine")

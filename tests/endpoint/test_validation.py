"""Lengths, patterns, ranges and enumerations, which boto3 does not check before it sends."""

from __future__ import annotations

import pytest

from tests.endpoint.wire import UNKNOWN_FACE, portrait, post, refused


def said(url, operation, members):
    answer = post(url, operation, members)
    assert answer.status == 400
    assert answer.json["__type"] == "ValidationException"
    return answer.json["message"]


def test_an_oversize_picture_is_refused_as_amazon_does(rekognition):
    """Too many bytes are a ValidationException that shows a Java buffer, not ImageTooLargeException."""
    with refused("ValidationException") as error:
        rekognition.detect_faces(Image={"Bytes": b"\xff\xd8\xff" + bytes(5_242_880)})
    assert error.value.response["Error"]["Message"] == (
        "1 validation error detected: Value 'java.nio.HeapByteBuffer[pos=0 lim=5242883 cap=5242883]' at 'image.bytes' "
        "failed to satisfy constraint: Member must have length less than or equal to 5242880"
    )


def test_a_picture_of_the_largest_size_is_read(rekognition):
    """5,242,880 bytes pass; a JPEG may be followed by anything."""
    data = portrait("biden")
    answer = rekognition.detect_faces(Image={"Bytes": data + bytes(5_242_880 - len(data))})
    assert len(answer["FaceDetails"]) == 1


def test_an_empty_picture_is_refused(url):
    """No bytes at all are too few."""
    message = said(url, "DetectFaces", {"Image": {"Bytes": ""}})
    assert "'image.bytes' failed to satisfy constraint: Member must have length greater than or equal to 1" in message


def test_a_missing_member_is_named(url):
    """Required members are named in lower camel case."""
    message = said(url, "SearchFaces", {"CollectionId": "c"})
    assert message == (
        "1 validation error detected: Value null at 'faceId' failed to satisfy constraint: Member must not be null"
    )


def test_all_problems_are_told_at_once(url):
    """Two violations make one sentence each."""
    message = said(url, "SearchFaces", {"CollectionId": "a b", "FaceId": UNKNOWN_FACE, "MaxFaces": 4097})
    assert message.startswith("2 validation errors detected: Value 'a b' at 'collectionId' failed to satisfy")
    assert "Value '4097' at 'maxFaces' failed to satisfy constraint: Member must have value less than" in message


@pytest.mark.parametrize(
    ("operation", "members", "constraint"),
    [
        ("CreateCollection", {"CollectionId": "a" * 256}, "length less than or equal to 255"),
        ("CreateCollection", {"CollectionId": ""}, "length greater than or equal to 1"),
        ("CreateCollection", {"CollectionId": "a/b"}, "regular expression pattern: [a-zA-Z0-9_.\\-]+"),
        ("CreateCollection", {"CollectionId": "ends-in-newline\n"}, "regular expression pattern"),
        ("CreateCollection", {"CollectionId": "c", "Tags": {"aws:x": "v"}}, "regular expression pattern"),
        ("CreateCollection", {"CollectionId": "c", "Tags": {"k": "<"}}, "regular expression pattern"),
        ("IndexFaces", {"CollectionId": "c", "Image": {}, "ExternalImageId": "a b é.jpg"}, "regular expression"),
        ("IndexFaces", {"CollectionId": "c", "Image": {}, "QualityFilter": "BOGUS"}, "[NONE, AUTO, LOW, MEDIUM, HIGH]"),
        ("IndexFaces", {"CollectionId": "c", "Image": {}, "DetectionAttributes": ["ALL", "X"]}, "enum value set"),
        ("IndexFaces", {"CollectionId": "c", "Image": {}, "MaxFaces": 0}, "value greater than or equal to 1"),
        ("SearchFaces", {"CollectionId": "c", "FaceId": UNKNOWN_FACE.upper()[:-1] + "F"}, "regular expression"),
        ("SearchFaces", {"CollectionId": "c", "FaceId": UNKNOWN_FACE, "FaceMatchThreshold": 100.1}, "equal to 100"),
        ("SearchFaces", {"CollectionId": "c", "FaceId": UNKNOWN_FACE, "FaceMatchThreshold": -1}, "equal to 0"),
        ("SearchFaces", {"CollectionId": "c", "FaceId": UNKNOWN_FACE, "FaceMatchThreshold": 1e39}, "equal to 100"),
        ("DeleteFaces", {"CollectionId": "c", "FaceIds": []}, "length greater than or equal to 1"),
        ("DeleteFaces", {"CollectionId": "c", "FaceIds": [UNKNOWN_FACE] * 4097}, "length less than or equal to 4096"),
        (
            "DeleteFaces",
            {"CollectionId": "c", "FaceIds": ["x"]},
            "Member must satisfy constraint: [Member must satisfy",
        ),
        ("AssociateFaces", {"CollectionId": "c", "UserId": "u", "FaceIds": [UNKNOWN_FACE] * 101}, "equal to 100"),
        ("CreateUser", {"CollectionId": "c", "UserId": "u" * 129}, "length less than or equal to 128"),
        ("CreateUser", {"CollectionId": "c", "UserId": "u", "ClientRequestToken": "!"}, "regular expression pattern"),
        ("ListUsers", {"CollectionId": "c", "MaxResults": 501}, "value less than or equal to 500"),
        ("ListFaces", {"CollectionId": "c", "MaxResults": -1}, "value greater than or equal to 0"),
        ("ListFaces", {"CollectionId": "c", "NextToken": "t" * 256}, "length less than or equal to 255"),
        ("DetectFaces", {"Image": {"S3Object": {"Bucket": "ab", "Name": "k"}}}, "length greater than or equal to 3"),
        ("ListTagsForResource", {"ResourceArn": "short"}, "length greater than or equal to 20"),
        (
            "TagResource",
            {"ResourceArn": "a" * 20, "Tags": {str(n): "" for n in range(201)}},
            "less than or equal to 200",
        ),
    ],
)
def test_every_kind_of_bound_is_checked(url, operation, members, constraint):
    """Maximum and minimum, pattern and enumeration of each shape."""
    assert constraint in said(url, operation, members)


def test_letters_of_any_script_may_stand_in_a_tag(rekognition, collection):
    r"""Amazon's pattern for tags means \p{L}, which Python's re does not know."""
    arn = rekognition.describe_collection(CollectionId=collection)["CollectionARN"]
    rekognition.tag_resource(ResourceArn=arn, Tags={"Straße 家族": "ünïcode/=+-@: _."})
    assert rekognition.list_tags_for_resource(ResourceArn=arn)["Tags"] == {"Straße 家族": "ünïcode/=+-@: _."}


def test_an_error_does_not_repeat_megabytes(url):
    """A value is cut short in the sentence about it."""
    assert len(said(url, "CreateCollection", {"CollectionId": "x" * 1_000_000})) < 1000


def test_deep_nests_in_a_known_member_are_refused(url):
    """A list a hundred deep where ids belong is no id."""
    answer = post(url, "DeleteFaces", body=b'{"CollectionId":"c","FaceIds":' + b"[" * 400 + b"]" * 400 + b"}")
    assert answer.json["__type"] == "SerializationException"

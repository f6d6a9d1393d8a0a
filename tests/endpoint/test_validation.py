"""Lengths, patterns, ranges and enumerations. boto3 does not check them."""

from __future__ import annotations

import base64

import pytest

from catalog.endpoint import validation
from tests.endpoint.wire import UNKNOWN_FACE, portrait, post, refused


def validation_message(url, operation, members):
    answer = post(url, operation, members)
    assert answer.status == 400
    assert answer.json["__type"] == "ValidationException"
    return answer.json["message"]


def test_an_oversized_image_is_refused_as_at_amazon(rekognition):
    """Too many bytes are a ValidationException that shows a Java buffer, not ImageTooLargeException."""
    with refused("ValidationException") as error:
        rekognition.detect_faces(Image={"Bytes": b"\xff\xd8\xff" + bytes(5_242_880)})
    assert error.value.response["Error"]["Message"] == (
        "1 validation error detected: Value 'java.nio.HeapByteBuffer[pos=0 lim=5242883 cap=5242883]' at 'image.bytes' "
        "failed to satisfy constraint: Member must have length less than or equal to 5242880"
    )


def test_an_image_of_the_maximum_size_is_accepted(rekognition):
    """5,242,880 bytes. A JPEG may be followed by other bytes."""
    data = portrait("biden")
    answer = rekognition.detect_faces(Image={"Bytes": data + bytes(5_242_880 - len(data))})
    assert len(answer["FaceDetails"]) == 1


def test_an_empty_image_is_refused(url):
    """The minimum length is 1 byte."""
    message = validation_message(url, "DetectFaces", {"Image": {"Bytes": ""}})
    assert "'image.bytes' failed to satisfy constraint: Member must have length greater than or equal to 1" in message


def test_a_missing_member_is_named(url):
    """Member names in messages are in lower camel case."""
    message = validation_message(url, "SearchFaces", {"CollectionId": "c"})
    assert message == (
        "1 validation error detected: Value null at 'faceId' failed to satisfy constraint: Member must not be null"
    )


def test_all_violations_are_reported_together(url):
    """Two violations are reported in one message."""
    message = validation_message(url, "SearchFaces", {"CollectionId": "a b", "FaceId": UNKNOWN_FACE, "MaxFaces": 4097})
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
    assert constraint in validation_message(url, operation, members)


def test_tags_accept_letters_of_any_script(rekognition, collection):
    r"""Amazon's pattern for tags uses \p{L}, which Python's re does not support."""
    arn = rekognition.describe_collection(CollectionId=collection)["CollectionARN"]
    rekognition.tag_resource(ResourceArn=arn, Tags={"Straße 家族": "ünïcode/=+-@: _."})
    assert rekognition.list_tags_for_resource(ResourceArn=arn)["Tags"] == {"Straße 家族": "ünïcode/=+-@: _."}


def test_long_values_are_cut_in_messages(url):
    """A value of 1 MB gives a short message."""
    assert len(validation_message(url, "CreateCollection", {"CollectionId": "x" * 1_000_000})) < 1000


def test_deeply_nested_lists_are_refused(url):
    """A list nested 400 levels deep is not a list of ids."""
    answer = post(url, "DeleteFaces", body=b'{"CollectionId":"c","FaceIds":' + b"[" * 400 + b"]" * 400 + b"}")
    assert answer.json["__type"] == "SerializationException"


@pytest.mark.parametrize("size", [0, 1, 2, 3, 49_151, 49_152, 49_153, 98_304, 200_000])
def test_base64_is_decoded_in_parts(size):
    """The result is the same as of the whole text."""
    data = bytes(number % 251 for number in range(size))
    assert validation._from_base64(base64.b64encode(data).decode()) == data


@pytest.mark.parametrize("text", ["A", "AA=A", "A" * 65_535 + "=" + "AAAA", "AA==" * 20_000, "AAA\nAAAA", "é" * 4])
def test_malformed_base64_is_refused(text):
    """Padding is at the end only, also where a part ends."""
    with pytest.raises(ValueError, match=r"."):
        validation._from_base64(text)

"""JSON 1.1 on the wire: what is accepted, what is said, and in which form."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import pytest

from tests.endpoint.wire import nobody, portrait, post


def test_times_are_numbers_of_seconds(url, collection):
    """A time is a number of seconds since the epoch, not text."""
    created = post(url, "DescribeCollection", {"CollectionId": collection}).json["CreationTimestamp"]
    assert isinstance(created, float)
    assert abs(datetime.now(UTC).timestamp() - created) < 60


def test_numbers_are_widened_from_32_bits(rekognition):
    """Floats come back as float32 would hold them, as Amazon's do."""
    import struct

    face = rekognition.detect_faces(Image={"Bytes": portrait("biden")})["FaceDetails"][0]
    for number in (*face["BoundingBox"].values(), face["Confidence"], face["Pose"]["Yaw"]):
        assert struct.unpack("f", struct.pack("f", number))[0] == number


def test_what_is_not_known_is_absent(url, collection):
    """Absent members are left out; null is never written."""
    answer = post(url, "ListFaces", {"CollectionId": collection})
    assert b"null" not in answer.body
    assert set(answer.json) == {"Faces", "FaceModelVersion"}


def test_every_answer_has_a_request_id(url):
    """Success and error alike carry x-amzn-RequestId."""
    for operation in ("ListCollections", "Nonsense"):
        assert re.fullmatch(r"[0-9a-f-]{36}", post(url, operation).headers["x-amzn-RequestId"])


def test_an_operation_without_output_answers_an_empty_object(url, collection):
    """CreateUser has nothing to say."""
    answer = post(url, "CreateUser", {"CollectionId": collection, "UserId": "u"})
    assert (answer.status, answer.body) == (200, b"{}")


def test_unknown_members_and_nulls_are_ignored(url):
    """As at Amazon, a member that the model does not know changes nothing, and null is absent."""
    answer = post(url, "ListCollections", {"Nonsense": {"a": [1]}, "MaxResults": None})
    assert answer.status == 200


def test_an_empty_body_is_an_empty_object(url):
    """ListCollections needs no members at all."""
    assert post(url, "ListCollections", body=b"").status == 200


@pytest.mark.parametrize("operation", ["DetectLabels", "Nonsense", "", "ListCollections\x7f"])
def test_an_operation_that_is_not_served_is_unknown(url, operation):
    """One of the service's others, and junk, are told in Amazon's shape."""
    answer = post(url, operation)
    assert answer.status == 400
    assert answer.json["__type"] == "UnknownOperationException"


def test_the_target_needs_its_prefix(url):
    """The bare name of an operation is not enough."""
    answer = post(url, "", X_Amz_Target="ListCollections")
    assert answer.json["__type"] == "UnknownOperationException"


def test_a_web_form_is_refused(url):
    """What a web page can send without asking is not JSON 1.1, so no page can use the endpoint."""
    answer = post(url, "ListCollections", Content_Type="text/plain")
    assert answer.status == 404
    assert answer.json["__type"] == "UnknownOperationException"


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'"text"',
        b"nul",
        b'{"MaxResults": NaN}',
        b'{"MaxResults": Infinity}',
        b'{"MaxResults": "5"}',
        b'{"MaxResults": true}',
        b'{"MaxResults": 1.5}',
        b'{"MaxResults": 99999999999999999999}',
        b'{"MaxResults": []}',
        b'{"NextToken": 5}',
        b'{"NextToken": "\\ud800"}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b"1" * 10_000,
    ],
    ids=lambda body: repr(body[:30]),
)
def test_what_cannot_be_read_is_told_as_such(url, body):
    """Broken JSON, and values of the wrong type, are a SerializationException."""
    answer = post(url, "ListCollections", body=body)
    assert answer.status == 400
    assert answer.json["__type"] == "SerializationException"
    assert "message" in answer.json


def test_broken_base64_is_told_as_such(url):
    """A blob that is no base64 cannot be read."""
    answer = post(url, "DetectFaces", {"Image": {"Bytes": "*" * 100}})
    assert answer.json["__type"] == "SerializationException"


def test_an_error_has_all_of_amazons_members(url):
    """__type, Code, Logref (the request id) and Message."""
    answer = post(url, "DescribeCollection", {"CollectionId": "nowhere"})
    assert answer.status == 400
    assert answer.json == {
        "__type": "ResourceNotFoundException",
        "Code": "ResourceNotFoundException",
        "Logref": answer.headers["x-amzn-RequestId"],
        "Message": "The collection id: nowhere does not exist",
    }


def test_the_longest_answers_are_valid_json(url, collection):
    """Answers parse whatever they hold."""
    body = post(url, "IndexFaces", {"CollectionId": collection, "Image": {"Bytes": _base64(nobody())}}).body
    assert json.loads(body)["FaceRecords"] == []


def _base64(data: bytes) -> str:
    import base64

    return base64.b64encode(data).decode()

"""JSON 1.1: accepted requests, and the form of responses."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import pytest

from tests.endpoint.wire import no_face, portrait, post


def test_times_are_seconds_since_the_epoch(url, collection):
    """A time is a number, not text."""
    created = post(url, "DescribeCollection", {"CollectionId": collection}).json["CreationTimestamp"]
    assert isinstance(created, float)
    assert abs(datetime.now(UTC).timestamp() - created) < 60


def test_floats_are_rounded_to_32_bits(rekognition):
    """As Amazon's are."""
    import struct

    face = rekognition.detect_faces(Image={"Bytes": portrait("biden")})["FaceDetails"][0]
    for number in (*face["BoundingBox"].values(), face["Confidence"], face["Pose"]["Yaw"]):
        assert struct.unpack("f", struct.pack("f", number))[0] == number


def test_absent_members_are_left_out(url, collection):
    """No member of a response is null."""
    answer = post(url, "ListFaces", {"CollectionId": collection})
    assert b"null" not in answer.body
    assert set(answer.json) == {"Faces", "FaceModelVersion"}


def test_every_response_has_a_request_id(url):
    """Success and error have the header x-amzn-RequestId."""
    for operation in ("ListCollections", "Nonsense"):
        assert re.fullmatch(r"[0-9a-f-]{36}", post(url, operation).headers["x-amzn-requestid"])


def test_an_operation_without_output_returns_an_empty_object(url, collection):
    """CreateUser has no output members."""
    answer = post(url, "CreateUser", {"CollectionId": collection, "UserId": "u"})
    assert (answer.status, answer.body) == (200, b"{}")


def test_unknown_members_and_nulls_are_ignored(url):
    """As at Amazon, a member that is not in the service model has no effect, and a null member is absent."""
    answer = post(url, "ListCollections", {"Nonsense": {"a": [1]}, "MaxResults": None})
    assert answer.status == 200


def test_an_empty_body_is_an_empty_object(url):
    """ListCollections has no required members."""
    assert post(url, "ListCollections", body=b"").status == 200


@pytest.mark.parametrize("operation", ["Nonsense", "", "listcollections"])
def test_an_operation_that_amazon_does_not_have_is_unknown(url, operation):
    """UnknownOperationException, in Amazon's form."""
    answer = post(url, operation)
    assert answer.status == 400
    assert answer.json["__type"] == "UnknownOperationException"
    assert answer.json["Message"] == "The requested operation is not known here."


def test_an_operation_of_amazon_that_is_not_served_is_named(url):
    """A client sees that the request is right and the endpoint does not serve the operation."""
    answer = post(url, "DetectLabels")
    assert answer.status == 400
    assert answer.json["__type"] == "UnknownOperationException"
    assert answer.json["Message"] == "The operation DetectLabels is not served by this endpoint."


def test_the_target_needs_its_prefix(url):
    """The name of an operation without "RekognitionService." is refused."""
    answer = post(url, "", X_Amz_Target="ListCollections")
    assert answer.json["__type"] == "UnknownOperationException"


def test_a_web_form_is_refused(url):
    """A web page can send text/plain to another origin without a preflight request. That type is refused."""
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
def test_an_unreadable_body_is_a_serialization_exception(url, body):
    """Invalid JSON, and values of the wrong type."""
    answer = post(url, "ListCollections", body=body)
    assert answer.status == 400
    assert answer.json["__type"] == "SerializationException"
    assert "message" in answer.json


def test_invalid_base64_is_a_serialization_exception(url):
    """A blob must be base64."""
    answer = post(url, "DetectFaces", {"Image": {"Bytes": "*" * 100}})
    assert answer.json["__type"] == "SerializationException"


def test_an_error_has_all_members_of_amazons_errors(url):
    """__type, Code, Logref (the request id) and Message."""
    answer = post(url, "DescribeCollection", {"CollectionId": "nowhere"})
    assert answer.status == 400
    assert answer.json == {
        "__type": "ResourceNotFoundException",
        "Code": "ResourceNotFoundException",
        "Logref": answer.headers["x-amzn-requestid"],
        "Message": "The collection id: nowhere does not exist",
    }


def test_index_faces_without_faces_returns_valid_json(url, collection):
    """FaceRecords is an empty list."""
    body = post(url, "IndexFaces", {"CollectionId": collection, "Image": {"Bytes": _base64(no_face())}}).body
    assert json.loads(body)["FaceRecords"] == []


def _base64(data: bytes) -> str:
    import base64

    return base64.b64encode(data).decode()

"""Signatures are parsed always, and verified if keys are configured."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from catalog.endpoint.errors import WireError
from catalog.endpoint.signature import Caller, Key, identify, parse
from catalog.web.endpoint_server import open_endpoint
from tests.endpoint.wire import client_of, portrait, post, refused

TARGET = "RekognitionService.ListCollections"
KEYS = {"AKIDTEST": Key("right")}


@pytest.fixture(scope="module")
def guarded_url():
    """An endpoint with one key."""
    with open_endpoint(keys=KEYS) as server, server.in_background() as url:
        yield url


def test_without_keys_every_request_is_served(url):
    """Unsigned requests, and requests signed with any key."""
    assert post(url, "ListCollections").status == 200
    client_of(url, key="X", secret="Y").list_collections()


def test_the_right_key_is_served(guarded_url):
    """Requests with and without an image."""
    client = client_of(guarded_url, secret="right")
    client.list_collections()
    assert len(client.detect_faces(Image={"Bytes": portrait("biden")})["FaceDetails"]) == 1


def test_a_wrong_secret_is_refused(guarded_url):
    """InvalidSignatureException."""
    with refused("InvalidSignatureException"):
        client_of(guarded_url, secret="wrong").list_collections()


def test_an_unknown_key_is_refused(guarded_url):
    """UnrecognizedClientException."""
    with refused("UnrecognizedClientException"):
        client_of(guarded_url, key="AKIDOTHER", secret="right").list_collections()


def test_an_unsigned_request_is_refused(guarded_url):
    """MissingAuthenticationTokenException."""
    assert post(guarded_url, "ListCollections").json["__type"] == "MissingAuthenticationTokenException"


@pytest.mark.parametrize(
    "header",
    [
        "Basic abc",
        "AWS4-HMAC-SHA256",
        "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=host",
        "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=0",
        "AWS4-HMAC-SHA256 ,,,=,==",
    ],
)
def test_a_malformed_signature_is_incomplete(url, header):
    """Also if no keys are configured."""
    assert post(url, "ListCollections", Authorization=header).json["__type"] == "IncompleteSignatureException"


def signed(body=b"{}", *, date=None, service="rekognition", secret="right", **more_headers):
    """Headers of a request, signed as a client signs them."""
    all_headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": TARGET, **more_headers}
    request = AWSRequest("POST", "http://first.example/", all_headers, body)
    SigV4Auth(Credentials("AKIDTEST", secret), service, "eu-west-1").add_auth(request)
    headers = {name.lower(): value for name, value in request.headers.items()} | {"host": "first.example"}
    headers |= {name.lower(): value for name, value in more_headers.items()}
    if date is not None:
        headers["x-amz-date"] = date
    return headers


def test_the_region_is_read_from_the_credential():
    """And the access key."""
    assert identify(signed(), b"{}", KEYS, datetime.now(UTC)) == Caller("eu-west-1", "000000000000")
    assert parse(signed()["authorization"]).access_key == "AKIDTEST"


@pytest.mark.parametrize(
    ("headers", "body", "later"),
    [
        (signed(), b"{ }", 0),
        (signed(), b"{}", 60),
        (signed(), b"{}", -60),
        (signed(date="20200101T000000Z"), b"{}", 0),
        (signed(service="s3"), b"{}", 0),
        (signed() | {"host": "second.example"}, b"{}", 0),
    ],
    ids=["other body", "too late", "too early", "other date", "other service", "other host"],
)
def test_a_changed_or_outdated_request_is_refused(headers, body, later):
    """A changed body, date, service or host, and a request more than 15 minutes old."""
    with pytest.raises(WireError) as error:
        identify(headers, body, KEYS, datetime.now(UTC) + timedelta(minutes=later))
    assert error.value.code == "InvalidSignatureException"


def test_an_invalid_date_is_incomplete():
    """X-Amz-Date must be a date."""
    with pytest.raises(WireError) as error:
        identify(signed(date="yesterday"), b"{}", KEYS, datetime.now(UTC))
    assert error.value.code == "IncompleteSignatureException"


@pytest.mark.parametrize("value", ["UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "0" * 64])
def test_a_signed_hash_must_be_the_hash_of_the_body(value):
    """The signature is valid for this header; the body is not bound by it."""
    with pytest.raises(WireError) as error:
        identify(signed(**{"X-Amz-Content-SHA256": value}), b"{}", KEYS, datetime.now(UTC))
    assert error.value.code == "InvalidSignatureException"


def test_a_right_hash_of_the_body_is_accepted():
    """Some clients send x-amz-content-sha256 for every service."""
    digest = hashlib.sha256(b"{}").hexdigest()
    headers = signed(**{"X-Amz-Content-SHA256": digest})
    assert identify(headers, b"{}", KEYS, datetime.now(UTC)).region == "eu-west-1"
    with pytest.raises(WireError):
        identify(headers, b"{ }", KEYS, datetime.now(UTC))


def test_the_operation_must_be_signed():
    """Otherwise a signed ListCollections could be replayed as another operation."""
    request = AWSRequest("POST", "http://first.example/", {"Content-Type": "application/x-amz-json-1.1"}, b"{}")
    SigV4Auth(Credentials("AKIDTEST", "right"), "rekognition", "eu-west-1").add_auth(request)
    headers = {name.lower(): value for name, value in request.headers.items()}
    headers |= {"host": "first.example", "x-amz-target": TARGET}
    with pytest.raises(WireError, match="'x-amz-target' must be a 'SignedHeader'"):
        identify(headers, b"{}", KEYS, datetime.now(UTC))


def test_a_changed_body_is_refused_over_http(guarded_url):
    """The request was signed with the hash of its body, and then the body was changed."""
    host = urlsplit(guarded_url).netloc
    request = AWSRequest(
        "POST",
        f"http://{host}/",
        {
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": "RekognitionService.CreateCollection",
            "X-Amz-Content-SHA256": hashlib.sha256(b"{}").hexdigest(),
        },
        b"{}",
    )
    SigV4Auth(Credentials("AKIDTEST", "right"), "rekognition", "eu-west-1").add_auth(request)
    headers = dict(request.headers.items())
    answer = post(guarded_url, "CreateCollection", body=b'{"CollectionId":"changed"}', **headers)
    assert answer.json["__type"] == "InvalidSignatureException"


@pytest.mark.parametrize(
    ("key", "keys", "account"),
    [
        ("AKIDTEST", {}, "000000000000"),
        ("123456789012", {}, "123456789012"),
        ("AKIDTEST", {"AKIDTEST": Key("right", "210987654321")}, "210987654321"),
    ],
    ids=["default", "key id of 12 digits", "configured"],
)
def test_the_account_of_a_key(key, keys, account):
    """The default account, the key id itself if it is 12 digits, or the account of the keys file."""
    request = AWSRequest("POST", "http://first.example/", {"X-Amz-Target": TARGET}, b"{}")
    SigV4Auth(Credentials(key, "right"), "rekognition", "eu-west-1").add_auth(request)
    headers = {name.lower(): value for name, value in request.headers.items()} | {"host": "first.example"}
    assert identify(headers, b"{}", keys, datetime.now(UTC)).account == account

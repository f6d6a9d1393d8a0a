"""Every error of the service and of the way there: tried again or told, with a remedy."""

from __future__ import annotations

import random
from decimal import Decimal

import botocore.session
import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    PartialCredentialsError,
    ReadTimeoutError,
    SSLError,
    UnauthorizedSSOTokenError,
)
from botocore.stub import Stubber

from catalog.domain.charges import Charge, Operation
from catalog.domain.errors import EngineError, LimitReached, PhotoError
from catalog.engines.rekognition.budget import Budget
from catalog.engines.rekognition.client import Connection, RekognitionClient
from catalog.engines.rekognition.pricing import Prices
from tests.engines.rekognition.conftest import TABLE

IMAGE = {"Image": {"Bytes": b"x"}}
DETECT = Operation.DETECT_FACES


class QuietLimiter:
    """Never waits; remembers what it was told."""

    def __init__(self):
        self.waited, self.throttles = [], []

    def wait(self, operation):
        self.waited.append(operation)

    def throttled(self, operation):
        self.throttles.append(operation)

    def close(self):
        pass


@pytest.fixture
def limiter():
    return QuietLimiter()


@pytest.fixture
def slept():
    return []


@pytest.fixture
def client(credentials, limiter, slept):
    connection = Connection(region="eu-west-1", attempts=5)
    return RekognitionClient(
        connection, limiter=limiter, prices=Prices(TABLE), sleep=slept.append, chance=random.Random(1)
    )


@pytest.fixture
def stub(client):
    with Stubber(client._client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def refuse(stub, operation, code, message="no", status=400, times=1):
    for _ in range(times):
        stub.add_client_error(operation, code, message, http_status_code=status)


HEALING = [
    ("ProvisionedThroughputExceededException", 400, True),
    ("ThrottlingException", 400, True),
    ("ThrottlingException", 500, True),
    ("InternalServerError", 500, False),
    ("ServiceUnavailable", 503, False),
]


@pytest.mark.parametrize(("code", "status", "throttle"), HEALING)
def test_what_may_heal_is_tried_again(client, stub, limiter, slept, code, status, throttle):
    """With waits in between, each drawn below twice the one before; throttling slows the pace too."""
    refuse(stub, "detect_faces", code, status=status, times=4)
    stub.add_response("detect_faces", {"FaceDetails": []})
    assert client.call_paid(DETECT, **IMAGE)[0]["FaceDetails"] == []
    assert limiter.waited == ["DetectFaces"] * 5
    assert limiter.throttles == ["DetectFaces"] * (4 if throttle else 0)
    assert len(slept) == 4
    assert all(0 <= wait <= 0.2 * 2 ** (n + 1) for n, wait in enumerate(slept))


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("ProvisionedThroughputExceededException", 400, EngineError),
        ("ThrottlingException", 500, EngineError),
        ("InternalServerError", 500, PhotoError),
    ],
)
def test_what_does_not_heal_in_time_is_told(client, stub, code, status, kind):
    """Throttling ends the scan; a photo on which Amazon fails each time ends only itself."""
    refuse(stub, "detect_faces", code, status=status, times=5)
    with pytest.raises(kind):
        client.call_paid(DETECT, **IMAGE)


FINAL = [
    ("AccessDeniedException", EngineError, '"rekognition:DetectFaces"', "iam-policy"),
    ("ExpiredTokenException", EngineError, "expired", "sso login"),
    ("UnrecognizedClientException", EngineError, "does not accept the credentials", "access key"),
    ("InvalidSignatureException", EngineError, "does not accept the credentials", "access key"),
    ("ImageTooLargeException", PhotoError, "too large", ""),
    ("InvalidImageFormatException", PhotoError, "format", ""),
    ("InvalidS3ObjectException", PhotoError, "S3", ""),
    ("ValidationException", PhotoError, "does not accept the photo", ""),
    ("InvalidParameterException", PhotoError, "does not accept the photo", ""),
    ("ServiceQuotaExceededException", EngineError, "ServiceQuotaExceededException", "higher quota"),
    ("SomethingNew", EngineError, "SomethingNew", ""),
]


@pytest.mark.parametrize(("code", "kind", "words", "remedy"), FINAL)
def test_what_cannot_heal_is_told_at_once(client, stub, slept, code, kind, words, remedy):
    """One attempt, one sentence, and what to do."""
    refuse(stub, "detect_faces", code)
    with pytest.raises(kind, match=words) as error:
        client.call_paid(DETECT, **IMAGE)
    assert remedy in error.value.remedy
    assert slept == []


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        ("SearchFaces", "InvalidParameterException"),
        ("SearchFaces", "ResourceNotFoundException"),
        ("CreateCollection", "ResourceAlreadyExistsException"),
        ("CreateUser", "ConflictException"),
        ("IndexFaces", "ResourceNotFoundException"),
    ],
)
def test_refusals_that_depend_on_the_question_reach_the_one_who_asked(client, stub, operation, code):
    """As botocore's own error."""
    members = {
        "SearchFaces": {"CollectionId": "c", "FaceId": "0" * 8 + "-0000-0000-0000-" + "0" * 12},
        "CreateCollection": {"CollectionId": "c"},
        "CreateUser": {"CollectionId": "c", "UserId": "u"},
        "IndexFaces": {"CollectionId": "c", **IMAGE},
    }
    method = {"SearchFaces": "search_faces", "CreateCollection": "create_collection"}
    refuse(stub, method.get(operation, "create_user" if operation == "CreateUser" else "index_faces"), code)
    with pytest.raises(ClientError):
        client.probe(operation, **members[operation])


def test_a_face_that_is_not_there_yet_is_asked_for_with_patience(client, stub, slept):
    """The one InvalidParameterException that heals."""
    request = {"CollectionId": "c", "FaceId": "0" * 8 + "-0000-0000-0000-" + "0" * 12}
    refuse(stub, "search_faces", "InvalidParameterException", "faceId was not found in the collection.", times=3)
    stub.add_response("search_faces", {"FaceMatches": []})
    client.call_paid(Operation.SEARCH_FACES, patience=4, **request)
    assert len(slept) == 3
    refuse(stub, "search_faces", "InvalidParameterException", "faceId was not found in the collection.")
    with pytest.raises(ClientError):
        client.call_paid(Operation.SEARCH_FACES, **request)


@pytest.mark.parametrize("operation", [*(paid.value for paid in Operation), "DetectModerationLabels"])
def test_an_operation_that_may_be_charged_is_not_called_as_a_free_one(client, stub, operation):
    """No request is sent: a call without a charge would be missing in the charge log."""
    with pytest.raises(ValueError, match="may be charged"):
        client.call(operation, **IMAGE)


# ------------------------------------------------------------------------------------------------ on the way there


def failing(client, monkeypatch, *errors):
    """Make the client's calls fail so, one after the other, and then succeed."""
    left = list(errors)

    def detect_faces(**_):
        if left:
            raise left.pop(0)
        return {"FaceDetails": []}

    monkeypatch.setattr(client, "_client", type("Wire", (), {"detect_faces": staticmethod(detect_faces)})())
    return left


LOST = [
    ConnectionClosedError(endpoint_url="x"),
    ReadTimeoutError(endpoint_url="x"),
]


@pytest.mark.parametrize("error", LOST, ids=lambda error: type(error).__name__)
def test_a_lost_answer_is_asked_for_again(client, monkeypatch, error):
    """Resets and timeouts."""
    failing(client, monkeypatch, error, error)
    client.call_paid(DETECT, **IMAGE)


def test_a_lost_answer_may_have_been_billed_and_counts(credentials, limiter, monkeypatch):
    """The budget is asked anew for each attempt whose predecessor may have done its work; not after throttling."""
    budget = Budget(lambda operation, calls: Charge(operation, calls, Decimal("0.001")), max_calls=2)
    client = RekognitionClient(
        Connection(region="eu-west-1"), limiter=limiter, prices=Prices(TABLE), budget=budget, sleep=lambda _: None
    )
    throttled = ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, "DetectFaces")
    failing(client, monkeypatch, throttled, throttled, *LOST)
    with pytest.raises(LimitReached):
        client.call_paid(DETECT, **IMAGE)
    assert budget.calls == 2


UNREACHED = [EndpointConnectionError(endpoint_url="x"), ConnectTimeoutError(endpoint_url="x")]


@pytest.mark.parametrize("error", UNREACHED, ids=lambda error: type(error).__name__)
def test_an_address_that_never_answered_is_given_up_soon(client, monkeypatch, error):
    """Three attempts; one that answered before gets all of them."""
    left = failing(client, monkeypatch, *[error] * 9)
    with pytest.raises(EngineError, match="cannot be reached") as caught:
        client.call_paid(DETECT, **IMAGE)
    assert "rekognition.region" in caught.value.remedy
    assert len(left) == 6
    failing(client, monkeypatch)
    client.call_paid(DETECT, **IMAGE)
    left = failing(client, monkeypatch, *[error] * 9)
    with pytest.raises(EngineError):
        client.call_paid(DETECT, **IMAGE)
    assert len(left) == 4


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (NoCredentialsError(), "no AWS credentials"),
        (PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"), "no AWS credentials"),
        (UnauthorizedSSOTokenError(), "cannot be read"),
        (SSLError(endpoint_url="x", error="self-signed"), "not trusted"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_what_is_wrong_here_is_told_at_once(client, monkeypatch, slept, error, words):
    """Credentials and certificates do not heal by waiting."""
    failing(client, monkeypatch, error)
    with pytest.raises(EngineError, match=words) as caught:
        client.call_paid(DETECT, **IMAGE)
    assert caught.value.remedy
    assert slept == []


def test_missing_credentials_are_found_by_botocore_itself(limiter):
    """Without any in this empty home."""
    client = RekognitionClient(Connection(region="eu-west-1"), limiter=limiter, prices=Prices(TABLE))
    with pytest.raises(EngineError, match="no AWS credentials") as error:
        client.call("DescribeCollection", CollectionId="c")
    assert error.value.exit_code == 5


@pytest.mark.parametrize(
    ("connection", "words"),
    [
        (Connection(), "No AWS region"),
        (Connection(region="eu-west-1", profile="nobody"), "nobody"),
        (Connection(region="eu-west-1", endpoint_url="nonsense"), "nonsense"),
        (Connection(region="not a region"), "not a region"),
    ],
)
def test_a_connection_that_cannot_be_made_is_told(limiter, credentials, connection, words):
    """No region, no such profile, no address, no region's name."""
    with pytest.raises(EngineError, match=words) as error:
        RekognitionClient(connection, limiter=limiter, prices=Prices(TABLE))
    assert error.value.exit_code == 5


def test_nobody_listening_is_told(credentials, limiter):
    """A real port where nothing is."""
    connection = Connection(region="eu-west-1", endpoint_url="http://127.0.0.1:9")
    client = RekognitionClient(connection, limiter=limiter, prices=Prices(TABLE), sleep=lambda _: None)
    with pytest.raises(EngineError, match="cannot be reached"):
        client.call("DescribeCollection", CollectionId="c")


def test_botocores_own_retries_are_off(client):
    """A repeated call must be counted and allowed by the spending limit."""
    assert client._client.meta.config.retries["total_max_attempts"] == 1
    assert botocore.session.Session().get_available_regions("rekognition")

"""Each error of the service model is raised as botocore's exception class."""

from __future__ import annotations

import pytest

from catalog.endpoint.fault_injection import FaultPlan
from catalog.endpoint.service_model import OPERATIONS, operation_models
from catalog.web.endpoint_server import open_endpoint
from tests.endpoint.wire import UNKNOWN_FACE, client_of, no_face, portrait


def modelled():
    return {shape.name for name in OPERATIONS for shape in operation_models()[name].error_shapes}


def provoke(client, kind, collection):
    """Send a request that is refused with the error ``kind``."""
    of_collection = {"CollectionId": collection}
    biden = {"Bytes": portrait("biden")}
    user = {**of_collection, "UserId": "u"}
    match kind:
        case "InvalidParameterException":
            client.search_faces(**of_collection, FaceId=UNKNOWN_FACE)
        case "ResourceNotFoundException":
            client.describe_collection(CollectionId="nowhere")
        case "ResourceAlreadyExistsException":
            client.create_collection(**of_collection)
        case "InvalidImageFormatException":
            client.detect_faces(Image={"Bytes": b"x"})
        case "ImageTooLargeException":
            client.detect_faces(Image={"Bytes": no_face(10_001, 90)})
        case "InvalidS3ObjectException":
            client.detect_faces(Image={"S3Object": {"Bucket": "bucket", "Name": "key"}})
        case "InvalidPaginationTokenException":
            client.list_faces(**of_collection, NextToken="x")
        case "ConflictException":
            client.create_user(**user)
            client.create_user(**user)
        case "IdempotentParameterMismatchException":
            client.create_user(**user, ClientRequestToken="t")
            client.create_user(**of_collection, UserId="v", ClientRequestToken="t")
        case "ServiceQuotaExceededException":
            arn = client.describe_collection(**of_collection)["CollectionARN"]
            for letter in "ab":
                client.tag_resource(ResourceArn=arn, Tags={f"{letter}{n}": "" for n in range(150)})
        case _:
            client.index_faces(**of_collection, Image=biden)


FAULTS = {
    "ProvisionedThroughputExceededException": FaultPlan(tps=0.001),
    "ThrottlingException": FaultPlan(fail_rate=1.0, seed=1),
    "InternalServerError": FaultPlan(fail_rate=1.0, seed=1),
}
NEVER = {"AccessDeniedException"}
"""The endpoint has no permissions, so it never denies access."""


@pytest.mark.parametrize("kind", sorted(modelled() - NEVER - set(FAULTS)))
def test_each_error_is_an_exception_class_of_botocore(rekognition, collection, kind):
    """`except client.exceptions.X` catches the error."""
    with pytest.raises(getattr(rekognition.exceptions, kind)) as error:
        provoke(rekognition, kind, collection)
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert error.value.response["Error"]["Message"]


@pytest.mark.parametrize(("kind", "plan"), FAULTS.items())
def test_each_injected_fault_is_an_exception_class_of_botocore(kind, plan):
    """One of the first 20 calls fails with this fault."""
    from botocore.exceptions import ClientError, HTTPClientError

    with open_endpoint(plan=plan) as server, server.in_background() as url:
        client, errors = client_of(url), set()
        for _ in range(20):
            try:
                client.list_collections()
            except ClientError as error:
                errors.add((type(error), error.response["ResponseMetadata"]["HTTPStatusCode"]))
            except HTTPClientError:
                continue
        statuses = {status for error_class, status in errors if error_class is getattr(client.exceptions, kind)}
    assert (
        statuses
        == {
            "ProvisionedThroughputExceededException": {400},
            "ThrottlingException": {400, 500},
            "InternalServerError": {500},
        }[kind]
    )


def test_every_error_of_the_service_model_is_tested():
    """Fails when a newer botocore defines more errors."""
    assert modelled() == NEVER | set(FAULTS) | {
        "InvalidParameterException",
        "ResourceNotFoundException",
        "ResourceAlreadyExistsException",
        "InvalidImageFormatException",
        "ImageTooLargeException",
        "InvalidS3ObjectException",
        "InvalidPaginationTokenException",
        "ConflictException",
        "IdempotentParameterMismatchException",
        "ServiceQuotaExceededException",
    }

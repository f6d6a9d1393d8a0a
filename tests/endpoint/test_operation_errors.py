"""One error of each kind that the service model knows, as botocore's own exception classes."""

from __future__ import annotations

import pytest

from catalog.endpoint.factory import open_endpoint
from catalog.endpoint.fault_injection import FaultPlan
from catalog.endpoint.service_model import OPERATIONS, operation_models
from tests.endpoint.wire import UNKNOWN_FACE, client_of, nobody, portrait


def modelled():
    return {shape.name for name in OPERATIONS for shape in operation_models()[name].error_shapes}


def provoke(client, kind, collection):
    """A request that is refused in the way asked for."""
    where = {"CollectionId": collection}
    biden = {"Bytes": portrait("biden")}
    user = {**where, "UserId": "u"}
    match kind:
        case "InvalidParameterException":
            client.search_faces(**where, FaceId=UNKNOWN_FACE)
        case "ResourceNotFoundException":
            client.describe_collection(CollectionId="nowhere")
        case "ResourceAlreadyExistsException":
            client.create_collection(**where)
        case "InvalidImageFormatException":
            client.detect_faces(Image={"Bytes": b"x"})
        case "ImageTooLargeException":
            client.detect_faces(Image={"Bytes": nobody(10_001, 90)})
        case "InvalidS3ObjectException":
            client.detect_faces(Image={"S3Object": {"Bucket": "bucket", "Name": "key"}})
        case "InvalidPaginationTokenException":
            client.list_faces(**where, NextToken="x")
        case "ConflictException":
            client.create_user(**user)
            client.create_user(**user)
        case "IdempotentParameterMismatchException":
            client.create_user(**user, ClientRequestToken="t")
            client.create_user(**where, UserId="v", ClientRequestToken="t")
        case "ServiceQuotaExceededException":
            arn = client.describe_collection(**where)["CollectionARN"]
            for letter in "ab":
                client.tag_resource(ResourceArn=arn, Tags={f"{letter}{n}": "" for n in range(150)})
        case _:
            client.index_faces(**where, Image=biden)


FAULTS = {
    "ProvisionedThroughputExceededException": FaultPlan(tps=0.001),
    "ThrottlingException": FaultPlan(fail_rate=1.0, seed=1),
    "InternalServerError": FaultPlan(fail_rate=1.0, seed=1),
}
NEVER = {"AccessDeniedException"}
"""An endpoint has no policies to deny anything by."""


@pytest.mark.parametrize("kind", sorted(modelled() - NEVER - set(FAULTS)))
def test_each_kind_of_refusal_is_botocores_own_class(rekognition, collection, kind):
    """A client's `except client.exceptions.X` catches it."""
    with pytest.raises(getattr(rekognition.exceptions, kind)) as error:
        provoke(rekognition, kind, collection)
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert error.value.response["Error"]["Message"]


@pytest.mark.parametrize(("kind", "plan"), FAULTS.items())
def test_each_kind_of_fault_is_botocores_own_class(kind, plan):
    """Among the first calls one fails so."""
    from botocore.exceptions import ClientError, HTTPClientError

    with open_endpoint(plan=plan) as server, server.in_background() as url:
        client, seen = client_of(url), set()
        for _ in range(20):
            try:
                client.list_collections()
            except ClientError as error:
                seen.add((type(error), error.response["ResponseMetadata"]["HTTPStatusCode"]))
            except HTTPClientError:
                continue
        statuses = {status for kind_, status in seen if kind_ is getattr(client.exceptions, kind)}
    assert (
        statuses
        == {
            "ProvisionedThroughputExceededException": {400},
            "ThrottlingException": {400, 500},
            "InternalServerError": {500},
        }[kind]
    )


def test_every_error_of_the_model_is_accounted_for():
    """A newer botocore that knows more errors makes this fail, and somebody look."""
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

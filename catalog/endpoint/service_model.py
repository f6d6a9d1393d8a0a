"""Amazon's own description of the service, as botocore carries it, and the part of it that is served here."""

from __future__ import annotations

from functools import cache

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel

TARGET_PREFIX = "RekognitionService."

OPERATIONS = (
    "CreateCollection",
    "DeleteCollection",
    "DescribeCollection",
    "ListCollections",
    "IndexFaces",
    "ListFaces",
    "DeleteFaces",
    "SearchFaces",
    "SearchFacesByImage",
    "DetectFaces",
    "CompareFaces",
    "CreateUser",
    "DeleteUser",
    "ListUsers",
    "AssociateFaces",
    "DisassociateFaces",
    "SearchUsers",
    "SearchUsersByImage",
    "TagResource",
    "UntagResource",
    "ListTagsForResource",
)


@cache
def operation_models() -> dict[str, OperationModel]:
    """The models of the operations that are served, by name; read once per process, as it takes a tenth of a second."""
    description = Loader().load_service_model("rekognition", "service-2")
    service = ServiceModel(description, "rekognition")
    return {name: service.operation_model(name) for name in OPERATIONS}

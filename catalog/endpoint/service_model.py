"""Amazon's service model from botocore, and the operations that the endpoint serves."""

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
    """Models of the served operations, by name. Loaded once per process, because loading takes 0.1 s."""
    description = Loader().load_service_model("rekognition", "service-2")
    service = ServiceModel(description, "rekognition")
    return {name: service.operation_model(name) for name in OPERATIONS}

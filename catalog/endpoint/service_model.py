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
    """Models of the served operations, by name."""
    return {name: _service().operation_model(name) for name in OPERATIONS}


@cache
def operation_names() -> frozenset[str]:
    """All operations of Amazon Rekognition, served or not."""
    return frozenset(_service().operation_names)


@cache
def _service() -> ServiceModel:
    """Loaded once per process, because loading takes 0.1 s."""
    description = Loader().load_service_model("rekognition", "service-2")
    return ServiceModel(description, "rekognition")

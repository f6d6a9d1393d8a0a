"""The collection that is the gallery: made, described, and refused when its faces come from another model."""

from __future__ import annotations

from botocore.exceptions import ClientError

from catalog.domain.errors import EngineError
from catalog.engines.rekognition.aws_errors import code_of, to_catalog_error
from catalog.engines.rekognition.client import RekognitionClient

PREFIX = "rekognition-"


def open_collection(client: RekognitionClient, collection: str) -> str:
    """The FaceModelVersion of the collection, which is made when it is missing. Raises EngineError."""
    try:
        return str(client.call("DescribeCollection", CollectionId=collection)["FaceModelVersion"])
    except ClientError as error:
        if code_of(error) != "ResourceNotFoundException":
            raise to_catalog_error(error, "DescribeCollection", place=client.place, with_image=False) from error
    try:
        return str(client.call("CreateCollection", CollectionId=collection)["FaceModelVersion"])
    except ClientError as error:
        if code_of(error) != "ResourceAlreadyExistsException":
            raise to_catalog_error(error, "CreateCollection", place=client.place, with_image=False) from error
    # Another worker was faster, or our own first answer was lost.
    return str(client.call("DescribeCollection", CollectionId=collection)["FaceModelVersion"])


def pinned_model(version: str, expected: str | None, collection: str) -> str:
    """The engine's model for a version; raises EngineError when another was expected."""
    model = f"{PREFIX}{version}"
    if expected is not None and expected != model:
        raise EngineError(
            f'The collection "{collection}" has face model version {version}, but the catalogue\'s faces were made by '
            f'"{expected}"; faces of two versions cannot be compared.',
            remedy="Name another collection in the settings (engine.gallery) and scan again to fill it; "
            "IndexFaces is paid for once more.",
        )
    return model

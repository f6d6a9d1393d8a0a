"""The collection that is the gallery: described, created, and refused if its faces are lost or of another model."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from botocore.exceptions import ClientError

from catalog.domain.errors import EngineError
from catalog.engines.rekognition.aws_errors import code_of, to_catalog_error
from catalog.engines.rekognition.client import RekognitionClient

log = logging.getLogger(__name__)

PREFIX = "rekognition-"
RECONCILE = (
    "Run `catalog reconcile`, which enrolls the photos again (IndexFaces is charged for each), or name another "
    "collection in the settings (engine.gallery)."
)


@dataclass(frozen=True, slots=True)
class CollectionState:
    """``version`` is the FaceModelVersion. ``faces`` is Amazon's count, and 0 only if ListFaces shows none either."""

    version: str
    faces: int


def describe_collection(client: RekognitionClient, collection: str) -> CollectionState | None:
    """The collection's state; None if it does not exist. Raises EngineError."""
    try:
        answer = client.call("DescribeCollection", CollectionId=collection)
    except ClientError as error:
        if code_of(error) != "ResourceNotFoundException":
            raise to_catalog_error(error, "DescribeCollection", place=client.place, with_image=False) from error
        return None
    faces = int(answer.get("FaceCount", 0))
    if faces == 0:
        # The count may lag behind the faces.
        faces = len(client.call("ListFaces", CollectionId=collection, MaxResults=1)["Faces"])
    return CollectionState(str(answer["FaceModelVersion"]), faces)


def open_collection(
    client: RekognitionClient, collection: str, *, known_faces: int = 0, may_be_lost: bool = False
) -> str:
    """The FaceModelVersion of the collection, which is created if it does not exist.

    Raises EngineError, also if the catalogue knows faces in a collection that has none, unless it ``may_be_lost``.
    Fewer faces than the catalogue knows are a warning.
    """
    state = describe_collection(client, collection)
    if not may_be_lost:
        refuse_lost_collection(state, collection, known_faces)
        if state is not None and state.faces < known_faces:
            log.warning("%s %s", missing_faces(collection, state.faces, known_faces), RECONCILE)
    if state is not None:
        return state.version
    try:
        return str(client.call("CreateCollection", CollectionId=collection)["FaceModelVersion"])
    except ClientError as error:
        if code_of(error) != "ResourceAlreadyExistsException":
            raise to_catalog_error(error, "CreateCollection", place=client.place, with_image=False) from error
    # Another worker created it first, or the response to our own call was lost.
    return str(client.call("DescribeCollection", CollectionId=collection)["FaceModelVersion"])


def refuse_lost_collection(state: CollectionState | None, collection: str, known_faces: int) -> None:
    """Raise EngineError if the collection is gone or empty although the catalogue knows faces in it."""
    if known_faces and (state is None or state.faces == 0):
        lost = "does not exist any more" if state is None else "is empty"
        raise EngineError(
            f'The collection "{collection}" {lost}, but the catalogue knows {known_faces:,} faces in it.',
            remedy=RECONCILE,
        )


def missing_faces(collection: str, faces: int, known_faces: int) -> str:
    """Sentence for a collection with fewer faces than the catalogue knows. Other catalogues can only add faces."""
    return f'The collection "{collection}" has {faces:,} faces, but the catalogue knows {known_faces:,} in it.'


def pinned_model(version: str, expected: str | None, collection: str) -> str:
    """The engine's model for a version. Raises EngineError if ``expected`` is another model."""
    model = f"{PREFIX}{version}"
    if expected is not None and expected != model:
        raise EngineError(
            f'The collection "{collection}" has face model version {version}, but the catalogue\'s faces were made by '
            f'"{expected}"; faces of two versions cannot be compared.',
            remedy="Name another collection in the settings (engine.gallery) and scan again to fill it; "
            "IndexFaces is paid for once more.",
        )
    return model

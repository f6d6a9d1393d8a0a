"""Which rights the credentials have, found by trying each in a way that costs nothing and changes nothing.

Amazon looks at rights before it looks at the request, and bills nothing that it refuses: a picture of one byte, a face
and a user that nobody has are refused by whoever is allowed to ask.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from catalog.domain.errors import EngineError, PhotoError
from catalog.engines.rekognition.aws_errors import code_of, is_denied
from catalog.engines.rekognition.client import RekognitionClient

NO_IMAGE = {"Bytes": b"x"}
NO_USER = "catalog:nobody"


@dataclass(frozen=True, slots=True)
class Permission:
    """One right; ``granted`` is None where it was not tried, with the reason in ``note``."""

    action: str
    granted: bool | None
    note: str = ""


def try_permissions(
    client: RekognitionClient, collection: str, *, users: bool = False, create: bool = False
) -> Iterator[Permission]:
    """Each right that the engine needs, with those for user vectors if wanted.

    The right to make a collection cannot be tried without making it, as nobody knows whether Amazon looks at the
    request or at rights first, and a policy may allow one name only. ``create`` does: it is free, the first scan needs
    it, and nothing is left that would not be there anyway.

    Raises EngineError when nothing can be asked at all: no credentials, no connection.
    """
    described = "rekognition:DescribeCollection"
    note = f'not tried: it would make the collection "{collection}", as the first scan and --make-collection do'
    try:
        client.call("DescribeCollection", CollectionId=collection)
    except (ClientError, EngineError) as error:
        if not is_denied(error) and not _is_answer(error):
            raise
        yield Permission(described, granted=not is_denied(error))
        if create:
            yield _try(client, "CreateCollection", {"CollectionId": collection})
        else:
            yield Permission("rekognition:CreateCollection", granted=None, note=note)
    else:
        yield Permission(described, granted=True)
        yield _try(client, "CreateCollection", {"CollectionId": collection})
    for operation, members in _requests(collection, users=users):
        yield _try(client, operation, members)


def _requests(collection: str, *, users: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    where = {"CollectionId": collection}
    nobody = str(uuid.uuid4())
    yield "IndexFaces", {**where, "Image": NO_IMAGE}
    yield "ListFaces", {**where, "MaxResults": 1}
    yield "DeleteFaces", {**where, "FaceIds": [nobody]}
    yield "SearchFaces", {**where, "FaceId": nobody}
    yield "SearchFacesByImage", {**where, "Image": NO_IMAGE}
    yield "DetectFaces", {"Image": NO_IMAGE}
    yield "CompareFaces", {"SourceImage": NO_IMAGE, "TargetImage": NO_IMAGE}
    if users:
        yield "ListUsers", {**where, "MaxResults": 1}
        yield "CreateUser", {**where, "UserId": "not allowed in a name"}
        yield "DeleteUser", {**where, "UserId": NO_USER}
        yield "AssociateFaces", {**where, "UserId": NO_USER, "FaceIds": [nobody]}
        yield "DisassociateFaces", {**where, "UserId": NO_USER, "FaceIds": [nobody]}
        yield "SearchUsers", {**where, "FaceId": nobody}
        yield "SearchUsersByImage", {**where, "Image": NO_IMAGE}


def _try(client: RekognitionClient, operation: str, members: dict[str, Any]) -> Permission:
    action = f"rekognition:{operation}"
    try:
        client.call(operation, **members)
    except (ClientError, EngineError, PhotoError) as error:
        if is_denied(error):
            return Permission(action, granted=False)
        if not _is_answer(error):
            raise
    return Permission(action, granted=True)


def _is_answer(error: Exception) -> bool:
    """Whether the service refused for what the request says, which only the allowed get to hear."""
    cause = error if isinstance(error, ClientError) else error.__cause__
    return code_of(cause) in _REFUSALS if isinstance(cause, ClientError) else False


_REFUSALS = {
    "InvalidParameterException",
    "InvalidImageFormatException",
    "ImageTooLargeException",
    "ValidationException",
    "ResourceNotFoundException",
    "ResourceAlreadyExistsException",
}

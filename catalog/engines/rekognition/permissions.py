"""Permissions of the credentials, found by trying each. Nothing is charged or changed.

Each probe sends an invalid request, such as an image of one byte or an unknown face id. Amazon answers AccessDenied
without the permission and a validation error with it, and charges neither.
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
    """One permission. ``granted`` is None if it was not tried; ``note`` has the reason."""

    action: str
    granted: bool | None
    note: str = ""


def try_permissions(
    client: RekognitionClient, collection: str, *, users: bool = False, create: bool = False
) -> Iterator[Permission]:
    """Try each permission that the engine needs; with ``users`` also those for user vectors.

    The permission to create a collection can only be tried by creating it, because a policy may allow one name only.
    ``create`` allows that: it is free, and the first scan would create it.

    Raises EngineError if no request can be made: no credentials, no connection.
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
    unknown = str(uuid.uuid4())
    yield "IndexFaces", {**where, "Image": NO_IMAGE}
    yield "ListFaces", {**where, "MaxResults": 1}
    yield "DeleteFaces", {**where, "FaceIds": [unknown]}
    yield "SearchFaces", {**where, "FaceId": unknown}
    yield "SearchFacesByImage", {**where, "Image": NO_IMAGE}
    yield "DetectFaces", {"Image": NO_IMAGE}
    yield "CompareFaces", {"SourceImage": NO_IMAGE, "TargetImage": NO_IMAGE}
    if users:
        yield "ListUsers", {**where, "MaxResults": 1}
        yield "CreateUser", {**where, "UserId": "not allowed in a name"}
        yield "DeleteUser", {**where, "UserId": NO_USER}
        yield "AssociateFaces", {**where, "UserId": NO_USER, "FaceIds": [unknown]}
        yield "DisassociateFaces", {**where, "UserId": NO_USER, "FaceIds": [unknown]}
        yield "SearchUsers", {**where, "FaceId": unknown}
        yield "SearchUsersByImage", {**where, "Image": NO_IMAGE}


def _try(client: RekognitionClient, operation: str, members: dict[str, Any]) -> Permission:
    action = f"rekognition:{operation}"
    try:
        client.probe(operation, **members)
    except (ClientError, EngineError, PhotoError) as error:
        if is_denied(error):
            return Permission(action, granted=False)
        if not _is_answer(error):
            raise
    return Permission(action, granted=True)


def _is_answer(error: Exception) -> bool:
    """True if the service refused the content of the request, which it reads after the permission."""
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

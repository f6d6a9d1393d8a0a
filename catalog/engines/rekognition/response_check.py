"""Checks that a response is one of Amazon Rekognition. A proxy or a captive portal may answer in its place.

botocore parses any body of a response with status 200: an HTML page becomes a response without members.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

_MEMBERS = {
    "IndexFaces": "FaceRecords",
    "DetectFaces": "FaceDetails",
    "CompareFaces": "SourceImageFace",
    "SearchFaces": "FaceMatches",
    "SearchFacesByImage": "SearchedFaceBoundingBox",
    "SearchUsers": "UserMatches",
    "SearchUsersByImage": "UserMatches",
    "AssociateFaces": "AssociatedFaces",
    "DisassociateFaces": "DisassociatedFaces",
    "ListFaces": "Faces",
    "ListUsers": "Users",
    "DeleteFaces": "DeletedFaces",
    "DescribeCollection": "FaceModelVersion",
}
"""A member that every response to the operation has."""


class UnreadableResponseError(Exception):
    """A response with status 200 that is none of the service. The call may have been billed."""


def request(method: Callable[..., dict[str, Any]], operation: str, members: Mapping[str, Any]) -> dict[str, Any]:
    """Send one request. Raises botocore's errors, and UnreadableResponseError."""
    try:
        answer = method(**members)
    except (ClientError, BotoCoreError):
        raise
    except Exception as error:  # botocore's parser raises what it meets: UnicodeDecodeError, TypeError, its own error
        raise UnreadableResponseError(operation) from error
    if _MEMBERS.get(operation, "") not in {"", *answer}:
        raise UnreadableResponseError(operation)
    return answer

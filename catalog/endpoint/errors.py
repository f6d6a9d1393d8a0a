"""All errors that the endpoint returns, with Amazon's codes and messages.

The service model defines most codes. ``ValidationException``, ``SerializationException`` and the authentication errors
are in no operation's model: Amazon's request parser returns them before an operation runs.
"""

from __future__ import annotations


class WireError(Exception):
    """An error response: code, HTTP status and message."""

    def __init__(self, code: str, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


class ConnectionDropped(Exception):
    """Raised by fault injection: the server resets the connection without a response."""


def invalid_parameter(message: str = "Request has invalid parameters") -> WireError:
    return WireError("InvalidParameterException", message)


def no_face_in_image() -> WireError:
    return invalid_parameter("There are no faces in the image. Should be at least 1.")


def face_not_found() -> WireError:
    return invalid_parameter("faceId was not found in the collection.")


def collection_not_found(collection_id: str) -> WireError:
    return WireError("ResourceNotFoundException", f"The collection id: {collection_id} does not exist")


def collection_exists(collection_id: str) -> WireError:
    return WireError("ResourceAlreadyExistsException", f"The collection id: {collection_id} already exists")


def user_not_found(user_id: str) -> WireError:
    return WireError("ResourceNotFoundException", f"The user id: {user_id} does not exist")


def user_exists(user_id: str) -> WireError:
    return WireError("ConflictException", f"The user id: {user_id} already exists")


def resource_not_found(arn: str) -> WireError:
    return WireError("ResourceNotFoundException", f"The resource: {arn} does not exist")


def token_in_use(token: str) -> WireError:
    return WireError(
        "IdempotentParameterMismatchException", f"The ClientRequestToken: {token} you have supplied is already in use"
    )


def quota_exceeded(message: str) -> WireError:
    return WireError("ServiceQuotaExceededException", message)


def image_format() -> WireError:
    return WireError("InvalidImageFormatException", "Request has invalid image format")


def image_too_large() -> WireError:
    return WireError("ImageTooLargeException", "Image size is too large.")


def s3_object() -> WireError:
    return WireError(
        "InvalidS3ObjectException",
        "Unable to get object metadata from S3. Check object key, region and/or access permissions.",
    )


def pagination_token() -> WireError:
    return WireError("InvalidPaginationTokenException", "Invalid Pagination Token")


def rate_exceeded() -> WireError:
    return WireError("ProvisionedThroughputExceededException", "Provisioned Rate exceeded.")


def slow_down() -> WireError:
    return WireError("ThrottlingException", "Slow down; sudden increase in rate of requests.")


def service_unavailable() -> WireError:
    return WireError("ThrottlingException", "Service Unavailable", status=500)


def internal_error() -> WireError:
    return WireError("InternalServerError", "Internal server error", status=500)


def access_denied(message: str) -> WireError:
    return WireError("AccessDeniedException", message)


def unknown_operation(*, status: int = 400) -> WireError:
    return WireError("UnknownOperationException", "The requested operation is not known here.", status=status)


def unserved_operation(name: str) -> WireError:
    return WireError("UnknownOperationException", f"The operation {name} is not served by this endpoint.")


def serialization(message: str) -> WireError:
    return WireError("SerializationException", message)


def validation(problems: list[str]) -> WireError:
    """One error for all violated lengths, patterns, ranges and enumerations of a request."""
    plural = "" if len(problems) == 1 else "s"
    return WireError("ValidationException", f"{len(problems)} validation error{plural} detected: {'; '.join(problems)}")

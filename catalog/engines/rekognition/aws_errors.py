"""Errors of AWS: sorted by what helps, and translated to errors of this program with a remedy."""

from __future__ import annotations

from enum import Enum, auto

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectionError,  # noqa: A004 - of botocore, unlike the builtin
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    HTTPClientError,
    InvalidRegionError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)

from catalog.domain.errors import CatalogError, EngineError, PhotoError
from catalog.engines.rekognition.response_check import UnreadableResponseError


class AwsErrorKind(Enum):
    """Kinds of failure, by the next step."""

    THROTTLED = auto()
    """Refused for its rate: slow down and try again. Not billed."""
    LOST = auto()
    """The response was lost; the work may be done and billed: try again."""
    UNREACHED = auto()
    """Nothing was sent: try again, a limited number of times."""
    NOT_THERE_YET = auto()
    """A face that was just enrolled cannot be searched yet: try again soon."""
    FINAL = auto()
    """Another attempt would fail too."""


_THROTTLES = {
    "ProvisionedThroughputExceededException",
    "ThrottlingException",
    "Throttling",
    "TooManyRequestsException",
    "RequestLimitExceeded",
    "SlowDown",
}
_CREDENTIALS = {
    "UnrecognizedClientException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "IncompleteSignatureException",
    "MissingAuthenticationTokenException",
    "OptInRequired",
    "SubscriptionRequiredException",
}
_EXPIRED = {"ExpiredTokenException", "ExpiredToken", "RequestExpired"}
_DENIED = {"AccessDeniedException", "AccessDenied", "NotAuthorized", "UnauthorizedOperation"}
_PHOTO = {
    "InvalidImageFormatException": "Amazon Rekognition cannot read the photo's format.",
    "ImageTooLargeException": "The photo is too large for Amazon Rekognition.",
    "InvalidS3ObjectException": "Amazon Rekognition cannot read the photo from S3.",
    "ValidationException": "Amazon Rekognition does not accept the photo.",
    "InvalidParameterException": "Amazon Rekognition does not accept the photo.",
}


def code_of(error: Exception) -> str:
    """The service's error code; empty for an error that is not from the service."""
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""


def message_of(error: Exception) -> str:
    """The service's sentence."""
    return str(error.response.get("Error", {}).get("Message", "")) if isinstance(error, ClientError) else str(error)


def sort(error: Exception) -> AwsErrorKind:
    """The kind of an exception of botocore, or of a response that is none of the service."""
    if isinstance(error, ClientError):
        return _sort_answer(error)
    if isinstance(error, SSLError):
        return AwsErrorKind.FINAL
    if isinstance(error, EndpointConnectionError | ConnectTimeoutError | ProxyConnectionError):
        return AwsErrorKind.UNREACHED
    if isinstance(error, ReadTimeoutError | ConnectionClosedError | HTTPClientError | UnreadableResponseError):
        return AwsErrorKind.LOST
    return AwsErrorKind.FINAL


def _sort_answer(error: ClientError) -> AwsErrorKind:
    code = code_of(error)
    if code in _THROTTLES:
        return AwsErrorKind.THROTTLED
    if is_face_not_found(error):
        return AwsErrorKind.NOT_THERE_YET
    if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400) >= 500:
        return AwsErrorKind.LOST
    return AwsErrorKind.FINAL


def is_face_not_found(error: Exception) -> bool:
    """True for the InvalidParameterException that may pass: a face id that the collection does not hold yet."""
    return code_of(error) in {"InvalidParameterException", "ResourceNotFoundException"} and (
        "faceid was not found" in message_of(error).lower()
    )


def is_denied(error: Exception) -> bool:
    """True if AWS denied a permission. ``error`` is botocore's, or an error of this program caused by it."""
    cause = error if isinstance(error, ClientError) else error.__cause__
    return isinstance(cause, ClientError) and code_of(cause) in _DENIED


def no_face(error: Exception) -> bool:
    """True if a search by image was refused because the image shows no face."""
    return code_of(error) == "InvalidParameterException" and "no faces in the image" in message_of(error).lower()


def to_catalog_error(error: Exception, operation: str, *, place: str, with_image: bool) -> CatalogError:
    """Translate an error. ``place`` is the region or address; ``with_image`` allows a PhotoError."""
    code = code_of(error)
    if not code:
        return _unsent(error, operation, place)
    if code in _EXPIRED:
        return EngineError("The AWS credentials have expired.", remedy="Get new ones, for instance with: aws sso login")
    if code in _DENIED:
        return EngineError(
            f'AWS denies the permission "rekognition:{operation}".',
            remedy="Add it to the policy of the user or role; config/iam-policy.json lists all permissions. "
            "`catalog check` tries each permission.",
        )
    if code in _CREDENTIALS:
        clock = " Check the clock of this machine." if "expired" in message_of(error).lower() else ""
        return EngineError(
            f"AWS does not accept the credentials ({code}).",
            remedy=f"Check the access key and secret, or choose another profile (rekognition.profile).{clock}",
        )
    if with_image and code in _PHOTO:
        return PhotoError(f"{_PHOTO[code]} {message_of(error)}".strip())
    if with_image and code == "InternalServerError":
        return PhotoError("Amazon Rekognition failed on this photo at every attempt.")
    return EngineError(
        f"Amazon Rekognition refused {operation} in {place}: {code}: {message_of(error)}",
        remedy=_REMEDIES.get(code, ""),
    )


_REMEDIES = {
    "ResourceNotFoundException": "The collection does not exist any more. Run `catalog reconcile` to enroll again.",
    "ServiceQuotaExceededException": "The collection or account is full; ask AWS for a higher quota.",
    "ProvisionedThroughputExceededException": "Lower rekognition.calls_per_second, or ask AWS for a higher quota.",
    "ThrottlingException": "Lower rekognition.calls_per_second, or ask AWS for a higher quota.",
}


def _unsent(error: Exception, operation: str, place: str) -> CatalogError:
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return EngineError(
            "There are no AWS credentials.",
            remedy="Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run: aws configure",
        )
    if isinstance(error, CredentialRetrievalError | TokenRetrievalError | UnauthorizedSSOTokenError):
        return EngineError(
            f"The AWS credentials cannot be read: {error}", remedy="Log in again, for instance with: aws sso login"
        )
    if isinstance(error, ProfileNotFound):
        return EngineError(
            f"{str(error).rstrip('.')}.", remedy="Set rekognition.profile to one of: aws configure list-profiles"
        )
    if isinstance(error, NoRegionError):
        return EngineError("No AWS region is set.", remedy="Set rekognition.region, such as eu-west-1, or AWS_REGION.")
    if isinstance(error, InvalidRegionError):
        return EngineError(f'"{place}" is no AWS region.', remedy="Set rekognition.region, such as eu-west-1.")
    if isinstance(error, SSLError):
        return EngineError(
            f"The connection to Amazon Rekognition in {place} is not trusted: {error}",
            remedy="Check rekognition.endpoint_url, a proxy in between, and the certificates (AWS_CA_BUNDLE).",
        )
    if isinstance(error, UnreadableResponseError):
        return EngineError(
            f"The response to {operation} from {place} is none of Amazon Rekognition.",
            remedy="Check rekognition.endpoint_url, and proxies and login pages in between.",
        )
    if isinstance(error, HTTPClientError | ConnectionError):
        return EngineError(
            f"Amazon Rekognition in {place} cannot be reached: {str(error).rstrip('.')}.",
            remedy="Check the network, and that Rekognition is offered in this region (rekognition.region).",
        )
    if isinstance(error, BotoCoreError):
        return EngineError(f"Amazon Rekognition cannot be asked for {operation}: {error}")
    raise error

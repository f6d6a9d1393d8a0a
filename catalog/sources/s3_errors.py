"""Errors of S3 as sentences, each blamed on one photo or on the source.

Error codes of the S3 API reference ("Error responses") and exceptions of botocore are compared by name, so that this
module imports neither.
"""

from __future__ import annotations

from typing import Any

from catalog.domain.errors import PhotoError, SourceError
from catalog.domain.uri import display

_CREDENTIALS_REMEDY = "Run `aws configure` or `aws sso login`, or set AWS_PROFILE or AWS_ACCESS_KEY_ID."

_CREDENTIALS = {
    "NoCredentialsError": "No AWS credentials were found",
    "PartialCredentialsError": "The AWS credentials are incomplete",
    "CredentialRetrievalError": "The AWS credentials could not be fetched",
    "ProfileNotFound": "There is no such AWS profile",
    "SSOTokenLoadError": "The AWS single sign-on has no session",
    "UnauthorizedSSOTokenError": "The session of the AWS single sign-on has expired",
    "TokenRetrievalError": "The session of the AWS single sign-on has expired",
    "LoginTokenLoadError": "The AWS login has no session",
    # error codes of the service
    "ExpiredToken": "The AWS credentials have expired",
    "ExpiredTokenException": "The AWS credentials have expired",
    "TokenRefreshRequired": "The AWS credentials have expired",
    "InvalidToken": "The AWS session token is not valid",
    "InvalidAccessKeyId": "The AWS access key does not exist",
    "SignatureDoesNotMatch": "The AWS secret key is wrong",
    "InvalidClientTokenId": "The AWS access key does not exist",
    "NotSignedUp": "The AWS account has no S3",
}

_OTHER: dict[str, tuple[str, str]] = {
    "NoSuchBucket": ("The bucket does not exist", "Check its name, and the account that the credentials belong to."),
    "AllAccessDisabled": ("All access to the bucket has been disabled", "Ask the bucket's owner."),
    "AccountProblem": ("There is a problem with the AWS account", "See the AWS console."),
    "PermanentRedirect": ("The bucket is in another region", "Set the region of the bucket."),
    "AuthorizationHeaderMalformed": ("The bucket is in another region", "Set the region of the bucket."),
    "IllegalLocationConstraintException": ("The bucket is in another region", "Set the region of the bucket."),
    "InvalidRegionError": ("The region has no valid name", "Set a region such as eu-central-1."),
    "RequestTimeTooSkewed": ("The clock of this machine is wrong", "Set it; AWS allows 15 minutes of difference."),
    "SlowDown": ("S3 asks to slow down, again and again", "Run the same command again later."),
    "ServiceUnavailable": ("S3 is not available", "Run the same command again later."),
    "InternalError": ("S3 has an internal error, again and again", "Run the same command again later."),
}

_UNREACHABLE = frozenset(
    {
        "EndpointConnectionError",
        "ConnectTimeoutError",
        "ConnectionError",
        "ConnectionClosedError",
        "ReadTimeoutError",
        "HTTPClientError",
        "ProxyConnectionError",
        "SSLError",
    }
)

_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "Forbidden", "403", "401", "Unauthorized"})
_VANISHED = frozenset({"NoSuchKey", "NoSuchVersion", "404", "NotFound", "MethodNotAllowed"})
"""MethodNotAllowed is the response for a delete marker."""
_PAST_END = frozenset({"InvalidRange", "416"})


def source_fault(error: Exception, uri: str) -> SourceError:
    """The error of a source that cannot be listed or reached at all."""
    code, message = _code(error), _message(error)
    place = f'"{display(uri)}"'
    if code in _CREDENTIALS:
        return SourceError(f"{_CREDENTIALS[code]}, so {place} cannot be read.", remedy=_CREDENTIALS_REMEDY)
    if code in _OTHER:
        sentence, remedy = _OTHER[code]
        return SourceError(f"{sentence}: {place} cannot be read.", remedy=remedy)
    if code in _UNREACHABLE:
        return SourceError(
            f"S3 cannot be reached for {place}: {message}.",
            remedy="Check the network, the proxy, and the endpoint URL and region in the settings.",
        )
    if code in _DENIED:
        return SourceError(
            f"Access to {place} is denied: {message}.",
            remedy="The credentials need s3:ListBucket on the bucket and s3:GetObject on its objects; a bucket "
            "whose requester pays needs that setting too.",
        )
    return SourceError(f"S3 cannot list {place}: {message} ({code}).")


def photo_fault(error: Exception, uri: str) -> PhotoError | SourceError:
    """The error of one object that cannot be read, or of the source when no other object can be either."""
    code, message = _code(error), _message(error)
    place = f'"{display(uri)}"'
    if code in _CREDENTIALS or code in _OTHER:
        return source_fault(error, uri)
    if code in _VANISHED:
        return PhotoError(f"{place} disappeared after it was listed.")
    if code in _DENIED:
        return PhotoError(
            f"Access to {place} is denied: {message}.",
            remedy="The credentials need s3:GetObject on it, and kms:Decrypt where it is encrypted with a KMS key.",
        )
    if code == "InvalidObjectState":
        return PhotoError(f"{place} is archived and must be restored first.")
    return PhotoError(f"{place} cannot be read: {message} ({code}).")


def is_denied(error: Exception) -> bool:
    """Return whether S3 denied a permission."""
    return _code(error) in _DENIED


def is_vanished(error: Exception) -> bool:
    """Return whether the object does not exist. S3 says so only to a user who may read it."""
    return _code(error) in _VANISHED


def is_past_end(error: Exception) -> bool:
    """Return whether a range begins behind the end of an object. Any range of an empty object does."""
    return _code(error) in _PAST_END


def _code(error: Exception) -> str:
    """The error code of S3, or the name of botocore's exception."""
    details = _details(error)
    return str(details["Code"]) if details.get("Code") else type(error).__name__


def _message(error: Exception) -> str:
    text = " ".join(str(_details(error).get("Message") or error).split()).rstrip(".")
    return text if text.isprintable() else ascii(text)


def _details(error: Exception) -> dict[str, Any]:
    response: dict[str, Any] = getattr(error, "response", None) or {}
    details: dict[str, Any] = response.get("Error", {})
    return details

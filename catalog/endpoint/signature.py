"""Amazon's Signature Version 4.

The access key and the region are read from every signature. Signatures are verified only if keys are configured: then
every request must be signed with one of the keys, for this service, and be at most 15 minutes old. The signature must
cover the body, the host, the date and the operation.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from catalog.endpoint.errors import WireError

DEFAULT_REGION = "us-east-1"
DEFAULT_ACCOUNT = "000000000000"
SERVICE = "rekognition"
_MUST_BE_SIGNED = {"host", "x-amz-date", "x-amz-target"}
_BODY_HASH = "x-amz-content-sha256"
_UNHASHED = {"UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"}
_ACCOUNT_ID = re.compile(r"\d{12}")
_ALLOWED_SKEW = 15 * 60
_ALGORITHM = "AWS4-HMAC-SHA256"
_SCOPE = re.compile(r"(?P<key>[\w+=,.@-]+)/(?P<date>\d{8})/(?P<region>[a-z0-9-]+)/(?P<service>[a-z0-9-]+)/aws4_request")


@dataclass(frozen=True, slots=True)
class Key:
    """A secret, and the account of the key; an empty account means the default account."""

    secret: str
    account: str = ""


@dataclass(frozen=True, slots=True)
class Caller:
    """The region that a request was signed for, and the account of its key. Both separate collections."""

    region: str
    account: str


@dataclass(frozen=True, slots=True)
class Signature:
    """The parts of an Authorization header."""

    access_key: str
    date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    digest: str


def parse(authorization: str) -> Signature:
    """Parse an Authorization header. Raises WireError (``IncompleteSignatureException``) if it is not version 4."""
    algorithm, _, rest = authorization.partition(" ")
    parts = dict(part.strip().partition("=")[::2] for part in rest.split(","))
    scope = _SCOPE.fullmatch(parts.get("Credential", ""))
    missing = [name for name in ("Credential", "Signature", "SignedHeaders") if not parts.get(name)]
    if algorithm != _ALGORITHM or missing or not scope:
        message = f"Authorization header requires '{missing[0]}' parameter." if missing else "Credential is malformed."
        raise WireError("IncompleteSignatureException", message)
    return Signature(
        access_key=scope["key"],
        date=scope["date"],
        region=scope["region"],
        service=scope["service"],
        signed_headers=tuple(parts["SignedHeaders"].split(";")),
        digest=parts["Signature"],
    )


def identify(headers: Mapping[str, str], body: bytes, keys: Mapping[str, Key], now: datetime) -> Caller:
    """The caller of a request. Verifies the signature and its body hash if ``keys`` (by id) is not empty.

    ``headers`` have lower-case names. Raises WireError.
    """
    signature = check_head(headers, keys, now)
    if signature is None:
        return Caller(DEFAULT_REGION, DEFAULT_ACCOUNT)
    if keys:
        _verify(signature, headers, body, keys[signature.access_key].secret)
    return Caller(signature.region, _account(signature.access_key, keys))


def check_head(headers: Mapping[str, str], keys: Mapping[str, Key], now: datetime) -> Signature | None:
    """The parsed signature, or None for an unsigned request. Checks all that needs no body. Raises WireError."""
    authorization = headers.get("authorization", "")
    if not authorization:
        if keys:
            raise WireError("MissingAuthenticationTokenException", "Missing Authentication Token")
        return None
    signature = parse(authorization)
    if keys:
        _check_scope(signature, headers, keys, now)
    return signature


def _check_scope(signature: Signature, headers: Mapping[str, str], keys: Mapping[str, Key], now: datetime) -> None:
    if signature.access_key not in keys:
        raise WireError("UnrecognizedClientException", "The security token included in the request is invalid.")
    if signature.service != SERVICE:
        raise _mismatch(f"Credential should be scoped to correct service: '{SERVICE}'.")
    stamp = headers.get("x-amz-date", "")
    try:
        signed_at = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise WireError("IncompleteSignatureException", "Date must be in ISO-8601 'basic format'.") from None
    if not stamp.startswith(signature.date):
        raise _mismatch("Date in Credential scope does not match the date of the request.")
    if abs((now - signed_at).total_seconds()) > _ALLOWED_SKEW:
        raise _mismatch(f"Signature expired or not yet current: {stamp} is more than 15 min. from the server's time.")
    unsigned = sorted(_MUST_BE_SIGNED - set(signature.signed_headers))
    if unsigned:
        raise _mismatch(f"'{unsigned[0]}' must be a 'SignedHeader' in the AWS Authorization.")
    if headers.get(_BODY_HASH, "") in _UNHASHED:
        raise _mismatch("The request body must be part of the signature.")


def _verify(signature: Signature, headers: Mapping[str, str], body: bytes, secret: str) -> None:
    # The signer uses this header instead of hashing the body, so it must be checked first.
    if _BODY_HASH in headers and not hmac.compare_digest(
        headers[_BODY_HASH].encode(), hashlib.sha256(body).hexdigest().encode()
    ):
        raise _mismatch("The provided 'x-amz-content-sha256' header does not match what was computed.")
    expected = _digest(signature, headers, body, secret)
    if not hmac.compare_digest(expected.encode(), signature.digest.encode()):
        raise _mismatch(
            "The request signature we calculated does not match the signature you provided. "
            "Check your AWS Secret Access Key and signing method."
        )


def _digest(signature: Signature, headers: Mapping[str, str], body: bytes, secret: str) -> str:
    signer = SigV4Auth(Credentials(signature.access_key, secret), signature.service, signature.region)
    host = headers.get("host", "")
    signed = {name: headers.get(name, "") for name in signature.signed_headers}
    request = AWSRequest(method="POST", url=f"http://{host}/", headers=signed, data=body)
    request.context["timestamp"] = headers["x-amz-date"]
    digest: str = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    return digest


def _account(access_key: str, keys: Mapping[str, Key]) -> str:
    """The account of a key. An access key id of 12 digits is an account id itself, as in other emulators."""
    if access_key in keys and keys[access_key].account:
        return keys[access_key].account
    return access_key if _ACCOUNT_ID.fullmatch(access_key) else DEFAULT_ACCOUNT


def _mismatch(message: str) -> WireError:
    return WireError("InvalidSignatureException", message)

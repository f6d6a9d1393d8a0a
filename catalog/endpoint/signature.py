"""Amazon's Signature Version 4.

The access key and the region are read from every signature. Signatures are verified only if keys are configured: then
every request must be signed with one of the keys, for this service, and be at most 15 minutes old.
"""

from __future__ import annotations

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
SERVICE = "rekognition"
_ALLOWED_SKEW = 15 * 60
_ALGORITHM = "AWS4-HMAC-SHA256"
_SCOPE = re.compile(r"(?P<key>[\w+=,.@-]+)/(?P<date>\d{8})/(?P<region>[a-z0-9-]+)/(?P<service>[a-z0-9-]+)/aws4_request")


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


def identify(headers: Mapping[str, str], body: bytes, keys: Mapping[str, str], now: datetime) -> str:
    """The region that a request was signed for. Verifies the signature if ``keys`` (secret by id) is not empty.

    ``headers`` have lower-case names. Raises WireError.
    """
    authorization = headers.get("authorization", "")
    if not authorization:
        if keys:
            raise WireError("MissingAuthenticationTokenException", "Missing Authentication Token")
        return DEFAULT_REGION
    signature = parse(authorization)
    if keys:
        _verify(signature, headers, body, keys, now)
    return signature.region


def _verify(
    signature: Signature, headers: Mapping[str, str], body: bytes, keys: Mapping[str, str], now: datetime
) -> None:
    secret = keys.get(signature.access_key)
    if secret is None:
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
    if not {"host", "x-amz-date"} <= set(signature.signed_headers):
        raise _mismatch("Host and X-Amz-Date must be signed.")
    if not hmac.compare_digest(_digest(signature, headers, body, secret, stamp).encode(), signature.digest.encode()):
        raise _mismatch(
            "The request signature we calculated does not match the signature you provided. "
            "Check your AWS Secret Access Key and signing method."
        )


def _digest(signature: Signature, headers: Mapping[str, str], body: bytes, secret: str, stamp: str) -> str:
    signer = SigV4Auth(Credentials(signature.access_key, secret), signature.service, signature.region)
    host = headers.get("host", "")
    signed = {name: headers.get(name, "") for name in signature.signed_headers}
    request = AWSRequest(method="POST", url=f"http://{host}/", headers=signed, data=body)
    request.context["timestamp"] = stamp
    digest: str = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    return digest


def _mismatch(message: str) -> WireError:
    return WireError("InvalidSignatureException", message)

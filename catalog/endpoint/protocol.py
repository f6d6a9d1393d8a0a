"""Amazon's JSON 1.1 protocol: parse requests into calls, and serialize responses.

A request is ``POST /`` with the operation in ``X-Amz-Target`` and its members as a JSON object. A response has only
members of the service model, no nulls, times as seconds since the epoch, and floats rounded to 32 bits.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.model import OperationModel, Shape

from catalog.endpoint.errors import WireError, serialization, unknown_operation, unserved_operation
from catalog.endpoint.response_builder import single
from catalog.endpoint.service_model import TARGET_PREFIX, operation_models, operation_names
from catalog.endpoint.validation import decode

CONTENT_TYPE = "application/x-amz-json-1.1"

Members = dict[str, Any]
"""The members of a request or response: JSON values, except blobs as bytes and times as datetime."""


@dataclass(frozen=True, slots=True)
class Call:
    """One parsed and validated request."""

    operation: str
    members: Members
    region: str
    account: str


@dataclass(frozen=True, slots=True)
class WireResponse:
    """A response: HTTP status, body, and the error code (empty: success)."""

    status: int
    body: bytes
    error: str = ""


def operation_of(method: str, path: str, headers: Mapping[str, str]) -> OperationModel:
    """The operation of a request; header names are lower-case.

    Raises WireError if the operation is unknown or not served.
    """
    if method != "POST" or path.split("?", 1)[0] not in {"/", ""}:
        raise unknown_operation(status=404)
    content_type = headers.get("content-type", "").split(";", 1)[0].strip().lower()
    if content_type != CONTENT_TYPE:
        raise unknown_operation(status=404)
    target = headers.get("x-amz-target", "")
    name = target.removeprefix(TARGET_PREFIX)
    model = operation_models().get(name)
    if not target.startswith(TARGET_PREFIX):
        raise unknown_operation()
    if model is None:
        raise unserved_operation(name) if name in operation_names() else unknown_operation()
    return model


def members_of(model: OperationModel, body: bytes) -> Members:
    """The validated members of a request body. Raises WireError."""
    try:
        value = json.loads(body or b"{}", parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise serialization("Unable to read the request body as JSON") from None
    return decode(model.input_shape, value)


def success(model: OperationModel, members: Members) -> WireResponse:
    return WireResponse(200, _to_json(_encode(model.output_shape, members)))


def failure(error: WireError, request_id: str) -> WireResponse:
    """An error response. Errors of Amazon's request parser have a lower-case ``message`` and no Code."""
    if error.code in {"ValidationException", "SerializationException"}:
        body = {"__type": error.code, "message": error.message}
    else:
        body = {"__type": error.code, "Code": error.code, "Logref": request_id, "Message": error.message}
    return WireResponse(error.status, _to_json(body), error.code)


def _encode(shape: Shape, value: Any) -> Any:
    match shape.type_name:
        case "structure":
            unknown = value.keys() - shape.members.keys()
            if unknown:
                raise AssertionError(f"BUG: {shape.name} has no members {sorted(unknown)}")
            return {name: _encode(shape.members[name], member) for name, member in value.items() if member is not None}
        case "list":
            return [_encode(shape.member, member) for member in value]
        case "map":
            return {key: _encode(shape.value, member) for key, member in value.items()}
        case "timestamp":
            assert isinstance(value, datetime)
            return round(value.timestamp(), 3)
        case "float":
            return single(value)
        case _:
            return value


def _to_json(value: object) -> bytes:
    return json.dumps(value, allow_nan=False, separators=(",", ":")).encode()


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")

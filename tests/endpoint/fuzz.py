"""Malformed requests, drawn by hypothesis. Used by the test and by the long benchmark."""

from __future__ import annotations

import json
from typing import Any

from botocore.model import Shape
from hypothesis import strategies as st

from catalog.endpoint.service_model import OPERATIONS, operation_models
from tests.endpoint.wire import UNKNOWN_FACE

Request = tuple[str, dict[str, str], bytes]
"""A path, headers and a body."""

_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-5, 5000),
    st.floats(),
    st.text(max_size=50),
    st.sampled_from(
        ["", "ALL", "NONE", "c", UNKNOWN_FACE, "a" * 300, "\ud800", "\x00", "x" * 5000, "/9j/4AAQ", "===="]
    ),
)
_JUNK = st.recursive(
    _SCALARS,
    lambda junk: st.one_of(st.lists(junk, max_size=4), st.dictionaries(st.text(max_size=8), junk, max_size=4)),
)


def _plausible(shape: Shape) -> st.SearchStrategy[Any]:
    """A value of about the right shape: often valid, often just outside its bounds."""
    match shape.type_name:
        case "structure":
            members = {name: st.one_of(_plausible(member), _JUNK) for name, member in shape.members.items()}
            return st.fixed_dictionaries({}, optional=members)
        case "list":
            return st.lists(_plausible(shape.member), max_size=3)
        case "map":
            return st.dictionaries(st.text(max_size=10), st.text(max_size=10), max_size=3)
        case "string" if "enum" in shape.metadata:
            return st.sampled_from(shape.metadata["enum"])
        case "string":
            return st.sampled_from(["c", "d", "u", UNKNOWN_FACE, "arn:aws:rekognition:r:0:collection/c", "é", "a b"])
        case "integer":
            return st.integers(-1, 5000)
        case "float":
            return st.floats(-1, 101)
        case _:
            return st.sampled_from(["", "aGVsbG8=", "/9j/4AAQSkZJRg==", "iVBORw0KGgo=", "*"])


def _encoded(value: Any) -> bytes:
    return json.dumps(value).encode()


_BODIES = st.one_of(
    st.sampled_from(OPERATIONS).flatmap(lambda name: _plausible(operation_models()[name].input_shape)).map(_encoded),
    _JUNK.map(_encoded),
    st.binary(max_size=300),
)
_TARGETS = st.one_of(
    st.sampled_from(OPERATIONS).map("RekognitionService.{}".format),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40),
)
_HEADERS = st.fixed_dictionaries(
    {"X-Amz-Target": _TARGETS},
    optional={
        "Content-Type": st.sampled_from(["text/plain", "application/json", ""]),
        "Authorization": st.one_of(
            st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=80),
            st.just(
                "AWS4-HMAC-SHA256 Credential=A/20260101/r/rekognition/aws4_request, SignedHeaders=host, Signature=0"
            ),
        ),
        "X-Amz-Date": st.sampled_from(["", "20260101T000000Z", "now"]),
    },
)


def _matching() -> st.SearchStrategy[Request]:
    """A body that fits the requested operation. Such requests reach the most code."""
    return st.sampled_from(OPERATIONS).flatmap(
        lambda name: st.tuples(
            st.just("/"),
            st.just({"X-Amz-Target": f"RekognitionService.{name}"}),
            _plausible(operation_models()[name].input_shape).map(_encoded),
        )
    )


requests: st.SearchStrategy[Request] = st.one_of(
    _matching(), st.tuples(st.sampled_from(["/", "/", "/x", "/?q=1"]), _HEADERS, _BODIES)
)


def check(status: int, body: bytes) -> None:
    """Check that a response is JSON, a success or a typed error, and shows no internals."""
    value = json.loads(body)
    assert isinstance(value, dict)
    assert status < 500, value
    assert status == 200 or value["__type"]
    for internal in (b"Traceback", b'File \\"', b"sqlalchemy", b"sqlite", b"botocore", b".py"):
        assert internal not in body

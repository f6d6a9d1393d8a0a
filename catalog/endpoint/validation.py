"""Validates requests against the service model.

Requests are validated here because clients other than boto3 do not check them; boto3 itself checks no maxima, patterns
or enumerations. As at Amazon, unknown members are ignored and a null member is absent.

A value of the wrong JSON type raises ``SerializationException``. All other violations of a request are reported
together as one ``ValidationException``.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Callable
from functools import cache
from typing import Any

from botocore.model import Shape

from catalog.endpoint.errors import serialization, validation

_MAX_PROBLEMS = 10
_SHOWN = 120
_BASE64_PART = 64 * 1024
"""Characters that are decoded at once, in about half a millisecond. A multiple of 4."""

# Java's \p{L}, \p{N} and \p{Z}, which Python's re lacks: \w holds letters and numbers, and these are the separators.
_SEPARATORS = r" \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"


def decode(shape: Shape, value: object) -> dict[str, Any]:
    """Decode a request's JSON into members: blobs as bytes, numbers as float or int. Raises ``WireError``."""
    problems: list[str] = []
    decoded: dict[str, Any] = _decode(shape, value, "", problems)
    if problems:
        raise validation(problems[:_MAX_PROBLEMS])
    return decoded


def _decode(shape: Shape, value: object, path: str, problems: list[str]) -> Any:
    reader = _READERS[shape.type_name]
    return reader(shape, value, path, problems)


def _structure(shape: Shape, value: object, path: str, problems: list[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _unreadable(value, "a structure")
    decoded: dict[str, Any] = {}
    for name, member in shape.members.items():
        member_path = f"{path}.{_lower_camel(name)}" if path else _lower_camel(name)
        member_value = value.get(name)
        if member_value is not None:
            decoded[name] = _decode(member, member_value, member_path, problems)
        elif name in shape.required_members:
            problems.append(f"Value null at '{member_path}' failed to satisfy constraint: Member must not be null")
    return decoded


def _list(shape: Shape, value: object, path: str, problems: list[str]) -> list[Any]:
    if not isinstance(value, list):
        raise _unreadable(value, "a list")
    _check_length(shape, len(value), _shown(value), path, problems)
    member_problems: list[str] = []
    if _within_length(shape, len(value)):
        members = [_decode(shape.member, member, path, member_problems) for member in value if member is not None]
    else:
        members = []
    _wrap(member_problems, _shown(value), path, problems)
    return members


def _map(shape: Shape, value: object, path: str, problems: list[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _unreadable(value, "a map")
    _check_length(shape, len(value), _shown(value), path, problems)
    member_problems: list[str] = []
    members = {}
    if _within_length(shape, len(value)):
        for key, member in value.items():
            if member is not None:
                members[_decode(shape.key, key, path, member_problems)] = _decode(
                    shape.value, member, path, member_problems
                )
    _wrap(member_problems, _shown(value), path, problems)
    return members


def _string(shape: Shape, value: object, path: str, problems: list[str]) -> str:
    if not isinstance(value, str):
        raise _unreadable(value, "a String")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise serialization("Invalid UTF-16 surrogate in a String") from None
    # Java counts UTF-16 units, which differ from Python's characters above the basic plane.
    _check_length(shape, len(value.encode("utf-16-le")) // 2, _shown(value), path, problems)
    choices = shape.metadata.get("enum")
    if choices and value not in choices:
        _problem(problems, value, path, f"Member must satisfy enum value set: [{', '.join(choices)}]")
    pattern = shape.metadata.get("pattern")
    if pattern and not _compiled(pattern).fullmatch(value):
        _problem(problems, value, path, f"Member must satisfy regular expression pattern: {pattern}")
    return value


def _blob(shape: Shape, value: object, path: str, problems: list[str]) -> bytes:
    if not isinstance(value, str):
        raise _unreadable(value, "a Blob")
    try:
        data = _from_base64(value)
    except (binascii.Error, ValueError):
        raise serialization("Unable to decode base64 of a Blob") from None
    shown = f"java.nio.HeapByteBuffer[pos=0 lim={len(data)} cap={len(data)}]"
    _check_length(shape, len(data), shown, path, problems)
    return data


def _from_base64(text: str) -> bytes:
    """Decode in parts, so that Python's global lock is free for other threads in between. Raises ValueError."""
    data = bytearray()
    for start in range(0, len(text), _BASE64_PART):
        part = text[start : start + _BASE64_PART]
        if "=" in part and start + _BASE64_PART < len(text):
            raise ValueError("padding before the end")
        data += base64.b64decode(part, validate=True)
    return bytes(data)


def _integer(shape: Shape, value: object, path: str, problems: list[str]) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise _unreadable(value, "an Integer")
    if not -(2**31) <= value < 2**31:
        raise serialization("Numeric value out of range of int")
    _check_range(shape, value, path, problems)
    return value


def _float(shape: Shape, value: object, path: str, problems: list[str]) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _unreadable(value, "a Float")
    try:
        number = float(value)
    except OverflowError:
        number = math.copysign(math.inf, value)
    _check_range(shape, number, path, problems)
    return number


_READERS: dict[str, Callable[[Shape, object, str, list[str]], Any]] = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "string": _string,
    "blob": _blob,
    "integer": _integer,
    "float": _float,
}


def _within_length(shape: Shape, length: int) -> bool:
    return bool(shape.metadata.get("min", 0) <= length <= shape.metadata.get("max", math.inf))


def _check_length(shape: Shape, length: int, shown: str, path: str, problems: list[str]) -> None:
    minimum, maximum = shape.metadata.get("min"), shape.metadata.get("max")
    if minimum is not None and length < minimum:
        _problem(problems, shown, path, f"Member must have length greater than or equal to {minimum}")
    if maximum is not None and length > maximum:
        _problem(problems, shown, path, f"Member must have length less than or equal to {maximum}")


def _check_range(shape: Shape, number: float, path: str, problems: list[str]) -> None:
    minimum, maximum = shape.metadata.get("min"), shape.metadata.get("max")
    if minimum is not None and number < minimum:
        _problem(problems, str(number), path, f"Member must have value greater than or equal to {minimum}")
    if maximum is not None and number > maximum:
        _problem(problems, str(number), path, f"Member must have value less than or equal to {maximum}")


def _wrap(member_problems: list[str], shown: str, path: str, problems: list[str]) -> None:
    """Report the problems of list and map members together, under the path of the list or map."""
    if member_problems:
        constraints = dict.fromkeys(
            problem.split("failed to satisfy constraint: ", 1)[1] for problem in member_problems
        )
        _problem(problems, shown, path, f"Member must satisfy constraint: [{', '.join(constraints)}]")


def _problem(problems: list[str], shown: str, path: str, constraint: str) -> None:
    problems.append(f"Value '{_shown(shown)}' at '{path}' failed to satisfy constraint: {constraint}")


def _shown(value: object) -> str:
    """A value as an error message shows it, cut to 120 characters so that responses stay small."""
    if isinstance(value, list):
        text = f"[{', '.join(_flat(member) for member in value[:10])}]"
    elif isinstance(value, dict):
        text = f"{{{', '.join(f'{key}={_flat(value[key])}' for key in list(value)[:10])}}}"
    else:
        text = _flat(value)
    text = text.encode("utf-8", "replace").decode()
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _flat(value: object) -> str:
    """One level only: ``str`` recurses, and a client may nest a thousand levels."""
    return "[...]" if isinstance(value, list) else "{...}" if isinstance(value, dict) else str(value)


def _unreadable(value: object, expected: str) -> Exception:
    tokens = {bool: "TRUE_VALUE" if value else "FALSE_VALUE", str: "STRING_VALUE", list: "START_ARRAY"}
    tokens |= {int: "NUMBER_VALUE", float: "NUMBER_VALUE", dict: "START_OBJECT", type(None): "NULL_VALUE"}
    return serialization(f"{tokens[type(value)]} can not be converted to {expected}")


def _lower_camel(name: str) -> str:
    return name[:1].lower() + name[1:]


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern.replace(r"\p{L}", r"\w").replace(r"\p{N}", "").replace(r"\p{Z}", _SEPARATORS))

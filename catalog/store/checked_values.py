"""Checks of values that come from outside: rows of a database, labels files, backups.

Every function returns the value with its type, or raises :class:`MalformedValueError` with a sentence that names the
field. Nothing is repaired.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence, Set
from datetime import date, datetime
from functools import lru_cache
from typing import Any, NoReturn

from catalog.domain.face_key import FaceKey
from catalog.domain.faces import BoundingBox
from catalog.domain.photo_date import PhotoDate
from catalog.domain.taken_at import DateSource, parse_date_text

MAX_TEXT = 500
"""Longest accepted text in characters: names, logins, engines, galleries. A name may have 500 (``clean_name``)."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_PERSON_ID = re.compile(r"p[0-9a-z]{1,32}")
_MAX_NUMBER = 2**63 - 1


class MalformedValueError(ValueError):
    """A value that cannot be stored. The text is a sentence without its full stop."""


def parse_json(text: object, field: str) -> Any:
    """Parse JSON as the standard has it: no NaN, no infinity, no key twice in one object."""
    if not isinstance(text, str):
        raise MalformedValueError(f'"{field}" is not a text')
    try:
        return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_object)
    except MalformedValueError as error:
        raise MalformedValueError(f'"{field}" is not valid JSON: {error}') from error
    except RecursionError as error:
        raise MalformedValueError(f'"{field}" is nested too deeply') from error
    except ValueError as error:
        raise MalformedValueError(f'"{field}" is not valid JSON: {error}') from error


def checked_object(value: object, field: str, keys: Set[str]) -> Mapping[str, Any]:
    """A JSON object whose keys are all among ``keys``."""
    if not isinstance(value, dict):
        raise MalformedValueError(f'"{field}" is not an object')
    if not value.keys() <= keys:
        unknown = sorted(value.keys() - keys)
        raise MalformedValueError(f'"{field}" has an unknown key {_quoted(unknown[0])}')
    return value


def checked_list(value: object, field: str) -> Sequence[Any]:
    if not isinstance(value, list):
        raise MalformedValueError(f'"{field}" is not a list')
    return value


def checked_text(value: object, field: str) -> str:
    """A text of at most ``MAX_TEXT`` characters that both databases can store: no NUL and no lone surrogate.

    Other control characters are not refused here, because catalogues of earlier versions hold them in names.
    """
    if not isinstance(value, str):
        raise MalformedValueError(f'"{field}" is not a text')
    if len(value) > MAX_TEXT:
        raise MalformedValueError(f'"{field}" has {len(value):,} characters; at most {MAX_TEXT:,} are allowed')
    if "\0" in value:
        raise MalformedValueError(f'"{field}" has a NUL character')
    if not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value):
        raise MalformedValueError(f'"{field}" has a lone surrogate, which is no character')
    return value


def checked_bool(value: object, field: str) -> bool:
    """A JSON boolean, or 0 or 1 as SQLite stores it."""
    if value not in (True, False) or not isinstance(value, int):
        raise MalformedValueError(f'"{field}" is neither true nor false')
    return bool(value)


def checked_number(value: object, field: str) -> int:
    """A decision's number: a whole number above 0 that a database can store."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= _MAX_NUMBER:
        raise MalformedValueError(f'"{field}" is not the number of a decision')
    return value


def checked_count(value: object, field: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MAX_NUMBER:
        raise MalformedValueError(f'"{field}" is not a count')
    return value


def checked_float(value: object, field: str) -> float:
    if type(value) is float and math.isfinite(value):  # nearly every value
        return value
    if isinstance(value, bool) or not isinstance(value, int | float) or not _is_finite(value):
        raise MalformedValueError(f'"{field}" is not a finite number')
    return float(value)


def checked_sha256(value: object, field: str) -> str:
    if not isinstance(value, str) or not _SHA256.fullmatch(value):
        raise MalformedValueError(f'"{field}" is not a content hash of 64 hexadecimal digits')
    return value


def checked_person_id(value: object, field: str) -> str:
    if not isinstance(value, str) or not _PERSON_ID.fullmatch(value):
        raise MalformedValueError(f'"{field}" is not the id of a person')
    return value


def checked_time(value: object, field: str) -> str:
    """A time in ISO 8601 with its time zone; returned as it is written."""
    if isinstance(value, str) and len(value) <= MAX_TEXT and _is_time(value):
        return value
    raise MalformedValueError(f'"{field}" is not a time')


@lru_cache(maxsize=256)
def _is_time(text: str) -> bool:
    """True for a time with its time zone. The faces of one prior state have few different times."""
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def checked_date(value: object, field: str) -> str:
    """A date as ``YYYY-MM-DD``."""
    if isinstance(value, str) and len(value) == len("YYYY-MM-DD"):
        try:
            date.fromisoformat(value)
        except ValueError:
            pass
        else:
            return value
    raise MalformedValueError(f'"{field}" is not a date (YYYY-MM-DD)')


def checked_photo_date(value: object, field: str) -> PhotoDate:
    """The date of a photo as JSON holds it: ``[sha256, date or null, source or null]``."""
    parts = checked_list(value, field)
    if len(parts) != 3:
        raise MalformedValueError(f'"{field}" is not a content hash, a date and its source')
    sha256, text, source = parts
    if text is not None:
        try:
            parse_date_text(text if isinstance(text, str) else "")
        except (ValueError, OverflowError):
            raise MalformedValueError(f'"{field}" has a date that is not one') from None
    if source is not None and source not in tuple(DateSource):
        raise MalformedValueError(f'"{field}" has an unknown source of a date')
    return PhotoDate(checked_sha256(sha256, field), text, None if source is None else DateSource(source))


def checked_box(edges: Sequence[object], field: str) -> BoundingBox:
    if len(edges) != 4:
        raise MalformedValueError(f'"{field}" is not a bounding box')
    left, top, width, height = (checked_float(edge, field) for edge in edges)
    if not (width > 0 and height > 0):
        raise MalformedValueError(f'"{field}" is a bounding box without a size')
    return BoundingBox(left, top, width, height)


def checked_face_key(value: object, field: str) -> FaceKey:
    """A face key as JSON holds it: ``[sha256, left, top, width, height]``."""
    sha256, *edges = checked_list(value, field) or [None]
    return FaceKey(checked_sha256(sha256, field), checked_box(edges, field))


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number with more than 308 digits
        return False


def _refuse_constant(constant: str) -> NoReturn:
    raise MalformedValueError(f"{constant} is not a number")


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise MalformedValueError("a key stands twice in one object")
    return values


def _quoted(key: str) -> str:
    return json.dumps(key if len(key) <= 40 else key[:40] + "...")

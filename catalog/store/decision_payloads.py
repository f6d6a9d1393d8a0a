"""Payloads of decisions as JSON: the only module that reads or writes the column ``decisions.details``.

The keys are those that databases and labels files hold; they do not change. A missing key has the default of the
dataclass. It lies in ``store``, because forgetting a person and carrying decisions to an edited photo rewrite payloads.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import lru_cache
from json.encoder import encode_basestring_ascii
from typing import Any

from catalog.domain.decisions import (
    ChangedPerson,
    DatesPayload,
    ExemplarsPayload,
    FacePayload,
    FacesPayload,
    NamePayload,
    NewPerson,
    Payload,
    PhotosPayload,
    PriorFace,
    PriorPerson,
    PriorState,
    ReclusterPayload,
    StatePayload,
    UnchangedPerson,
    UndoPayload,
    Verb,
)
from catalog.domain.face_key import FaceKey
from catalog.domain.people import AssignedBy
from catalog.domain.photo_date import PhotoDate
from catalog.store.appearance_json import appearances_json, checked_appearances
from catalog.store.checked_values import (
    MalformedValueError,
    checked_bool,
    checked_count,
    checked_date,
    checked_face_key,
    checked_float,
    checked_list,
    checked_number,
    checked_object,
    checked_person_id,
    checked_photo_date,
    checked_sha256,
    checked_text,
    checked_time,
    parse_json,
)

_PAYLOADS: Mapping[Verb, type[Payload] | None] = {
    Verb.NAME: NamePayload,
    Verb.RENAME: NamePayload,
    Verb.HIDE: StatePayload,
    Verb.UNHIDE: StatePayload,
    Verb.BORN: StatePayload,
    Verb.APART: StatePayload,
    Verb.CONFIRM: FacePayload,
    Verb.REJECT: FacePayload,
    Verb.NOT_A_FACE: FacePayload,
    Verb.MERGE: FacesPayload,
    Verb.SPLIT: FacesPayload,
    Verb.UNDO: UndoPayload,
    Verb.RESTORE: ExemplarsPayload,
    Verb.RECLUSTER: ReclusterPayload,
    Verb.FORGET: None,
    Verb.MIGRATE: None,
    Verb.IMPORT: StatePayload,
    Verb.DATE: DatesPayload,
    Verb.PART: PhotosPayload,
    Verb.JOIN: PhotosPayload,
    Verb.APPEAR: StatePayload,
}
_KEYS = {"also": "with"}
"""JSON keys that differ from the name of the field."""

_LONG, _LONGEST_KEPT = 2_000, 500_000
"""Characters of a payload that is kept after it was parsed."""

_PERSON = frozenset({"person_id", "name", "hidden", "birth_date", "created_at", "merged_into", "stays", "new"})
_FACE = frozenset({"place", "in", "not_a_face", "person", "by", "similarity", "at"})


def to_json(payload: Payload | None) -> str | None:
    """Write a payload; None for a verb without one."""
    if payload is None:
        return None
    parts = [f'"{key}":{_text(value)}' for key, value in _payload_keys(payload).items()]
    before = getattr(payload, "before", None)
    if isinstance(before, PriorState):
        parts.insert(0, f'"before":{_before_json(before)}')
    return "{" + ",".join(parts) + "}"


def _text(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def parse_payload(verb: Verb, text: object) -> Payload | None:
    """Read a payload. Raises ``MalformedValueError`` for a key, type or value that ``to_json`` never writes."""
    if isinstance(text, str) and _LONG <= len(text) <= _LONGEST_KEPT:
        return _parse_once(verb, text)
    return _parse(verb, text)


@lru_cache(maxsize=64)
def _parse_once(verb: Verb, text: str) -> Payload | None:
    """An undo reads the same long payloads several times. Payloads are immutable."""
    return _parse(verb, text)


def _parse(verb: Verb, text: object) -> Payload | None:
    kind = _PAYLOADS[verb]
    if kind is None:
        if text is not None:
            raise MalformedValueError(f'a decision "{verb.value}" has no "details"')
        return None
    if text is None:
        return kind()
    names = {_KEYS.get(field.name, field.name): field.name for field in fields(kind)}
    content = checked_object(parse_json(text, "details"), "details", names.keys())
    values = {names[key]: _READERS[key](value, key) for key, value in content.items() if key != "carried_from"}
    if "carried_from" in content:
        values["carried_from"] = _carried_from(kind, content["carried_from"])
    return kind(**values)


def face_key_json(key: FaceKey) -> list[object]:
    """A face key as JSON holds it: ``[sha256, left, top, width, height]``."""
    return [key.sha256, key.box.left, key.box.top, key.box.width, key.box.height]


def _payload_keys(payload: Payload) -> dict[str, object]:
    """All keys but ``before``."""
    keys: dict[str, object]
    match payload:
        case NamePayload():
            keys = {"exemplars": list(map(face_key_json, payload.exemplars))}
        case StatePayload():
            keys = {}
        case FacePayload():
            carried = None if payload.carried_from is None else face_key_json(payload.carried_from)
            keys = {"carried_from": carried, "copy_of": payload.copy_of}
        case FacesPayload():
            keys = {
                "faces": list(map(face_key_json, payload.faces)) or None,
                "carried_from": list(payload.carried_from) or None,
                "copy_of": payload.copy_of,
            }
        case DatesPayload():
            keys = {
                "dates": list(map(_date_json, payload.dates)),
                "carried_from": list(payload.carried_from) or None,
                "copy_of": payload.copy_of,
            }
        case UndoPayload():
            also = None if payload.of is None else list(payload.also)
            keys = {"of": payload.of, "with": also}
        case ExemplarsPayload():
            keys = {"exemplars": list(map(face_key_json, payload.exemplars))}
        case PhotosPayload():
            keys = {"photos": list(payload.photos)}
        case ReclusterPayload():
            keys = {
                "moved": payload.moved,
                "persons_new": payload.persons_new,
                "redirected": dict(payload.redirected),
            }
    return {key: value for key, value in keys.items() if value is not None}


def _before_json(before: PriorState) -> str:
    parts = [
        f'"persons":{_text([_person_keys(person) for person in before.persons])}',
        f'"faces":[{",".join(map(_face_json, before.faces))}]',
    ]
    # Only where there are any: earlier versions read labels files that have none.
    if before.dates:
        parts.append(f'"dates":{_text(list(map(_date_json, before.dates)))}')
    if before.appearances:
        parts.append(f'"appearances":{_text(list(map(appearances_json, before.appearances)))}')
    return "{" + ",".join(parts) + "}"


def _date_json(date: PhotoDate) -> list[object]:
    return [date.sha256, date.date, None if date.source is None else date.source.value]


def _person_keys(person: PriorPerson) -> dict[str, object]:
    match person:
        case UnchangedPerson():
            return {"person_id": person.person_id, "stays": True}
        case NewPerson():
            return {"person_id": person.person_id, "new": True}
        case ChangedPerson():
            keys: dict[str, object] = {
                "person_id": person.person_id,
                "name": person.name,
                "hidden": person.hidden,
                "birth_date": person.birth_date,
                "created_at": person.created_at,
            }
            return {**keys, "merged_into": person.merged_into} if person.has_redirect else keys


def _face_json(face: PriorFace) -> str:
    """The JSON object of a face, in half the time of ``json.dumps``: a merge holds thousands of faces."""
    box = face.key.box
    place = ",".join([_quoted(face.key.sha256), *map(_number, (box.left, box.top, box.width, box.height))])
    similarity = "null" if face.similarity is None else _number(face.similarity)
    return (
        f'{{"place":[{place}],"in":[{_quoted(face.engine)},{_quoted(face.gallery)}],'
        f'"not_a_face":{"true" if face.not_a_face else "false"},"person":{_quoted(face.person_id)},'
        f'"by":{_quoted(face.by)},"similarity":{similarity},"at":{_quoted(face.assigned_at)}}}'
    )


def _number(number: float) -> str:
    return repr(number) if type(number) is float else json.dumps(number)


def _quoted(text: str | None) -> str:
    return "null" if text is None else encode_basestring_ascii(text)


def _prior_state(value: object, field: str) -> PriorState:
    content = checked_object(value, field, {"persons", "faces", "dates", "appearances"})
    persons = checked_list(content.get("persons", []), f"{field}.persons")
    faces = checked_list(content.get("faces", []), f"{field}.faces")
    dates = _date_list(content.get("dates", []), f"{field}.dates")
    appearances = checked_list(content.get("appearances", []), f"{field}.appearances")
    return PriorState(
        tuple(map(_prior_person, persons)),
        tuple(map(_prior_face, faces)),
        dates,
        tuple(map(checked_appearances, appearances)),
    )


def _prior_person(value: object) -> PriorPerson:
    content = checked_object(value, "before.persons", _PERSON)
    person_id = checked_person_id(content.get("person_id"), "before.persons.person_id")
    for flag, kind in (("stays", UnchangedPerson), ("new", NewPerson)):
        if flag in content:
            if content[flag] is not True or content.keys() != {"person_id", flag}:
                raise MalformedValueError(f'"before.persons.{flag}" does not stand alone')
            return kind(person_id)
    return ChangedPerson(
        person_id=person_id,
        name=_or_none(checked_text, content.get("name"), "before.persons.name"),
        hidden=checked_bool(content.get("hidden"), "before.persons.hidden"),
        birth_date=_or_none(checked_date, content.get("birth_date"), "before.persons.birth_date"),
        created_at=checked_time(content.get("created_at"), "before.persons.created_at"),
        merged_into=_or_none(checked_person_id, content.get("merged_into"), "before.persons.merged_into"),
        has_redirect="merged_into" in content,
    )


def _prior_face(value: object) -> PriorFace:
    content = checked_object(value, "before.faces", _FACE)
    where = checked_list(content.get("in"), "before.faces.in")
    if len(where) != 2:
        raise MalformedValueError('"before.faces.in" does not name an engine and a gallery')
    engine, gallery = (checked_text(name, "before.faces.in") for name in where)
    person_id = _or_none(checked_person_id, content.get("person"), "before.faces.person")
    by = _or_none(checked_by, content.get("by"), "before.faces.by")
    assigned_at = _or_none(checked_time, content.get("at"), "before.faces.at")
    if person_id is not None and (by is None or assigned_at is None):
        raise MalformedValueError('"before.faces" has a person without "by" and "at"')
    return PriorFace(
        key=checked_face_key(content.get("place"), "before.faces.place"),
        engine=engine,
        gallery=gallery,
        not_a_face=checked_bool(content.get("not_a_face"), "before.faces.not_a_face"),
        person_id=person_id,
        by=by,
        similarity=_or_none(checked_float, content.get("similarity"), "before.faces.similarity"),
        assigned_at=assigned_at,
    )


def checked_by(value: object, field: str) -> AssignedBy:
    if value not in ("cluster", "human"):
        raise MalformedValueError(f'"{field}" is neither "cluster" nor "human"')
    return AssignedBy(str(value))


def _carried_from(kind: type[Payload], value: object) -> FaceKey | tuple[str, ...]:
    if kind is FacePayload:
        return checked_face_key(value, "carried_from")
    return _sha256_list(value, "carried_from")


def _face_key_list(value: object, field: str) -> tuple[FaceKey, ...]:
    return tuple(checked_face_key(key, field) for key in checked_list(value, field))


def _date_list(value: object, field: str) -> tuple[PhotoDate, ...]:
    return tuple(checked_photo_date(date, field) for date in checked_list(value, field))


def _sha256_list(value: object, field: str) -> tuple[str, ...]:
    return tuple(checked_sha256(sha256, field) for sha256 in checked_list(value, field))


def _number_list(value: object, field: str) -> tuple[int, ...]:
    return tuple(checked_number(number, field) for number in checked_list(value, field))


def _redirects(value: object, field: str) -> dict[str, str]:
    if not isinstance(value, dict):
        raise MalformedValueError(f'"{field}" is not an object')
    return {checked_person_id(old, field): checked_person_id(new, field) for old, new in value.items()}


def _or_none(check: Callable[[object, str], Any], value: object, field: str) -> Any:
    return None if value is None else check(value, field)


_READERS: Mapping[str, Callable[[object, str], Any]] = {
    "before": _prior_state,
    "exemplars": _face_key_list,
    "faces": _face_key_list,
    "dates": _date_list,
    "photos": _sha256_list,
    "copy_of": checked_number,
    "of": checked_number,
    "with": _number_list,
    "moved": checked_count,
    "persons_new": checked_count,
    "redirected": _redirects,
}

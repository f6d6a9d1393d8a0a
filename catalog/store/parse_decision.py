"""Check the columns of a decision: rows of the decision log, and decisions of a labels file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from catalog.domain.box_columns import BOX_COLUMNS
from catalog.domain.decisions import CopiedPayload, Decision, Payload, Verb
from catalog.domain.face_key import FaceKey
from catalog.store.checked_values import (
    MalformedValueError,
    checked_box,
    checked_date,
    checked_number,
    checked_person_id,
    checked_sha256,
    checked_text,
    checked_time,
)
from catalog.store.decision_payloads import parse_payload

_TWO_PERSONS = frozenset({Verb.MERGE, Verb.SPLIT, Verb.APART})
_ON_A_FACE = frozenset({Verb.CONFIRM, Verb.REJECT, Verb.NOT_A_FACE})
_WITHOUT_PERSON = frozenset(
    {
        Verb.NOT_A_FACE,
        Verb.UNDO,
        Verb.RECLUSTER,
        Verb.MIGRATE,
        Verb.IMPORT,
        Verb.DATE,
        Verb.PART,
        Verb.JOIN,
        Verb.APPEAR,
    }
)


def decision_of(values: Mapping[Any, Any]) -> Decision:
    """Check the columns of one decision and return it. Raises ``MalformedValueError``.

    ``copy_of`` may be missing, as in labels files: it follows from the payload.
    """
    number = checked_number(values.get("id"), "id")
    try:
        verb = Verb(str(values.get("verb")))
    except ValueError:
        raise MalformedValueError('"verb" is not a verb of the decision log') from None
    payload = parse_payload(verb, values.get("details"))
    copy_of = payload.copy_of if isinstance(payload, CopiedPayload) else None
    decision = Decision(
        number=number,
        decided_at=datetime.fromisoformat(checked_time(values.get("decided_at"), "decided_at")),
        decided_by=checked_text(values.get("decided_by"), "decided_by"),
        verb=verb,
        person_id=_optional_id(values, "person_id"),
        other_person_id=_optional_id(values, "other_person_id"),
        name=_name(verb, values.get("name")),
        face=_face(values),
        payload=payload,
        undone_by=None if values.get("undone_by") is None else checked_number(values["undone_by"], "undone_by"),
        copy_of=(copy_of or number) if is_copy(payload) else None,
        group=None if values.get("group") is None else checked_number(values["group"], "group"),
    )
    _check_fields(decision)
    return decision


def _check_fields(decision: Decision) -> None:
    """Refuse a decision without the persons or the face that its verb needs, or one that refers to itself."""
    verb = decision.verb
    if verb not in _WITHOUT_PERSON and decision.person_id is None:
        raise MalformedValueError('"person_id" is missing')
    if verb in _TWO_PERSONS:
        if decision.other_person_id is None:
            raise MalformedValueError('"other_person_id" is missing')
        if decision.other_person_id == decision.person_id:
            raise MalformedValueError('"person_id" and "other_person_id" are one person')
    if verb in _ON_A_FACE and decision.face is None:
        raise MalformedValueError('"photo_sha256" is missing')
    if decision.undone_by == decision.number:
        raise MalformedValueError('"undone_by" is the decision itself')
    if any(target >= decision.number for target in decision.targets):
        raise MalformedValueError('"of" and "with" do not refer to earlier decisions')


def _optional_id(values: Mapping[Any, Any], column: str) -> str | None:
    value = values.get(column)
    return None if value is None else checked_person_id(value, column)


def _name(verb: Verb, value: object) -> str | None:
    if value is None:
        return None
    return checked_date(value, "name") if verb is Verb.BORN else checked_text(value, "name")


def _face(values: Mapping[Any, Any]) -> FaceKey | None:
    edges = [values.get(column) for column in BOX_COLUMNS]
    if values.get("photo_sha256") is None and edges == [None] * len(edges):
        return None
    return FaceKey(checked_sha256(values.get("photo_sha256"), "photo_sha256"), checked_box(edges, "box_left"))


def is_copy(payload: Payload | None) -> bool:
    """True for the payload of a decision that a scan copied to an edited photo."""
    return isinstance(payload, CopiedPayload) and bool(payload.carried_from)

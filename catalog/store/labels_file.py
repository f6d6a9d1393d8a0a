"""Labels files: names, decisions and tombstones, exported with `backup --labels-only`.

Faces are named by face key, so that the file restores onto any engine, any model and any database, before or after the
photos were scanned there. A file is read as a whole: the first malformed value refuses it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, select

from catalog.domain.box_columns import BOX_COLUMNS, box_columns
from catalog.domain.decisions import ChangedPerson, Decision, UndoPayload, Verb
from catalog.domain.errors import PersonError, UsageError
from catalog.domain.face_key import FaceKey
from catalog.domain.people import AssignedBy, clean_name
from catalog.domain.timestamps import utc_text
from catalog.domain.uri import display_name
from catalog.store.checked_values import (
    MalformedValueError,
    checked_bool,
    checked_box,
    checked_date,
    checked_list,
    checked_object,
    checked_person_id,
    checked_sha256,
    checked_text,
    checked_time,
    parse_json,
)
from catalog.store.decision_payloads import checked_by, to_json
from catalog.store.decision_rows import read_decisions
from catalog.store.parse_decision import decision_of
from catalog.store.person_index import all_persons
from catalog.store.tables import assignments, faces, persons, photos
from catalog.store.tombstones import Tombstone, read_tombstones

FORMAT = "catalog labels"
VERSION = 1

_TOP = frozenset({"format", "version", "made_at", "persons", "decisions", "tombstones"})
_PERSON = frozenset({"person_id", "name", "hidden", "birth_date", "created_at", "merged_into", "faces"})
_DECISION = (
    "id",
    "decided_at",
    "decided_by",
    "verb",
    "person_id",
    "other_person_id",
    "name",
    "photo_sha256",
    *BOX_COLUMNS,
    "details",
    "undone_by",
)
_TOMBSTONE = frozenset({"photo_sha256", *BOX_COLUMNS, "forgotten_at"})
_DECIMALS = 6
"""Of the boxes of a person's faces: below a thousandth of a pixel on the largest photo."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class LabeledFace:
    """A face of a person in the file, with the source of its assignment there."""

    key: FaceKey
    by: AssignedBy


@dataclass(frozen=True, slots=True)
class LabeledPerson:
    """A person of the file. ``merged_into`` is the public id of the redirect target; the file may lack that person."""

    person_id: str
    name: str | None
    hidden: bool
    birth_date: str | None
    created_at: str
    merged_into: str | None
    faces: tuple[LabeledFace, ...]
    """Those that a user assigned first, then by confidence."""


@dataclass(frozen=True, slots=True)
class Labels:
    """The content of a labels file. Decisions are in the order of their numbers."""

    made_at: str | None
    persons: tuple[LabeledPerson, ...]
    decisions: tuple[Decision, ...]
    tombstones: tuple[Tombstone, ...]


def export_labels(connection: Connection, now: datetime) -> Labels:
    """Collect every decision, every tombstone, and the persons that a decision is about or that are part of a merge."""
    decided = read_decisions(connection)
    rows = all_persons(connection)
    public_ids = {row.id: row.person_id for row in rows}
    involved = {public_id for decision in decided for public_id in (decision.person_id, decision.other_person_id)}
    by_human = select(assignments.c.person_id).where(assignments.c.by == AssignedBy.HUMAN.value)
    involved |= {public_ids[row] for row in connection.scalars(by_human.distinct())}
    # Targets of redirects are included, because a scan also merges persons that no decision is about.
    targets = {row.merged_into for row in rows if row.merged_into is not None}
    exported = [
        row
        for row in rows
        if row.name or row.hidden or row.merged_into is not None or row.id in targets or row.person_id in involved
    ]
    by_person = _faces_by_person(connection, {row.person_id for row in exported})
    return Labels(
        made_at=utc_text(now),
        persons=tuple(
            LabeledPerson(
                person_id=row.person_id,
                name=row.name,
                hidden=row.hidden,
                birth_date=row.birth_date,
                created_at=row.created_at,
                merged_into=None if row.merged_into is None else public_ids.get(row.merged_into),
                faces=tuple(by_person[row.person_id]),
            )
            for row in exported
        ),
        decisions=tuple(decided),
        tombstones=tuple(read_tombstones(connection)),
    )


def labels_json(labels: Labels) -> str:
    """Write the content of a labels file."""
    content = {
        "format": FORMAT,
        "version": VERSION,
        "made_at": labels.made_at,
        "persons": [_person_keys(person) for person in labels.persons],
        "decisions": [_decision_keys(decision) for decision in labels.decisions],
        "tombstones": [
            {
                "photo_sha256": tombstone.key.sha256,
                **box_columns(tombstone.key.box),
                "forgotten_at": tombstone.forgotten_at,
            }
            for tombstone in labels.tombstones
        ],
    }
    return json.dumps(content, indent=1)


def read_labels_file(path: Path) -> Labels:
    """Read a labels file. Raises ``UsageError`` for a file that cannot be read or is malformed."""
    shown = display_name(str(path))
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise UsageError(f'The labels file "{shown}" cannot be read: {error.strerror}.') from error
    except UnicodeDecodeError as error:
        raise _malformed(shown, "it is not UTF-8") from error
    return parse_labels(text, shown)


def parse_labels(text: str, name: str) -> Labels:
    """Parse a labels file; ``name`` is the file's name in messages.

    Raises ``UsageError`` with the number of the first malformed person, decision or tombstone.
    """
    try:
        content = parse_json(text, "file")
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise UsageError(f'"{name}" is not a labels file.', remedy="Make one with `catalog backup --labels-only`.")
        version = content.get("version")
        if isinstance(version, int) and version > VERSION:
            raise UsageError(f'The labels file "{name}" was made by a newer version.', remedy="Update catalog.")
        if version is not VERSION:
            raise MalformedValueError(f'"version" is not {VERSION}')
        checked_object(content, "file", _TOP)
        labels = Labels(
            made_at=None if content.get("made_at") is None else checked_time(content["made_at"], "made_at"),
            persons=_parsed_items(content, "persons", "person", _person),
            decisions=_parsed_items(content, "decisions", "decision", _decision),
            tombstones=_parsed_items(content, "tombstones", "tombstone", _tombstone),
        )
        _check_references(labels)
    except MalformedValueError as error:
        raise _malformed(name, str(error)) from error
    return labels


def _malformed(name: str, reason: str) -> UsageError:
    return UsageError(
        f'The labels file "{name}" is malformed: {reason}.', remedy="Nothing was changed. Use another labels file."
    )


def _parsed_items(content: Mapping[str, Any], key: str, noun: str, parse: Callable[[object], T]) -> tuple[T, ...]:
    """Parse every element of a list, and name the first malformed one by its position, counted from 1."""
    parsed = []
    for position, value in enumerate(checked_list(content.get(key), key), start=1):
        try:
            parsed.append(parse(value))
        except MalformedValueError as error:
            raise MalformedValueError(f"{noun} {position}: {error}") from error
    return tuple(parsed)


def _person(value: object) -> LabeledPerson:
    content = checked_object(value, "person", _PERSON)
    hidden = content.get("hidden")
    return LabeledPerson(
        person_id=checked_person_id(content.get("person_id"), "person_id"),
        name=_name(content.get("name"), "name"),
        hidden=False if hidden is None else checked_bool(hidden, "hidden"),
        birth_date=None if content.get("birth_date") is None else checked_date(content["birth_date"], "birth_date"),
        created_at=checked_time(content.get("created_at"), "created_at"),
        merged_into=(
            None if content.get("merged_into") is None else checked_person_id(content["merged_into"], "merged_into")
        ),
        faces=tuple(_face(face) for face in checked_list(content.get("faces", []), "faces")),
    )


def _face(value: object) -> LabeledFace:
    parts = checked_list(value, "faces")
    if len(parts) != 6:
        raise MalformedValueError('"faces" has an entry that is not a content hash, four edges and "by"')
    sha256, *edges, by = parts
    return LabeledFace(FaceKey(checked_sha256(sha256, "faces"), checked_box(edges, "faces")), checked_by(by, "faces"))


def _decision(value: object) -> Decision:
    decision = decision_of(checked_object(value, "decision", set(_DECISION)))
    if decision.verb is not Verb.BORN:
        _name(decision.name, "name")
    _name(decision.decided_by, "decided_by")
    for person in decision.before.persons:
        if isinstance(person, ChangedPerson):
            _name(person.name, "before.persons.name")
    return decision


def _tombstone(value: object) -> Tombstone:
    content = checked_object(value, "tombstone", _TOMBSTONE)
    box = checked_box([content.get(edge) for edge in BOX_COLUMNS], "box_left")
    key = FaceKey(checked_sha256(content.get("photo_sha256"), "photo_sha256"), box)
    return Tombstone(key, checked_time(content.get("forgotten_at"), "forgotten_at"))


def _name(value: object, field: str) -> str | None:
    """Check a name as strictly as a name that a user enters; it is returned as the file has it."""
    if value is None:
        return None
    text = checked_text(value, field)
    try:
        clean_name(text)
    except PersonError as error:
        raise MalformedValueError(f'"{field}" is not a name: {str(error).rstrip(".")}') from error
    return text


def _check_references(labels: Labels) -> None:
    """Refuse duplicate persons and numbers, self-references, and an ``undone_by`` that is not an undo of the file."""
    public_ids = [person.person_id for person in labels.persons]
    if len(set(public_ids)) != len(public_ids):
        raise MalformedValueError("two persons have one id")
    for position, person in enumerate(labels.persons, start=1):
        if person.merged_into == person.person_id:
            raise MalformedValueError(f'person {position}: "merged_into" is the person itself')
    numbers = [decision.number for decision in labels.decisions]
    if any(later <= earlier for earlier, later in pairwise(numbers)):
        raise MalformedValueError("the decisions are not in the order of their numbers")
    undos = {decision.number for decision in labels.decisions if isinstance(decision.payload, UndoPayload)}
    for position, decision in enumerate(labels.decisions, start=1):
        if decision.undone_by is not None and decision.undone_by not in undos:
            raise MalformedValueError(f'decision {position}: "undone_by" is not an undo of this file')


def _person_keys(person: LabeledPerson) -> dict[str, object]:
    return {
        "person_id": person.person_id,
        "name": person.name,
        "hidden": person.hidden,
        "birth_date": person.birth_date,
        "created_at": person.created_at,
        "merged_into": person.merged_into,
        "faces": [
            [face.key.sha256, *(round(edge, _DECIMALS) for edge in box_columns(face.key.box).values()), face.by.value]
            for face in person.faces
        ],
    }


def _decision_keys(decision: Decision) -> dict[str, object]:
    box = dict.fromkeys(BOX_COLUMNS) if decision.face is None else box_columns(decision.face.box)
    return {
        "id": decision.number,
        "decided_at": utc_text(decision.decided_at),
        "decided_by": decision.decided_by,
        "verb": decision.verb.value,
        "person_id": decision.person_id,
        "other_person_id": decision.other_person_id,
        "name": decision.name,
        "photo_sha256": None if decision.face is None else decision.face.sha256,
        **box,
        "details": to_json(decision.payload),
        "undone_by": decision.undone_by,
    }


def _faces_by_person(connection: Connection, public_ids: set[str]) -> dict[str, list[LabeledFace]]:
    labeled: dict[str, list[LabeledFace]] = {public_id: [] for public_id in public_ids}
    query = (
        select(persons.c.person_id, photos.c.sha256, assignments.c.by, *(faces.c[edge] for edge in BOX_COLUMNS))
        .select_from(assignments)
        .join(persons, persons.c.id == assignments.c.person_id)
        .join(faces, faces.c.id == assignments.c.face_id)
        .join(photos, photos.c.id == faces.c.photo_id)
        .order_by(assignments.c.by.desc(), faces.c.confidence.desc(), faces.c.id)
    )
    for person_id, sha256, by, *edges in connection.execute(query):
        if person_id in labeled:
            box = checked_box(edges, "box")
            labeled[person_id].append(LabeledFace(FaceKey(sha256, box), AssignedBy(by)))
    return labeled

"""The rows of the decision log: append, read, mark undone.

Rows are written from values of ``catalog.domain.decisions`` only. Rows that are read are checked as strictly as the
decisions of a labels file, by :mod:`catalog.store.parse_decision`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, delete, func, insert, or_, select, update
from sqlalchemy.sql.dml import ReturningInsert

from catalog.domain.box_columns import BOX_COLUMNS, box_columns
from catalog.domain.decisions import PERMANENT_VERBS, CopiedPayload, Decision, Payload, Verb
from catalog.domain.errors import DatabaseError
from catalog.domain.face_key import FaceKey
from catalog.domain.timestamps import utc_text
from catalog.store.among import among
from catalog.store.checked_values import (
    MalformedValueError,
)
from catalog.store.decision_payloads import to_json
from catalog.store.parse_decision import decision_of, is_copy
from catalog.store.tables import decisions
from catalog.store.upsert import batches

_ROWS = 2_000
"""Rows of one insert or query."""


def append_decision(
    connection: Connection,
    verb: Verb,
    *,
    decided_at: datetime,
    decided_by: str,
    person_id: str | None = None,
    other_person_id: str | None = None,
    name: str | None = None,
    face: FaceKey | None = None,
    payload: Payload | None = None,
    group: int | None = None,
) -> int:
    """Append one decision. Returns its number."""
    values = {
        "decided_at": utc_text(decided_at),
        "decided_by": decided_by,
        "verb": verb.value,
        "person_id": person_id,
        "other_person_id": other_person_id,
        "name": name,
        "photo_sha256": None if face is None else face.sha256,
        **(dict.fromkeys(BOX_COLUMNS) if face is None else box_columns(face.box)),
        "details": to_json(payload),
        "copy_of": payload.copy_of if isinstance(payload, CopiedPayload) else None,
        "group": group,
    }
    number = int(connection.execute(_insert(), values).scalar_one())
    if is_copy(payload) and values["copy_of"] is None:
        connection.execute(update(decisions).where(decisions.c.id == number).values(copy_of=number))
    return number


@cache
def _insert() -> ReturningInsert[Any]:
    return insert(decisions).returning(decisions.c.id)


def append_to_group(
    connection: Connection,
    verb: Verb,
    persons: Iterable[tuple[str, Payload]],
    *,
    decided_at: datetime,
    decided_by: str,
    group: int,
) -> None:
    """Append a decision about each person, given by public id, to a group that has a decision already."""
    common = {"decided_at": utc_text(decided_at), "decided_by": decided_by, "verb": verb.value, "group": group}
    rows = [{**common, "person_id": person_id, "details": to_json(payload)} for person_id, payload in persons]
    for batch in batches(rows, _ROWS):
        connection.execute(insert(decisions), batch)


def append_copy(connection: Connection, decision: Decision) -> int:
    """Append a decision once more, with the time and the user of the original. Returns the new number."""
    return append_decision(
        connection,
        decision.verb,
        decided_at=decision.decided_at,
        decided_by=decision.decided_by,
        person_id=decision.person_id,
        other_person_id=decision.other_person_id,
        name=decision.name,
        face=decision.face,
        payload=decision.payload,
        group=decision.group,
    )


def copies_of(connection: Connection, numbers: Iterable[int]) -> list[Decision]:
    """Return the copies of these decisions for edited photos, oldest first."""
    return [
        decision
        for batch in batches(sorted(set(numbers)), _ROWS)
        for decision in _read(connection, [among(decisions.c.copy_of, batch), decisions.c.id != decisions.c.copy_of])
    ]


def start_group(connection: Connection, number: int) -> None:
    """Make a decision the first one of a group. The group has the decision's number."""
    connection.execute(update(decisions).where(decisions.c.id == number).values(group=number))


def read_decisions(
    connection: Connection,
    *,
    person_ids: Collection[str] | None = None,
    verbs: Collection[Verb] | None = None,
    numbers: Collection[int] | None = None,
    times: Collection[datetime] | None = None,
    after: int = 0,
) -> list[Decision]:
    """Return the decisions that meet all given conditions, oldest first.

    ``person_ids`` selects by either person, ``times`` by the time of the decision, ``after`` by number. Raises
    ``DatabaseError`` for a damaged row.
    """
    conditions: list[ColumnElement[bool]] = [decisions.c.id > after]
    if person_ids is not None:
        conditions.append(or_(among(decisions.c.person_id, person_ids), among(decisions.c.other_person_id, person_ids)))
    if verbs is not None:
        conditions.append(decisions.c.verb.in_([verb.value for verb in verbs]))
    if times is not None:
        conditions.append(decisions.c.decided_at.in_(sorted({utc_text(time) or "" for time in times})))
    if numbers is None:
        return _read(connection, conditions)
    return [
        decision
        for batch in batches(sorted(set(numbers)), _ROWS)
        for decision in _read(connection, [*conditions, among(decisions.c.id, batch)])
    ]


def read_decision(connection: Connection, number: int) -> Decision | None:
    """Return one decision; None if the log has no such number."""
    return next(iter(_read(connection, [decisions.c.id == number])), None)


def decisions_of_group(connection: Connection, group: int, *, excluded: int | None = None) -> list[Decision]:
    """Return the decisions of a group, oldest first. ``excluded`` is the number of one that is left out."""
    conditions = [decisions.c.group == group]
    if excluded is not None:
        conditions.append(decisions.c.id != excluded)
    return _read(connection, conditions)


def verbs_of_group(connection: Connection, group: int | None) -> set[Verb]:
    """The verbs of the decisions of a group; empty for None."""
    if group is None:
        return set()
    query = select(decisions.c.verb).where(decisions.c.group == group).distinct()
    return {Verb(verb) for verb in connection.scalars(query)}


def groups_before(connection: Connection, limit: int, *, before: int | None = None) -> list[int]:
    """Numbers of groups, latest first; a decision without a group counts as a group. Copies by scans are left out.

    ``before``: number of the last group of the previous page.
    """
    group = func.coalesce(decisions.c.group, decisions.c.id)
    query = select(group).where(decisions.c.copy_of.is_(None)).distinct().order_by(group.desc()).limit(limit)
    if before is not None:
        query = query.where(group < before)
    return [int(number) for number in connection.scalars(query)]


def decisions_on_photos(connection: Connection, contents: Sequence[str]) -> list[Decision]:
    """Return the decisions on one face whose photo has one of these content hashes, oldest first."""
    return [
        decision for batch in batches(contents) for decision in _read(connection, [decisions.c.photo_sha256.in_(batch)])
    ]


def decisions_to_carry(connection: Connection, sha256: str) -> list[Decision]:
    """Return the decisions on a photo and its faces, undone ones too, oldest first; undos are not among them."""
    # Only a prefilter: the faces of the payload are compared below.
    on_several = decisions.c.verb.in_(("split", "merge", "date")) & decisions.c.details.contains(sha256)
    candidates = _read(
        connection,
        [
            or_(decisions.c.photo_sha256 == sha256, on_several),
            decisions.c.verb != Verb.UNDO.value,
        ],
    )
    return [
        decision
        for decision in candidates
        if any(key.sha256 == sha256 for key in decision.faces) or any(date.sha256 == sha256 for date in decision.dates)
    ]


def last_undoable(connection: Connection, *, decided_by: str | None = None) -> int | None:
    """Return the number of the newest decision that undo accepts without a number. ``decided_by``: of this login only.

    The decision is in force. An undo, a permanent decision and a copy for an edited photo do not count.
    """
    excluded = [verb.value for verb in (Verb.UNDO, *sorted(PERMANENT_VERBS))]
    query = select(func.max(decisions.c.id)).where(
        decisions.c.undone_by.is_(None), decisions.c.copy_of.is_(None), decisions.c.verb.not_in(excluded)
    )
    if decided_by is not None:
        query = query.where(decisions.c.decided_by == decided_by)
    number = connection.scalar(query)
    return None if number is None else int(number)


def last_redoable(connection: Connection, *, decided_by: str | None = None) -> int | None:
    """The number of the newest undo in force that did not undo another undo, of one login if it is given."""
    reverted = decisions.alias()
    undid = select(reverted.c.id).where(reverted.c.undone_by == decisions.c.id, reverted.c.verb != Verb.UNDO.value)
    query = select(func.max(decisions.c.id)).where(
        decisions.c.verb == Verb.UNDO.value, decisions.c.undone_by.is_(None), undid.exists()
    )
    if decided_by is not None:
        query = query.where(decisions.c.decided_by == decided_by)
    number = connection.scalar(query)
    return None if number is None else int(number)


def last_decision_number(connection: Connection) -> int:
    """Return the number of the latest decision, 0 for an empty log."""
    return int(connection.scalar(_last_number()) or 0)


@cache
def _last_number() -> Select[Any]:
    return select(func.max(decisions.c.id))


def undone_merges(connection: Connection) -> set[str]:
    """Public ids of the persons whose merge into another was undone, other than with the import that brought it."""
    first = decisions.alias()
    query = (
        select(decisions.c.other_person_id)
        .outerjoin(first, (first.c.id == decisions.c.group) & (first.c.verb == Verb.IMPORT.value))
        .where(decisions.c.verb == Verb.MERGE.value, decisions.c.undone_by.is_not(None))
        .where(first.c.undone_by.is_distinct_from(decisions.c.undone_by))
    )
    return {person_id for person_id in connection.scalars(query) if person_id is not None}


def forgotten_ids(connection: Connection) -> set[str]:
    """Public ids of all persons forgotten in this catalogue."""
    query = select(decisions.c.person_id).where(
        decisions.c.verb == Verb.FORGET.value, decisions.c.person_id.is_not(None)
    )
    return {person_id for person_id in connection.scalars(query) if person_id is not None}


def mark_undone(connection: Connection, numbers: Iterable[int], by: int | None) -> None:
    """Mark decisions as undone by the undo with the number ``by``; None marks them as in force."""
    if wanted := sorted(set(numbers)):
        connection.execute(update(decisions).where(among(decisions.c.id, wanted)).values(undone_by=by))


def delete_decisions(connection: Connection, numbers: Iterable[int]) -> None:
    """Delete rows. Decisions that a deleted undo had undone are in force again."""
    wanted = sorted(set(numbers))
    for batch in batches(wanted):
        connection.execute(update(decisions).where(decisions.c.undone_by.in_(batch)).values(undone_by=None))
    for batch in batches(wanted):
        connection.execute(delete(decisions).where(decisions.c.id.in_(batch)))


def replace_payload(connection: Connection, number: int, payload: Payload | None) -> None:
    """Overwrite a payload: for forgetting, which takes a person out of what other decisions remember."""
    connection.execute(update(decisions).where(decisions.c.id == number).values(details=to_json(payload)))


def _read(connection: Connection, conditions: Sequence[ColumnElement[bool]]) -> list[Decision]:
    query = select(decisions).where(*conditions).order_by(decisions.c.id)
    return [stored_decision(row) for row in connection.execute(query).mappings()]


def stored_decision(row: Mapping[Any, Any]) -> Decision:
    """The decision of a row. Raises ``DatabaseError`` for a damaged one."""
    try:
        return decision_of(row)
    except MalformedValueError as error:
        raise DatabaseError(
            f"Decision {row['id']} in the database is damaged: {error}.",
            remedy="Restore a backup with `catalog restore`.",
        ) from error

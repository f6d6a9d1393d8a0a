"""The decision log: an append-only table. Every decision carries the prior state of the rows that it changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection

from catalog.domain.decisions import Decision, Payload, Verb
from catalog.domain.face_key import FaceKey
from catalog.store.decision_rows import (
    append_decision,
    append_to_group,
    last_undoable,
    read_decision,
    read_decisions,
    start_group,
)

__all__ = ["Decision", "DecisionStamp", "append", "last_undoable", "read_decision", "read_decisions"]


@dataclass(slots=True)
class _Group:
    """A group that is being written. ``number`` is None until its first decision."""

    number: int | None = None


@dataclass(frozen=True, slots=True)
class DecisionStamp:
    """The user who decides, and the time. Decisions with a stamp from :meth:`grouped` are one group."""

    who: str
    now: datetime
    _group: _Group | None = field(default=None, compare=False, repr=False)

    def grouped(self) -> DecisionStamp:
        """Return a stamp whose decisions are one group: undo reverts them together. A grouped stamp keeps its group."""
        return self if self._group is not None else replace(self, _group=_Group())

    def with_user(self, who: str, now: datetime) -> DecisionStamp:
        """Return a stamp of another user and time, in the same group."""
        return replace(self, who=who, now=now)

    @property
    def group(self) -> int | None:
        """The number of the group; None for a stamp without a group, and before the first decision of the group."""
        return None if self._group is None else self._group.number


def append(
    connection: Connection,
    verb: Verb,
    stamp: DecisionStamp,
    *,
    person_id: str | None = None,
    other_person_id: str | None = None,
    name: str | None = None,
    face: FaceKey | None = None,
    payload: Payload | None = None,
) -> int:
    """Append a decision, to the stamp's group if it has one. Returns the decision's number."""
    number = append_decision(
        connection,
        verb,
        decided_at=stamp.now,
        decided_by=stamp.who,
        person_id=person_id,
        other_person_id=other_person_id,
        name=name,
        face=face,
        payload=payload,
        group=stamp.group,
    )
    join_group(connection, number, stamp)
    return number


def append_all(
    connection: Connection, verb: Verb, stamp: DecisionStamp, decisions: Sequence[tuple[str, Payload]]
) -> None:
    """Append a decision about each person, given by public id, to the stamp's group. The stamp must have a group."""
    if not decisions:
        return
    (person_id, payload), *others = decisions
    append(connection, verb, stamp, person_id=person_id, payload=payload)
    if stamp.group is not None:
        append_to_group(connection, verb, others, decided_at=stamp.now, decided_by=stamp.who, group=stamp.group)


def join_group(connection: Connection, number: int, stamp: DecisionStamp) -> None:
    """Let a new decision be the first one of the stamp's group, if the group has none yet."""
    if stamp._group is not None and stamp._group.number is None:
        start_group(connection, number)
        stamp._group.number = number

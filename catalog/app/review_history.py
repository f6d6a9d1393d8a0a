"""The history of decisions in groups, and undo of any depth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from catalog.app.resources import Resources
from catalog.app.review_values import BlockedUndoError, HistoryEntry
from catalog.app.settling import catch_up, settle_decisions
from catalog.app.stacks import refresh_stacks
from catalog.domain.decisions import PERMANENT_VERBS, Decision, Verb
from catalog.domain.uri import display_name
from catalog.identities.decisions import undo as undoing
from catalog.identities.decisions.later_decisions import later_decisions
from catalog.store.assignment_lock import lock_persons
from catalog.store.decision_rows import (
    decisions_of_group,
    groups_before,
    last_undoable,
    read_decision,
    read_decisions,
)
from catalog.store.people import names_by_public_id
from catalog.store.review_rows import restore_questions

_OF_STACKS = frozenset({Verb.PART, Verb.JOIN, Verb.DATE})
"""Decisions that change which photos are one exposure."""
_SENTENCES = {
    Verb.HIDE: ("1 person hidden", "{count:,} people hidden"),
    Verb.UNHIDE: ("1 person shown again", "{count:,} people shown again"),
    Verb.APART: ("Two people separated", "People separated, {count:,} times"),
    Verb.CONFIRM: ("1 face confirmed", "{count:,} faces confirmed"),
    Verb.REJECT: ("1 face rejected", "{count:,} faces rejected"),
    Verb.NOT_A_FACE: ("1 mark: not a face", "{count:,} marks: not a face"),
    Verb.MERGE: ("Two people joined", "{count:,} people joined"),
    Verb.SPLIT: ("1 group of faces split off", "{count:,} groups of faces split off"),
    Verb.UNDO: ("Undo", "{count:,} undos"),
    Verb.RESTORE: ("1 person restored", "{count:,} people restored"),
    Verb.RECLUSTER: ("Persons grouped again", "Persons grouped again, {count:,} times"),
    Verb.FORGET: ("1 person forgotten", "{count:,} people forgotten"),
    Verb.MIGRATE: ("Persons copied from another gallery", "Persons copied from other galleries, {count:,} times"),
    Verb.IMPORT: ("Import", "{count:,} imports"),
    Verb.DATE: ("Dates of photos corrected", "Dates of photos corrected, {count:,} times"),
    Verb.PART: ("1 photo taken out of its stack", "{count:,} photos taken out of stacks"),
    Verb.APPEAR: ("Names without a face imported", "Names without a face imported, {count:,} times"),
    Verb.JOIN: ("Photos joined to a stack", "Photos joined to {count:,} stacks"),
}


@dataclass(frozen=True, slots=True)
class UndoneGroups:
    """``number`` is that of the last undo, ``groups`` are the reverted groups, latest first."""

    number: int
    groups: tuple[int, ...]


def undo_groups(resources: Resources, groups: Sequence[int] | None) -> UndoneGroups:
    """Revert groups of decisions, latest first; None: the latest one of this login.

    All or none. Raises BlockedUndoError if later decisions build on one of them, and UsageError.
    """
    stamp = resources.stamp()
    with resources.database.begin() as connection:
        lock_persons(connection)
        is_current = catch_up(connection, resources)
        numbers = [last_undoable(connection, decided_by=stamp.who)] if groups is None else sorted(groups, reverse=True)
        undo_number, reverted = 0, []
        verbs: set[Verb] = set()
        for number in numbers:
            _check_not_blocked(connection, number)
            undo_number, decision = undoing.undo(connection, number, stamp)
            reverted.append(decision.group or decision.number)
            verbs |= _settle(connection, resources, decision, is_current=is_current)
    if verbs & _OF_STACKS:
        refresh_stacks(resources)
    return UndoneGroups(undo_number, tuple(reverted))


def redo(resources: Resources) -> int:
    """Revert the latest undo in force of this login. Raises UsageError."""
    stamp = resources.stamp()
    with resources.database.begin() as connection:
        lock_persons(connection)
        is_current = catch_up(connection, resources)
        number, decision = undoing.redo(connection, stamp, decided_by=stamp.who)
        verbs = _settle(connection, resources, decision, is_current=is_current)
    if verbs & _OF_STACKS:
        refresh_stacks(resources)
    return number


def history(resources: Resources, *, limit: int, before: int | None) -> tuple[HistoryEntry, ...]:
    """Groups of decisions, latest first; a decision without a group is a group of its own."""
    with resources.reading() as database, database.read() as connection:
        return _entries(connection, groups_before(connection, limit, before=before))


def _entries(connection: Connection, groups: Sequence[int]) -> tuple[HistoryEntry, ...]:
    members = [(group, decisions_of_group(connection, group) or _single(connection, group)) for group in groups]
    persons = {
        person
        for _, decisions in members
        for decision in decisions
        for person in (decision.person_id, decision.other_person_id)
        if person
    }
    names = names_by_public_id(connection, persons)
    return tuple(_entry(group, decisions, names) for group, decisions in members if decisions)


def _single(connection: Connection, number: int) -> list[Decision]:
    decision = read_decision(connection, number)
    return [] if decision is None else [decision]


def _entry(group: int, decisions: Sequence[Decision], names: dict[str, str | None]) -> HistoryEntry:
    undone = {decision.undone_by for decision in decisions}
    return HistoryEntry(
        group,
        decisions[-1].decided_at,
        decisions[-1].decided_by,
        _text(decisions, names),
        tuple(decisions),
        tuple(_text([decision], names) for decision in decisions),
        undone_by=None if None in undone else max(number for number in undone if number is not None),
        can_undo=None in undone and any(decision.verb not in PERMANENT_VERBS for decision in decisions),
    )


def _text(decisions: Sequence[Decision], names: dict[str, str | None]) -> str:
    """A sentence about a group: its names, and counts of the other decisions."""
    parts = []
    for decision in decisions:
        if decision.verb in (Verb.NAME, Verb.RENAME):
            name = display_name(decision.name) if decision.name else None
            parts.append(f"{name} named" if name else f"The name of {decision.person_id} removed")
        elif decision.verb is Verb.BORN:
            parts.append(f"Birth date of {_label(decision.person_id, names)}: {decision.name or 'removed'}")
    counts: dict[Verb, list[Decision]] = {}
    for decision in decisions:
        if decision.verb in _SENTENCES:
            counts.setdefault(decision.verb, []).append(decision)
    for verb, of_verb in counts.items():
        single, several = _SENTENCES[verb]
        text = single if len(of_verb) == 1 else several.format(count=len(of_verb))
        about = {decision.person_id for decision in of_verb}
        if len(about) == 1 and (person := about.pop()) and verb is not Verb.UNDO and names.get(person):
            text += f", {_label(person, names)}"
        if verb is Verb.UNDO:
            text = f"Undo of decision {of_verb[0].targets[0]}" if of_verb[0].targets else "Undo"
        parts.append(text)
    return "; ".join(parts)


def _label(person: str | None, names: dict[str, str | None]) -> str:
    return display_name(names.get(person or "") or person or "")


def _check_not_blocked(connection: Connection, number: int | None) -> None:
    decision = None if number is None else read_decision(connection, number)
    if decision is None or decision.undone_by is not None:
        return  # undo says why
    members = [decision] if decision.group is None else decisions_of_group(connection, decision.group)
    later = later_decisions(connection, [member for member in members if member.undone_by is None])
    if later:
        groups = {blocking.group or blocking.number for blocking in read_decisions(connection, numbers=later)}
        entries = _entries(connection, sorted(groups, reverse=True))
        texts = ", ".join(f'"{entry.text}"' for entry in entries[:3])
        more = f" and {len(entries) - 3:,} more" if len(entries) > 3 else ""
        raise BlockedUndoError(f"Cannot be undone before: {texts}{more}.", [*groups, decision.group or decision.number])


def _settle(connection: Connection, resources: Resources, decision: Decision, *, is_current: bool) -> set[Verb]:
    """Settle the questions about the persons of a reverted decision and its group. Returns the verbs.

    The questions that it settled as an answer return first.
    """
    answer = _answer_undone(connection, decision)
    if answer is not None:
        restore_questions(connection, answer.group or answer.number)
    members = decisions_of_group(connection, decision.group) if decision.group else [decision]
    return settle_decisions(connection, resources, members, is_current=is_current)


def _answer_undone(connection: Connection, decision: Decision) -> Decision | None:
    """The decision that is undone in effect when this one is reverted; None if an undone one is done again.

    To revert the undo of an undo is to undo what the first of them had reverted.
    """
    answer: Decision | None = decision
    while answer is not None and answer.targets:
        undo = read_decision(connection, answer.targets[0])
        answer = read_decision(connection, undo.targets[0]) if undo is not None and undo.targets else None
    return answer

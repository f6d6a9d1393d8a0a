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
from catalog.store.assignment_lock import lock_persons
from catalog.store.decision_history import groups_of, read_groups
from catalog.store.decision_rows import groups_before, last_undoable, read_decision
from catalog.store.people import names_by_public_id
from catalog.store.review_rows import restore_questions

_OF_STACKS = frozenset({Verb.PART, Verb.JOIN, Verb.DATE})
"""Decisions that change which photos are one exposure."""
_NAMED_GROUPS = 3
"""Groups that the message of a blocked undo names."""
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
            try:
                undo_number, undone = undoing.undo_group(connection, number, stamp)
            except undoing.LaterDecisionsError as error:
                raise _blocked(connection, error) from error
            reverted.append(undone[0].group or undone[0].number)
            verbs |= _settle(connection, resources, undone, is_current=is_current)
    if verbs & _OF_STACKS:
        refresh_stacks(resources)
    return UndoneGroups(undo_number, tuple(reverted))


def redo(resources: Resources) -> int:
    """Revert the latest undo in force of this login. Raises UsageError."""
    stamp = resources.stamp()
    with resources.database.begin() as connection:
        lock_persons(connection)
        is_current = catch_up(connection, resources)
        number, undone = undoing.redo_group(connection, stamp, decided_by=stamp.who)
        verbs = _settle(connection, resources, undone, is_current=is_current)
    if verbs & _OF_STACKS:
        refresh_stacks(resources)
    return number


def history(resources: Resources, *, limit: int, before: int | None) -> tuple[HistoryEntry, ...]:
    """Groups of decisions, latest first; a decision without a group is a group of its own."""
    with resources.reading() as database, database.read() as connection:
        return _entries(connection, groups_before(connection, limit, before=before))


def _entries(connection: Connection, groups: Sequence[int]) -> tuple[HistoryEntry, ...]:
    members = list(read_groups(connection, groups).items())
    persons = {
        person
        for _, decisions in members
        for decision in decisions
        for person in (decision.person_id, decision.other_person_id)
        if person
    }
    names = names_by_public_id(connection, persons)
    return tuple(_entry(group, decisions, names) for group, decisions in members if decisions)


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


def _blocked(connection: Connection, error: undoing.LaterDecisionsError) -> BlockedUndoError:
    """The error with the groups that must be undone first, and their texts."""
    groups = groups_of(connection, error.numbers)
    entries = _entries(connection, sorted(groups, reverse=True)[:_NAMED_GROUPS])
    texts = ", ".join(f'"{entry.text}"' for entry in entries)
    more = f" and {len(groups) - len(entries):,} more" if len(groups) > len(entries) else ""
    number = error.decision.group or error.decision.number
    return BlockedUndoError(f"Cannot be undone before: {texts}{more}.", [*groups, number])


def _settle(connection: Connection, resources: Resources, undone: Sequence[Decision], *, is_current: bool) -> set[Verb]:
    """Settle the questions about the persons of reverted decisions. Returns the verbs.

    The questions that the first of them settled as an answer return first.
    """
    answer = _answer_undone(connection, undone[0])
    if answer is not None:
        restore_questions(connection, answer.group or answer.number)
    return settle_decisions(connection, resources, undone, is_current=is_current, is_undo=True)


def _answer_undone(connection: Connection, decision: Decision) -> Decision | None:
    """The decision that is undone in effect when this one is reverted; None if an undone one is done again.

    To revert the undo of an undo is to undo what the first of them had reverted.
    """
    answer: Decision | None = decision
    while answer is not None and answer.targets:
        undo = read_decision(connection, answer.targets[0])
        answer = read_decision(connection, undo.targets[0]) if undo is not None and undo.targets else None
    return answer

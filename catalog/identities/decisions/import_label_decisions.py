"""Add the decisions of a labels file to the decision log of this catalogue."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from catalog.domain.decisions import (
    CopiedPayload,
    DatesPayload,
    Decision,
    FacesPayload,
    Payload,
    UndoPayload,
    Verb,
)
from catalog.domain.face_key import FaceKey
from catalog.identities.decisions.effective import EffectiveDecisions
from catalog.identities.decisions.log import DecisionStamp, join_group, read_decisions
from catalog.store.decision_rows import append_copy, mark_undone
from catalog.store.parse_decision import is_copy
from catalog.store.person_index import PersonIndex, PersonRow


class LocalDecisions:
    """Decisions of users on faces of this catalogue. Persons are compared after following redirects."""

    def __init__(self, effective: EffectiveDecisions, people: PersonIndex) -> None:
        self._people = people
        self._confirmed = _by_content(effective.confirmed)
        self._rejected = _by_content(effective.rejected)
        self._not_faces = _by_content((key, "") for key in effective.not_faces)
        self._dates = effective.dates

    def contradict(self, key: FaceKey, person_id: str) -> bool:
        """True if the face is confirmed as another person, rejected as this person, or marked as not a face."""
        if any(rival_key.same(key) for rival_key, _ in self._not_faces.get(key.sha256, ())):
            return True
        person = self._people.canonical(person_id)
        confirmed = self.person_of(key)
        if confirmed is not None and confirmed != person:
            return True
        return any(
            rival_key.same(key) and self._people.canonical(rejected) == person
            for rival_key, rejected in self._rejected.get(key.sha256, ())
        )

    def has_date(self, sha256: str) -> bool:
        """True if a user decided on the date of the photo."""
        return sha256 in self._dates

    def is_person(self, person: PersonRow, person_id: str) -> bool:
        """True if a public id stands for the person today."""
        return self._people.canonical(person_id) == person

    def person_of(self, key: FaceKey) -> PersonRow | None:
        """Return the person that the face is confirmed as."""
        for rival_key, public_id in self._confirmed.get(key.sha256, ()):
            if rival_key.same(key):
                return self._people.canonical(public_id)
        return None


def add_decisions(
    connection: Connection, imported: Sequence[Decision], local: LocalDecisions, stamp: DecisionStamp
) -> int:
    """Append the decisions of a file that this log does not have, in their order. Returns how many.

    They get numbers of this log, and their references to other decisions are renumbered. What is in force here stays
    in force: a decision on a face that contradicts ``local`` is left out, and so is an undo of a decision that this log
    had already. All of them join the group of the stamp.
    """
    numbers_by_key = known_decisions(connection)
    undone_by = _targets_by_undo(imported)
    numbers: dict[int, int] = {}
    added: set[int] = set()
    for decision in imported:
        numbers_here = numbers_by_key[decision_key(decision)]
        if numbers_here:
            numbers[decision.number] = numbers_here.pop(0)
            continue
        if decision.verb is Verb.UNDO:
            targets = set(decision.targets) or undone_by[decision.number]
            if not targets & added or targets & (numbers.keys() - added):
                continue
            accepted: Decision | None = decision
        else:
            accepted = decision if decision.undone_by is not None else _without_contradictions(decision, local)
        if accepted is None:
            continue
        payload = _renumbered(accepted.payload, numbers)
        number = append_copy(connection, replace(accepted, payload=payload, group=stamp.group))
        join_group(connection, number, stamp)
        numbers[decision.number] = number
        added.add(decision.number)
    for decision in imported:
        if decision.number in added and decision.undone_by in numbers:
            mark_undone(connection, [numbers[decision.number]], numbers[decision.undone_by])
    return len(added)


def _without_contradictions(decision: Decision, local: LocalDecisions) -> Decision | None:
    """Return the decision without the faces and dates that were decided otherwise here; None if it is left out."""
    person, payload, face = decision.person_id or "", decision.payload, decision.face
    if isinstance(payload, DatesPayload):
        dates = tuple(date for date in payload.dates if not local.has_date(date.sha256))
        return replace(decision, payload=replace(payload, dates=dates)) if dates else None
    if isinstance(payload, FacesPayload):
        owner = (decision.other_person_id or "") if decision.verb is Verb.SPLIT else person
        remaining = tuple(key for key in payload.faces if not local.contradict(key, owner))
        if payload.faces and not remaining and decision.verb is not Verb.MERGE:
            return None
        return replace(decision, payload=replace(payload, faces=remaining))
    if face is None:
        return decision
    if decision.verb is Verb.CONFIRM:
        return None if local.contradict(face, person) else decision
    confirmed = local.person_of(face)
    if confirmed is None or (decision.verb is Verb.REJECT and not local.is_person(confirmed, person)):
        return decision
    return None


def _by_content(pairs: Iterable[tuple[FaceKey, str]]) -> dict[str, list[tuple[FaceKey, str]]]:
    by_content: dict[str, list[tuple[FaceKey, str]]] = defaultdict(list)
    for key, person in pairs:
        by_content[key.sha256].append((key, person))
    return by_content


def known_decisions(connection: Connection) -> defaultdict[tuple[object, ...], list[int]]:
    """Return the numbers of this log's decisions by their identity, in ascending order.

    Decisions of an import that was undone are left out, so that the file can be imported again.
    """
    log = read_decisions(connection)
    undone_imports = {
        decision.group: decision.undone_by
        for decision in log
        if decision.verb is Verb.IMPORT and decision.undone_by is not None
    }
    numbers_by_key: defaultdict[tuple[object, ...], list[int]] = defaultdict(list)
    for decision in log:
        if decision.undone_by is None or undone_imports.get(decision.group) != decision.undone_by:
            numbers_by_key[decision_key(decision)].append(decision.number)
    return numbers_by_key


def decision_key(decision: Decision) -> tuple[object, ...]:
    """Return what identifies a decision in every catalogue. The order distinguishes equal decisions of one instant."""
    copied: tuple[str, ...] | None = None
    if isinstance(decision.payload, FacesPayload | DatesPayload) and is_copy(decision.payload):
        # Copies for several edited photos differ in the content hash alone.
        contents = {key.sha256 for key in decision.faces} | {date.sha256 for date in decision.dates}
        copied = tuple(sorted(contents))
    face = decision.face
    return (
        decision.decided_at,
        decision.decided_by,
        decision.verb,
        decision.person_id,
        decision.other_person_id,
        None if face is None else (face.sha256, face.box.left),
        copied,
    )


def _targets_by_undo(imported: Iterable[Decision]) -> defaultdict[int, set[int]]:
    targets_by_undo: defaultdict[int, set[int]] = defaultdict(set)
    for decision in imported:
        if decision.undone_by is not None:
            targets_by_undo[decision.undone_by].add(decision.number)
    return targets_by_undo


def _renumbered(payload: Payload | None, numbers: dict[int, int]) -> Payload | None:
    """Return the payload with the numbers of this log. References to decisions that were left out are dropped."""
    if isinstance(payload, UndoPayload):
        targets = [numbers[number] for number in payload.targets if number in numbers]
        return replace(payload, of=targets[0] if targets else None, also=tuple(targets[1:]))
    if isinstance(payload, CopiedPayload):
        return replace(payload, copy_of=None if payload.copy_of is None else numbers.get(payload.copy_of))
    return payload

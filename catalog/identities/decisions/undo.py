"""Undo decisions exactly: the rows become what they were before.

A decision is undone together with its copies for edited photos, and a group of decisions as a whole.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import Connection

from catalog.domain.decisions import (
    PERMANENT_VERBS,
    ChangedPerson,
    Decision,
    FacePayload,
    NewPerson,
    PhotoAppearances,
    PriorFace,
    PriorPerson,
    PriorState,
    UnchangedPerson,
    UndoPayload,
    Verb,
)
from catalog.domain.errors import UsageError
from catalog.domain.face_key import FaceKey
from catalog.domain.photo_date import PhotoDate
from catalog.identities.decisions.later_decisions import later_decisions
from catalog.identities.decisions.log import DecisionStamp, append, last_undoable, read_decision, read_decisions
from catalog.identities.decisions.prior_state import capture_current, restore_prior_state, rows_of_faces
from catalog.identities.decisions.redo_check import check_photos
from catalog.identities.decisions.released_faces import faces_rejected_again, faces_twice_on_photo, replayed_faces
from catalog.store.assignment_lock import lock_persons
from catalog.store.assignments import unassign
from catalog.store.decided_rows import set_not_a_face
from catalog.store.decision_rows import copies_of, decisions_of_group, last_redoable, mark_undone

_MANY_TIMES = 500


class LaterDecisionsError(UsageError):
    """Later decisions build on a decision. ``numbers`` are theirs."""

    def __init__(self, decision: Decision, numbers: Sequence[int]) -> None:
        text = ", ".join(map(str, numbers))
        super().__init__(f"Later decisions build on decision {decision.number}: {text}.", remedy="Undo those first.")
        self.decision = decision
        self.numbers = tuple(numbers)


def undo(
    connection: Connection, number: int | None, stamp: DecisionStamp, *, decided_by: str | None = None
) -> tuple[int, Decision]:
    """Undo a decision, by default the last one, or the last one of the login ``decided_by``.

    Returns the number of the undo and the decision that it undid.

    A decision of a group is undone with its whole group. An undo can be undone: its decisions are in force again.
    Raises ``UsageError`` if there is no such decision, if it is undone or permanent, or if a later decision builds on
    it. Raises ``PersonError`` if an undo of an undo would put a person on a photo twice.
    """
    by, undone = undo_group(connection, number, stamp, decided_by=decided_by)
    return by, undone[0]


def undo_group(
    connection: Connection, number: int | None, stamp: DecisionStamp, *, decided_by: str | None = None
) -> tuple[int, list[Decision]]:
    """As :func:`undo`; returns all decisions that it undid, the given one or the first of its group first.

    Raises ``LaterDecisionsError`` if a later decision builds on one of them.
    """
    lock_persons(connection)
    number = last_undoable(connection, decided_by=decided_by) if number is None else number
    undone = _undoable(connection, number)
    first, *rest = undone
    later = later_decisions(connection, undone)
    if later:
        raise LaterDecisionsError(first, later)
    before = _prior_state(undone)
    no_longer, reinstated = _turned(connection, undone)
    replayed = replayed_faces(connection, no_longer, before.faces)
    face_rows = rows_of_faces(connection, before.faces)
    current = capture_current(connection, before, face_rows).faces(connection, replayed)
    restored = restore_prior_state(connection, before, face_rows)
    person_by_row = {row: face.person_id for row, face in zip(face_rows, before.faces, strict=True) if row is not None}
    if reinstated:
        check_photos(connection, first, restored, reinstated)
    set_not_a_face(connection, replayed, False)
    unassign(connection, replayed)
    released = {*faces_twice_on_photo(connection, person_by_row)}
    released |= set(faces_rejected_again(connection, reinstated)) - set(restored)
    current.faces(connection, sorted(released - set(restored)))
    unassign(connection, sorted(released))
    by = append(
        connection,
        Verb.UNDO,
        stamp,
        person_id=first.person_id,
        other_person_id=first.other_person_id,
        face=first.face,
        payload=UndoPayload(current.build(), of=first.number, also=tuple(decision.number for decision in rest)),
    )
    mark_undone(connection, [decision.number for decision in undone], by)
    for decision in undone:
        _reinstate(connection, _targets(connection, decision))
    return by, undone


def redo(connection: Connection, stamp: DecisionStamp, *, decided_by: str | None = None) -> tuple[int, Decision]:
    """Undo the last undo in force, or the last one of the login ``decided_by``. Raises as :func:`undo`."""
    by, undone = redo_group(connection, stamp, decided_by=decided_by)
    return by, undone[0]


def redo_group(
    connection: Connection, stamp: DecisionStamp, *, decided_by: str | None = None
) -> tuple[int, list[Decision]]:
    """As :func:`redo`; returns all decisions that it undid."""
    lock_persons(connection)
    number = last_redoable(connection, decided_by=decided_by)
    if number is None:
        raise UsageError("There is no undo to revert.", remedy="`catalog people history` lists all decisions.")
    return undo_group(connection, number, stamp)


def _undoable(connection: Connection, number: int | None) -> list[Decision]:
    """Return the decisions to undo: the given one first, or the first one of its group."""
    decision = None if number is None else read_decision(connection, number)
    if decision is None:
        message = "There is no decision to undo." if number is None else f"There is no decision {number}."
        raise UsageError(message, remedy="`catalog people history` lists all decisions.")
    if decision.undone_by is not None:
        raise UsageError(f"Decision {number} is undone already, by decision {decision.undone_by}.")
    members = [decision]
    if decision.group is not None:
        members += decisions_of_group(connection, decision.group, excluded=decision.number)
        members = sorted(members, key=lambda member: member.number)
    members = [member for member in members if member.undone_by is None]
    if all(member.verb in PERMANENT_VERBS for member in members):
        raise UsageError(f"Decision {number} ({decision.verb.value}) cannot be undone.")
    numbers = {member.number for member in members}
    return members + [copy for copy in _others_of(connection, members) if copy.number not in numbers]


def _prior_state(undone: Sequence[Decision]) -> PriorState:
    """Return the state before the first of these decisions: of every row the earliest prior state.

    An import has captured the whole change. The decisions that came with the file have prior states of the catalogue
    where the file was made, which mean nothing here.
    """
    ordered = sorted(undone, key=lambda decision: decision.number)
    imported = [decision for decision in ordered if decision.verb is Verb.IMPORT]
    persons: dict[str, PriorPerson] = {}
    faces: list[PriorFace] = []
    dates: dict[str, PhotoDate] = {}
    appearances: dict[str, PhotoAppearances] = {}
    keys_by_face: dict[tuple[str, str, str], list[FaceKey]] = defaultdict(list)
    for decision in imported or ordered:
        for person in decision.before.persons:
            persons[person.person_id] = _earliest(persons.get(person.person_id), person)
        for date in decision.before.dates:
            dates.setdefault(date.sha256, date)
        for photo in decision.before.appearances:
            appearances.setdefault(photo.sha256, photo)
        for face in decision.before.faces:
            keys = keys_by_face[face.key.sha256, face.engine, face.gallery]
            if face.key not in keys:
                keys.append(face.key)
                faces.append(face)
    return PriorState(tuple(persons.values()), tuple(faces), tuple(dates.values()), tuple(appearances.values()))


def _earliest(earlier: PriorPerson | None, later: PriorPerson) -> PriorPerson:
    if earlier is None or isinstance(earlier, UnchangedPerson):
        return later if earlier is None or not isinstance(later, UnchangedPerson) else earlier
    if isinstance(earlier, NewPerson) or not isinstance(later, ChangedPerson) or earlier.has_redirect:
        return earlier
    return ChangedPerson(
        earlier.person_id,
        earlier.name,
        earlier.hidden,
        earlier.birth_date,
        earlier.created_at,
        later.merged_into,
        later.has_redirect,
    )


def _reinstate(connection: Connection, decisions: Sequence[Decision]) -> None:
    """Mark decisions as in force. What such a decision had undone, as an undo, is undone again."""
    mark_undone(connection, [decision.number for decision in decisions], None)
    for decision in decisions:
        targets = _targets(connection, decision)
        mark_undone(connection, [target.number for target in targets], decision.number)
        for target in targets:
            _reinstate(connection, _targets(connection, target))


def _turned(connection: Connection, undone: Sequence[Decision]) -> tuple[list[Decision], list[Decision]]:
    """Return the decisions that are no longer in force after this undo, and those that are in force again."""
    no_longer, reinstated = list(undone), []
    for decision in no_longer:  # the list grows in the loop
        for target in _targets(connection, decision):
            reinstated.append(target)
            no_longer += _targets(connection, target)
    return no_longer, reinstated


def _targets(connection: Connection, decision: Decision) -> list[Decision]:
    """Return the decisions that an undo undid, in the undo's order; none for any other verb.

    They are followed by copies that were made later, when one of their photos was edited.
    """
    if not decision.targets:
        return []
    decision_by_number = {target.number: target for target in read_decisions(connection, numbers=decision.targets)}
    targets = [decision_by_number[number] for number in decision.targets if number in decision_by_number]
    copies = copies_of(connection, {target.original for target in targets})
    return targets + [copy for copy in copies if copy.number not in decision_by_number]


def _others_of(connection: Connection, decisions: Sequence[Decision]) -> list[Decision]:
    """Return the originals and copies, in force, of decisions that scans copied to edited photos."""
    wanted = [decision for decision in decisions if decision.verb is not Verb.UNDO and _is_copied(decision)]
    if not wanted:
        return []
    copies_by_key: dict[tuple[object, ...], list[Decision]] = defaultdict(list)
    verbs, times = {decision.verb for decision in wanted}, {decision.decided_at for decision in wanted}
    # Copies have the time of the original. A condition on very many times would be refused by the database.
    for decision in read_decisions(connection, verbs=verbs, times=times if len(times) <= _MANY_TIMES else None):
        if _is_copied(decision):
            copies_by_key[_identity(decision)].append(decision)
    affected_decisions: dict[int, Decision] = {}
    for decision in wanted:
        copies = copies_by_key[_identity(decision)]
        if sum(copy.copy_of is None for copy in copies) > 1:
            # Decided twice in one instant. Numbers tell the copies apart, except after an import of labels.
            copies = [copy for copy in copies if copy.original == decision.original]
        affected_decisions |= {
            copy.number: copy for copy in copies if copy.undone_by is None and copy.number != decision.number
        }
    return list(affected_decisions.values())


def _is_copied(decision: Decision) -> bool:
    """True for a decision that scans copy to edited photos."""
    return bool(decision.faces or decision.dates)


def _identity(decision: Decision) -> tuple[object, ...]:
    """Return what a decision and its copies have in common, in every catalogue."""
    key = decision.face
    if isinstance(decision.payload, FacePayload) and decision.payload.carried_from is not None:
        key = decision.payload.carried_from
    return (
        decision.verb,
        decision.decided_at,
        decision.decided_by,
        decision.person_id,
        decision.other_person_id,
        key,
    )

"""Taking decisions back, exactly: the rows become what they were before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, update

from catalog.domain.errors import UsageError
from catalog.domain.face_key import FaceKey
from catalog.domain.people import AssignedBy
from catalog.identities.decisions.log import (
    LASTING,
    Decision,
    append,
    last_undoable,
    mark_undone,
    place_of,
    place_row,
    read_decision,
    read_decisions,
)
from catalog.identities.decisions.prior_state import capture_current, restore_prior_state
from catalog.identities.decisions.verbs import DecisionStamp
from catalog.store.assignment_lock import lock_persons
from catalog.store.catalogued_faces import catalogued_faces_by_row, faces_by_content
from catalog.store.people import find_person, unassign
from catalog.store.tables import faces
from catalog.store.upsert import batches


def undo(connection: Connection, number: int | None, stamp: DecisionStamp) -> tuple[int, Decision]:
    """Take back a decision, by default the last; returns the number of the undo and the decision taken back.

    An undo may be undone: the decision holds again. Raises ``UsageError`` when there is none,
    when it was undone already, and when a later decision builds on it.
    """
    lock_persons(connection)
    number = last_undoable(connection) if number is None else number
    decision = None if number is None else read_decision(connection, number)
    if decision is None:
        what = "There is no decision to take back." if number is None else f"There is no decision {number}."
        raise UsageError(what, remedy="`catalog people history` lists all.")
    if decision.undone_by is not None:
        raise UsageError(f"Decision {number} was taken back already, by {decision.undone_by}.")
    if decision.verb in LASTING:
        raise UsageError(f"Decision {number} ({decision.verb}) cannot be taken back.")
    one = [decision, *_others_of(connection, decision)]
    later = _builds_on(connection, one)
    if later:
        numbers = ", ".join(map(str, later))
        raise UsageError(
            f"Later decisions build on decision {decision.number}: {numbers}.", remedy="Take those back first."
        )
    before = {
        "persons": decision.details.get("before", {}).get("persons", ()),
        "faces": [face for each in one for face in each.details.get("before", {}).get("faces", ())],
    }
    taken, holding = _turned(connection, one)
    echoes = _echoes(connection, taken, before["faces"])
    now = capture_current(connection, before).faces(connection, echoes)
    restored = restore_prior_state(connection, before)
    _loosen(connection, echoes)
    late = sorted({*_rivals(connection, restored), *_refused_again(connection, holding)} - set(restored))
    now.faces(connection, late)
    unassign(connection, late)
    by = append(
        connection,
        "undo",
        who=stamp.who,
        now=stamp.now,
        person_id=decision.person_id,
        other_person_id=decision.other_person_id,
        place=decision.place,
        details={**now.details, "of": decision.number, "with": [each.number for each in one[1:]]},
    )
    for each in one:
        _take_back(connection, each, by)
    return by, decision


def _take_back(connection: Connection, decision: Decision, by: int) -> None:
    """Mark a decision as taken back; what it had taken back, as an undo, holds again."""
    mark_undone(connection, decision.number, by)
    for target in _targets(connection, decision):
        _reinstate(connection, target)


def _reinstate(connection: Connection, decision: Decision) -> None:
    """Mark a decision as in force; what it had taken back, as an undo, is taken back again."""
    mark_undone(connection, decision.number, None)
    for target in _targets(connection, decision):
        _take_back(connection, target, decision.number)


def _turned(connection: Connection, one: Sequence[Decision]) -> tuple[list[Decision], list[Decision]]:
    """What holds no longer when some decisions are taken back, and what holds again."""
    taken, holding = list(one), []
    for decision in taken:  # which grows meanwhile
        for target in _targets(connection, decision):
            holding.append(target)
            taken += _targets(connection, target)
    return taken, holding


def _refused_again(connection: Connection, holding: Sequence[Decision]) -> list[int]:
    """Faces that came to somebody while it did not hold that they are not that person."""
    refusals = [(each, place) for each in holding if each.verb == "reject" for place in each.places]
    found = faces_by_content(connection, {place.sha256 for _, place in refusals})
    leads = {each.number: find_person(connection, each.person_id or "").person_id for each, _ in refusals}
    return [
        face.row
        for each, place in refusals
        for face in found.get(place.sha256, ())
        if face.place.same(place) and face.person_id == leads[each.number] and face.by is AssignedBy.CLUSTER
    ]


def _targets(connection: Connection, decision: Decision) -> list[Decision]:
    """The decisions that an undo took back; none for any other."""
    if decision.verb != "undo" or "of" not in decision.details:
        return []
    numbers = [int(decision.details["of"]), *map(int, decision.details.get("with", ()))]
    return [found for number in numbers if (found := read_decision(connection, number)) is not None]


def _echoes(connection: Connection, one: Sequence[Decision], saved: Sequence[Mapping[str, Any]]) -> list[int]:
    """Faces to which replaying carried what is taken back: of galleries that had not seen them when it was decided."""
    verbs = ("confirm", "split", "merge", "not_a_face")
    told = [(each.verb == "not_a_face", place) for each in one if each.verb in verbs for place in each.places]
    known: dict[str, list[tuple[list[str], FaceKey]]] = defaultdict(list)
    for each in saved:
        known[each["place"][0]].append((list(each["in"]), place_of(each["place"])))
    found = faces_by_content(connection, {place.sha256 for _, place in told})
    return sorted(
        {
            face.row
            for no_face, place in told
            for face in found.get(place.sha256, ())
            if (face.not_a_face if no_face else face.by is AssignedBy.HUMAN) and face.place.same(place)
            if not any([face.engine, face.gallery] == where and face.place.same(at) for where, at in known[face.sha256])
        }
    )


def _loosen(connection: Connection, rows: Sequence[int]) -> None:
    """They are looked at anew when somebody next works out who is who; what still holds of them is replayed then."""
    for some in batches(rows):
        connection.execute(update(faces).where(faces.c.id.in_(some)).values(not_a_face=False))
    unassign(connection, rows)


def _rivals(connection: Connection, restored: Sequence[int]) -> list[int]:
    """Faces that a machine gave meanwhile to somebody who is, with the faces put back, on their photos already."""
    back = catalogued_faces_by_row(connection, restored)
    held = {(face.sha256, face.engine, face.gallery, face.person_id) for face in back.values() if face.person_id}
    beside = faces_by_content(connection, {face.sha256 for face in back.values()})
    return sorted(
        face.row
        for some in beside.values()
        for face in some
        if face.by is AssignedBy.CLUSTER and face.row not in back
        if (face.sha256, face.engine, face.gallery, face.person_id) in held
    )


def _others_of(connection: Connection, decision: Decision) -> list[Decision]:
    """What a human said once and scans repeated for edited content: the original and its copies that are in force."""
    if decision.verb == "undo":
        return []
    said = _said(decision)
    alike = [each for each in read_decisions(connection, verbs=[decision.verb]) if each.places and _said(each) == said]
    if sum("carried_from" not in each.details for each in alike) > 1:
        # Said twice in the same instant. Numbers tell which is whose copy, except after a restore of labels.
        alike = [each for each in alike if _original(each) == _original(decision)]
    return [each for each in alike if each.undone_by is None and each.number != decision.number]


def _said(decision: Decision) -> tuple[object, ...]:
    """The same for a decision and its copies, also in another database."""
    place = (decision.details.get("carried_from") or place_row(decision.place)) if decision.place else []
    return decision.decided_at, decision.decided_by, decision.person_id, decision.other_person_id, *place


def _original(decision: Decision) -> int:
    """The number of what a human said; that of a copy for edited content is later."""
    return int(decision.details.get("copy_of", decision.number))


def _builds_on(connection: Connection, one: Sequence[Decision]) -> list[int]:
    """Later decisions in force that changed the same persons or faces as a decision and its copies."""
    mine = {each.number for each in one}
    first = min(map(_original, one))
    moved: dict[str, list[tuple[int, FaceKey]]] = defaultdict(list)
    for each in one:
        for place in each.moved():
            moved[place.sha256].append((_original(each), place))
    return [
        later.number
        for later in read_decisions(connection, after=first)
        if later.undone_by is None and later.number not in mine
        # What was decided and taken back since then left no trace.
        if not (later.verb == "undo" and int(later.details.get("of", 0)) > first)
        if any(_original(later) > _original(each) and _depends(each, later) for each in one)
        or any(
            _original(later) > number and place.same(other)
            for other in later.moved()
            for number, place in moved.get(other.sha256, ())
        )
    ]


def _depends(decision: Decision, later: Decision) -> bool:
    """Whether a later decision changed a person's own row too, or needs a person that this one made or merged."""
    if decision.verb in ("merge", "split", "undo"):
        return bool(decision.touched() & later.touched())
    return bool(decision.changed() & later.changed() or decision.made() & later.touched())

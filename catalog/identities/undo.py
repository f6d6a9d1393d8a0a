"""Taking decisions back, exactly: the rows become what they were before."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from catalog.errors import UsageError
from catalog.identities.decisions import Stamp
from catalog.identities.ledger import (
    Decision,
    append,
    last_in_force,
    mark_undone,
    place_row,
    read_decision,
    read_ledger,
)
from catalog.identities.snapshot import again, put_back


def undo(connection: Connection, number: int | None, stamp: Stamp) -> tuple[int, Decision]:
    """Take back a decision, by default the last; returns the number of the undo and the decision taken back.

    An undo may be undone: the decision holds again. Raises :class:`~catalog.errors.UsageError` when there is none,
    when it was undone already, and when a later decision builds on it.
    """
    number = last_in_force(connection) if number is None else number
    decision = None if number is None else read_decision(connection, number)
    if decision is None:
        what = "There is no decision to take back." if number is None else f"There is no decision {number}."
        raise UsageError(what, remedy="`catalog people history` lists all.")
    if decision.undone_by is not None:
        raise UsageError(f"Decision {number} was taken back already, by {decision.undone_by}.")
    if decision.verb in ("forget", "migrate"):
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
    now = again(connection, before)
    put_back(connection, before)
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
        mark_undone(connection, each.number, by)
    if decision.verb == "undo":
        for undone in [decision.details["of"], *decision.details.get("with", ())]:
            mark_undone(connection, int(undone), None)
    return by, decision


def _others_of(connection: Connection, decision: Decision) -> list[Decision]:
    """What a human said once and scans repeated for edited content: the original and its copies that are in force."""
    if decision.place is None or decision.verb == "undo":
        return []
    said = _said(decision)
    alike = [each for each in read_ledger(connection, verbs=[decision.verb]) if each.place and _said(each) == said]
    if sum("carried_from" not in each.details for each in alike) > 1:
        # Said twice in the same instant. Numbers tell which is whose copy, except after a restore of labels.
        alike = [each for each in alike if _original(each) == _original(decision)]
    return [each for each in alike if each.undone_by is None and each.number != decision.number]


def _said(decision: Decision) -> tuple[object, ...]:
    """The same for a decision and its copies, also in another database."""
    place = decision.details.get("carried_from") or (place_row(decision.place) if decision.place else [])
    return decision.decided_at, decision.decided_by, decision.person_id, decision.other_person_id, *place


def _original(decision: Decision) -> int:
    return int(decision.details.get("copy_of", decision.number))


def _builds_on(connection: Connection, one: Sequence[Decision]) -> list[int]:
    """Later decisions in force that changed the same persons or faces as a decision and its copies."""
    mine = {each.number for each in one}
    found: set[int] = set()
    for each in one:
        found.update(_later_than(connection, each))
    return sorted(found - mine)


def _later_than(connection: Connection, decision: Decision) -> list[int]:
    persons, places = decision.touched()
    of = decision.details.get("of")
    others_of = set(decision.details.get("with", ()))
    found = []
    for later in read_ledger(connection):
        if later.number <= decision.number or later.undone_by is not None or later.verb == "undo":
            continue
        if later.number == of or later.number in others_of:
            continue
        others, faces = later.touched()
        if _depends(decision, later, persons, others) or any(one.same(other) for one in places for other in faces):
            found.append(later.number)
    return found


def _depends(decision: Decision, later: Decision, ours: set[str], theirs: set[str]) -> bool:
    """Whether a later decision changed a person's own row, or needs a person that this one made or merged."""
    if not ours & theirs:
        return False
    own_row = {"name", "rename", "hide", "unhide", "born", "merge"}
    return (decision.verb in own_row and later.verb in own_row) or decision.verb in ("merge", "split", "undo")

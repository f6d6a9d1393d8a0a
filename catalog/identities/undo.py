"""Taking decisions back, exactly: the rows become what they were before."""

from __future__ import annotations

from sqlalchemy import Connection

from catalog.errors import UsageError
from catalog.identities.decisions import Stamp
from catalog.identities.ledger import Decision, append, last_in_force, mark_undone, read_decision, read_ledger
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
    later = _builds_on(connection, decision)
    if later:
        numbers = ", ".join(map(str, later))
        raise UsageError(
            f"Later decisions build on decision {decision.number}: {numbers}.", remedy="Take those back first."
        )
    now = again(connection, decision.details.get("before", {}))
    put_back(connection, decision.details.get("before", {}))
    by = append(
        connection,
        "undo",
        who=stamp.who,
        now=stamp.now,
        person_id=decision.person_id,
        other_person_id=decision.other_person_id,
        place=decision.place,
        details={**now.details, "of": decision.number},
    )
    mark_undone(connection, decision.number, by)
    if decision.verb == "undo":
        mark_undone(connection, int(decision.details["of"]), None)
    return by, decision


def _builds_on(connection: Connection, decision: Decision) -> list[int]:
    """Later decisions in force that changed the same persons or faces."""
    persons, places = decision.touched()
    of = decision.details.get("of")
    found = []
    for later in read_ledger(connection):
        if later.number <= decision.number or later.undone_by is not None or later.verb == "undo":
            continue
        if later.number == of:
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

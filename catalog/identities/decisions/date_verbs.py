"""Decisions of users about the dates of photos."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from catalog.domain.decisions import DatesPayload, Verb
from catalog.domain.errors import UsageError
from catalog.domain.photo_date import PhotoDate
from catalog.identities.decisions.log import DecisionStamp, append
from catalog.identities.decisions.prior_state import PriorStateBuilder
from catalog.store.assignment_lock import lock_persons
from catalog.store.assignments import unassign
from catalog.store.decided_rows import machine_faces_before_birth
from catalog.store.photo_dates import read_photo_dates, set_photo_dates


def set_dates(connection: Connection, dates: Sequence[PhotoDate], label: str, stamp: DecisionStamp) -> int:
    """Record the dates of photos. ``label`` describes the decision in the history.

    Faces that a machine assigned to persons who were born later become unassigned. Raises ``UsageError`` if every photo
    has its date already.
    """
    lock_persons(connection)
    present = set(read_photo_dates(connection, {date.sha256 for date in dates}))
    known = {date.sha256 for date in present}
    changed = [date for date in dates if date.sha256 in known and date not in present]
    if not changed:
        raise UsageError("Every photo has this date already, by a decision.")
    contents = [date.sha256 for date in changed]
    before = PriorStateBuilder().dates(connection, contents)
    set_photo_dates(connection, changed)
    early = machine_faces_before_birth(connection, contents)
    before.faces(connection, early)
    unassign(connection, early)
    payload = DatesPayload(before.build(), tuple(changed))
    return append(connection, Verb.DATE, stamp, name=label, payload=payload)

"""Later decisions that build on a decision: they must be undone first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from catalog.domain.decisions import Decision, Verb
from catalog.domain.face_key import FaceKey
from catalog.store.decision_mentions import later_mentioning


def later_decisions(connection: Connection, undone: Sequence[Decision]) -> list[int]:
    """Return the numbers of later decisions in force that changed the same persons or faces."""
    numbers = {decision.number for decision in undone}
    first = min(decision.original for decision in undone)
    changes = _Changes(undone)
    return [
        later.number
        for later in later_mentioning(connection, mentioned=changes.mentioned, after=first, excluded=numbers)
        # A decision since then that was undone again left no trace.
        if not (later.verb is Verb.UNDO and later.targets and later.targets[0] > first)
        if changes.are_needed_by(later)
    ]


class _Changes:
    """Changed persons and faces, each with the number of the first decision that changed it."""

    def __init__(self, decisions: Sequence[Decision]) -> None:
        self._involved: dict[str, int] = {}
        self._changed: dict[str, int] = {}
        self._new: dict[str, int] = {}
        self._faces: dict[str, list[tuple[int, FaceKey]]] = defaultdict(list)
        self._dates: dict[str, int] = {}
        self._appearances: dict[str, int] = {}
        for decision in decisions:
            if decision.verb in (Verb.MERGE, Verb.SPLIT, Verb.UNDO):
                _note(self._involved, decision.persons_involved(), decision.original)
            _note(self._changed, decision.changed_persons(), decision.original)
            _note(self._new, decision.new_persons(), decision.original)
            _note(self._dates, decision.changed_dates(), decision.original)
            _note(self._appearances, decision.changed_appearances(), decision.original)
            for key in decision.changed_faces():
                self._faces[key.sha256].append((decision.original, key))

    def mentioned(self) -> set[str]:
        """Public ids of all these persons and content hashes of all these photos."""
        return {*self._involved, *self._changed, *self._new, *self._faces, *self._dates, *self._appearances}

    def are_needed_by(self, later: Decision) -> bool:
        """True if a later decision changed one of the rows or dates too, or needs a new or a merged person."""
        number = later.original
        return (
            any(self._involved.get(person, number) < number for person in later.persons_involved())
            or any(self._changed.get(person, number) < number for person in later.changed_persons())
            or any(self._new.get(person, number) < number for person in later.persons_involved())
            or any(self._dates.get(photo, number) < number for photo in later.changed_dates())
            or any(self._appearances.get(photo, number) < number for photo in later.changed_appearances())
            or any(
                earlier < number and key.same(changed_key)
                for key in later.changed_faces()
                for earlier, changed_key in self._faces.get(key.sha256, ())
            )
        )


def _note(first: dict[str, int], keys: Iterable[str], number: int) -> None:
    for key in keys:
        first[key] = min(number, first.get(key, number))

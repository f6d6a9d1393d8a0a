"""Assign the faces of a labels file to their persons, whichever engine enrolled them here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from catalog.domain.decisions import ExemplarsPayload, Verb
from catalog.domain.face_key import FaceKey
from catalog.domain.people import AssignedBy
from catalog.domain.timestamps import utc_text
from catalog.identities.decisions.effective import effective_decisions
from catalog.identities.decisions.import_label_decisions import LocalDecisions, decision_key, known_decisions
from catalog.identities.decisions.log import Decision, DecisionStamp, append, read_decisions
from catalog.store.assignments import assign
from catalog.store.face_states import FaceState, face_states
from catalog.store.labels_file import LabeledPerson
from catalog.store.person_index import PersonIndex, all_persons

_EXEMPLARS = 8
"""Faces by which a person is found again on photos that are not scanned yet."""

_LOGIN = "restore"
"""The user of the decisions that await photos."""


@dataclass(frozen=True, slots=True)
class _Label:
    """A face of the file. ``is_decided`` says that a user decided on its person, there or here."""

    key: FaceKey
    person_id: str
    by: AssignedBy
    is_decided: bool


class LabelAssigner:
    """Assigns labeled faces.

    ``decided`` are public ids of persons of the file that a user decided on, there or here. ``protected`` are row ids
    of persons that a user decided on here before the import.
    """

    def __init__(self, connection: Connection, *, decided: Set[str], protected: Set[int]) -> None:
        self._connection = connection
        self._decided = decided
        self._protected = protected
        self._people = PersonIndex.of(all_persons(connection))
        self._local = LocalDecisions(effective_decisions(read_decisions(connection)), self._people)
        self._found: set[str] = set()

    def assign(self, people: Sequence[LabeledPerson], stamp: DecisionStamp) -> int:
        """Assign the faces that the catalogue has. Returns how many.

        A person without a face here is awaited: a decision keeps its exemplars for a later scan.
        """
        labels: dict[str, list[_Label]] = defaultdict(list)
        for person in people:
            for face in person.faces:
                label = _Label(face.key, person.person_id, face.by, person.person_id in self._decided)
                labels[face.key.sha256].append(label)
        assigned: dict[tuple[int, AssignedBy], list[int]] = defaultdict(list)
        for sha256, states in face_states(self._connection, labels.keys()).items():
            for state in states:
                if state.person is not None:
                    state.person = self._people.canonical_row(state.person).id
            for state, label in self._accepted(labels[sha256], states):
                assigned[self._row(label), label.by].append(state.row)
        for (row, by), rows in assigned.items():
            assign(self._connection, [(face, None) for face in rows], row, by, utc_text(stamp.now) or "")
        self._await([person for person in people if person.person_id not in self._found], stamp)
        return sum(map(len, assigned.values()))

    def _accepted(self, labels: Sequence[_Label], states: Sequence[FaceState]) -> Iterator[tuple[FaceState, _Label]]:
        """Yield the faces of one photo that are assigned anew, and note the persons whose faces are here.

        A label with which one gallery agrees already changes nothing, and neither does one that contradicts a decision
        of this catalogue. Of two labels for one face, made by two galleries, a user's label wins, then the better
        overlap.
        """
        candidates: dict[FaceState, list[_Label]] = defaultdict(list)
        for label in labels:
            nearest = _nearest_in_each_gallery(label.key, states)
            if nearest:
                self._found.add(label.person_id)
            row = self._row(label)
            if all(state.person != row for state in nearest) and not self._local.contradict(label.key, label.person_id):
                for state in nearest:
                    candidates[state].append(label)
        for state, rivals in candidates.items():
            label = max(rivals, key=lambda rival: _rank(rival, state))
            row = self._row(label)
            if self._is_allowed(state, label) and (
                label.by is AssignedBy.HUMAN or not _has_other_face(state, row, states)
            ):
                state.person, state.by = row, label.by
                yield state, label

    def _is_allowed(self, state: FaceState, label: _Label) -> bool:
        """True if the label outweighs the assignment that the face has."""
        if state.not_a_face or state.by is AssignedBy.HUMAN:
            return False
        if state.person is None or label.by is AssignedBy.HUMAN:
            return True
        return label.is_decided and state.person not in self._protected

    def _row(self, label: _Label) -> int:
        person = self._people.canonical(label.person_id)
        assert person is not None, "persons are imported before their faces"
        return person.id

    def _await(self, people: Sequence[LabeledPerson], stamp: DecisionStamp) -> None:
        """Append decisions that keep exemplars for photos that are not scanned yet.

        The faces get a machine's assignment then: the file does not make a guess a user's decision.
        """
        numbers_by_key = known_decisions(self._connection)
        for person in people:
            keys = [face.key for face in person.faces[:_EXEMPLARS]]
            exemplars = tuple(key for key in keys if not self._local.contradict(key, person.person_id))
            created = datetime.fromisoformat(person.created_at)
            awaited = Decision(0, created, _LOGIN, Verb.RESTORE, person.person_id)
            if exemplars and not numbers_by_key[decision_key(awaited)]:
                self._append(person.person_id, created, exemplars, stamp)

    def _append(self, person_id: str, created: datetime, exemplars: tuple[FaceKey, ...], stamp: DecisionStamp) -> None:
        of_file = stamp.with_user(_LOGIN, created)
        append(self._connection, Verb.RESTORE, of_file, person_id=person_id, payload=ExemplarsPayload(exemplars))


def _rank(label: _Label, state: FaceState) -> tuple[bool, bool, float]:
    return label.by is AssignedBy.HUMAN, label.is_decided, label.key.box.iou(state.key.box)


def _has_other_face(state: FaceState, person: int, states: Sequence[FaceState]) -> bool:
    """True if another face of the photo in this gallery is the person: a machine assigns one face a photo."""
    return any(rival is not state and rival.gallery == state.gallery and rival.person == person for rival in states)


def _nearest_in_each_gallery(key: FaceKey, states: Sequence[FaceState]) -> list[FaceState]:
    best: dict[tuple[str, str], FaceState] = {}
    for state in sorted(states, key=lambda state: -state.key.box.iou(key.box)):
        if state.key.same(key):
            best.setdefault(state.gallery, state)
    return list(best.values())

"""Replay decisions on faces that were enrolled after them: returned photos, another engine, a new model, a restore.

Decisions name faces by face key. A decision applies to the face of any engine that matches the key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection

from catalog.domain.face_key import FaceKey
from catalog.domain.people import AssignedBy
from catalog.domain.timestamps import utc_text
from catalog.identities.decisions.effective import EffectiveDecisions, effective_decisions
from catalog.identities.decisions.log import read_decisions
from catalog.store.assignments import assign, persons_with_faces, unassign
from catalog.store.decided_rows import set_not_a_face
from catalog.store.face_states import (
    FaceState,
    best_state,
    contents_in_several_galleries,
    face_states,
)
from catalog.store.person_index import PersonIndex, PersonRow, all_persons
from catalog.store.photo_dates import read_photo_dates, set_photo_dates


def replay_decisions(connection: Connection, *, engine: str, gallery: str, now: datetime) -> int:
    """Apply the effective decisions to the faces of a gallery. Returns how many faces changed.

    A face without a decision gets the person of the same face in another gallery.
    """
    effective = effective_decisions(read_decisions(connection))
    replay = _Replay(connection, effective, (engine, gallery), now)
    changed = replay.confirm() + replay.mark_not_faces()
    changed += copy_from_other_galleries(connection, engine=engine, gallery=gallery, now=now)
    changed += replay.reject() + replay.assign_exemplars()
    replay_dates(connection, effective)
    return changed


def replay_dates(connection: Connection, effective: EffectiveDecisions) -> None:
    """Give photos that were recorded after a decision on their date, or again, the decided date."""
    if effective.dates:
        recorded = read_photo_dates(connection, effective.dates)
        wanted = (effective.dates[date.sha256] for date in recorded)
        changed = [date for date, present in zip(wanted, recorded, strict=True) if date != present]
        set_photo_dates(connection, changed)


class _Replay:
    """One replay in one gallery. Every method returns how many faces it changed."""

    def __init__(
        self, connection: Connection, effective: EffectiveDecisions, gallery: tuple[str, str], now: datetime
    ) -> None:
        self._connection = connection
        self._effective = effective
        self._gallery = gallery
        self._now = utc_text(now) or ""
        self._people = PersonIndex.of(all_persons(connection) if effective.concerns_faces else ())

    def confirm(self) -> int:
        changed = 0
        states = self._states(key for key, _ in self._effective.confirmed)
        for key, public_id in self._effective.confirmed:
            person = self._people.canonical(public_id)
            state = best_state(key, states.get(key.sha256, ()))
            if person is None or state is None or (state.person == person.id and state.by is AssignedBy.HUMAN):
                continue
            assign(self._connection, [(state.row, None)], person.id, AssignedBy.HUMAN, self._now)
            changed += 1
        return changed

    def mark_not_faces(self) -> int:
        states = self._states(self._effective.not_faces)
        best = [best_state(key, states.get(key.sha256, ())) for key in self._effective.not_faces]
        rows = [state.row for state in best if state is not None and not state.not_a_face]
        set_not_a_face(self._connection, rows, True)
        unassign(self._connection, rows)
        return len(rows)

    def reject(self) -> int:
        """Unassign faces that a machine assigned to a person that a user rejected for them."""
        states = self._states(key for key, _ in self._effective.rejected)
        rejected = set()
        for key, public_id in self._effective.rejected:
            person = self._people.canonical(public_id)
            state = best_state(key, states.get(key.sha256, ()))
            if person and state and state.person == person.id and state.by is AssignedBy.CLUSTER:
                rejected.add(state.row)
        unassign(self._connection, sorted(rejected))
        return len(rejected)

    def assign_exemplars(self) -> int:
        """Assign unassigned exemplars to their persons.

        Exemplars of a labels file are always assigned; those of a name only if the person has lost all its faces, for
        example with photos that left and returned.
        """
        wanted = self._lost_exemplars() + self._canonical_pairs(self._effective.awaited)
        states = self._states(key for key, _ in wanted)
        changed = 0
        for key, person in wanted:
            state = best_state(key, states.get(key.sha256, ()))
            if state is None or state.person is not None or state.not_a_face or self._is_rejected(key, person):
                continue
            assign(self._connection, [(state.row, None)], person.id, AssignedBy.CLUSTER, self._now)
            state.person = person.id
            changed += 1
        return changed

    def _lost_exemplars(self) -> list[tuple[FaceKey, PersonRow]]:
        pairs = [(key, person) for key, person in self._canonical_pairs(self._effective.exemplars) if person.name]
        with_faces = persons_with_faces(self._connection, sorted({person.id for _, person in pairs}))
        return [(key, person) for key, person in pairs if person.id not in with_faces]

    def _canonical_pairs(self, pairs: Sequence[tuple[FaceKey, str]]) -> list[tuple[FaceKey, PersonRow]]:
        pairs_with_rows = [(key, self._people.canonical(public_id)) for key, public_id in pairs]
        return [(key, person) for key, person in pairs_with_rows if person is not None]

    def _is_rejected(self, key: FaceKey, person: PersonRow) -> bool:
        return any(
            key.same(rejected) and self._people.canonical(public_id) == person
            for rejected, public_id in self._effective.rejected
        )

    def _states(self, keys: Iterable[FaceKey]) -> dict[str, list[FaceState]]:
        return face_states(self._connection, {key.sha256 for key in keys}, gallery=self._gallery)


def copy_from_other_galleries(
    connection: Connection, *, engine: str, gallery: str, now: datetime, overrule: bool = False
) -> int:
    """Assign faces to the persons that the same faces have in other galleries. Returns how many.

    With ``overrule`` faces that a machine assigned are assigned again; those that a user assigned stay.
    """
    contents = contents_in_several_galleries(connection, engine=engine, gallery=gallery, include_machine=overrule)
    changed = 0
    for states in face_states(connection, contents).values():
        own = [state for state in states if state.gallery == (engine, gallery)]
        assigned = [state for state in states if state.gallery != (engine, gallery) and state.person is not None]
        sources: dict[int, FaceState] = {}
        for state in own:
            if state.not_a_face or state.by is AssignedBy.HUMAN or (state.person is not None and not overrule):
                continue
            source = best_state(state.key, assigned)
            if source is not None and source.person != state.person:
                sources[state.row] = source
        for row, source in _without_duplicates(own, sources).items():
            if source.person is not None:
                by = source.by or AssignedBy.CLUSTER
                assign(connection, [(row, None)], source.person, by, utc_text(now) or "")
                changed += 1
    return changed


def _without_duplicates(own: Sequence[FaceState], sources: Mapping[int, FaceState]) -> dict[int, FaceState]:
    """Remove sources that would put a person on one photo twice because of a machine's assignment."""
    remaining = dict(sources)
    while True:
        by_person: dict[int, list[FaceState]] = {}
        for state in own:
            person = remaining[state.row].person if state.row in remaining else state.person
            if person is not None:
                by_person.setdefault(person, []).append(state)
        removed = [
            state.row
            for rivals in by_person.values()
            if len(rivals) > 1
            for state in sorted(rivals, key=lambda state: state.row in remaining)[1:]
            if state.row in remaining and remaining[state.row].by is not AssignedBy.HUMAN
        ]
        if not removed:
            return remaining
        for row in removed:
            del remaining[row]

"""Import a labels file: its names and decisions are added to a catalogue, and what is there stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from catalog.domain.decisions import (
    ChangedPerson,
    Decision,
    NewPerson,
    PriorFace,
    PriorPerson,
    PriorState,
    StatePayload,
    Verb,
)
from catalog.domain.people import AssignedBy
from catalog.domain.timestamps import utc_text
from catalog.identities.decisions.effective import effective_decisions
from catalog.identities.decisions.import_label_decisions import LocalDecisions, add_decisions
from catalog.identities.decisions.import_label_faces import LabelAssigner
from catalog.identities.decisions.log import DecisionStamp, append, read_decisions
from catalog.identities.decisions.replay import replay_decisions
from catalog.store import label_rows
from catalog.store.assignment_lock import lock_persons
from catalog.store.decided_rows import prior_faces
from catalog.store.decision_rows import delete_decisions, forgotten_ids, replace_payload, undone_merges
from catalog.store.labels_file import LabeledPerson, Labels
from catalog.store.person_index import PersonIndex, PersonRow, all_persons
from catalog.store.photo_dates import read_photo_dates
from catalog.store.tombstones import TombstoneIndex, apply_tombstones, erase_decisions, tombstone_index


@dataclass(frozen=True, slots=True)
class LabelImportResult:
    """Counts of what was new in the file. ``number`` is the decision that undoes the import; None if nothing changed.

    ``faces`` were assigned to their persons.
    """

    persons: int
    decisions: int
    faces: int
    tombstones: int
    number: int | None = None


def import_labels(
    connection: Connection,
    labels: Labels,
    stamp: DecisionStamp,
    *,
    engine: str,
    gallery: str,
    name: str | None = None,
) -> LabelImportResult:
    """Add what the catalogue does not have yet. Importing a file twice, or where it was made, changes nothing.

    What the catalogue has stays, and decisions keep their order:

    - A face that a user decided on here keeps that decision.
    - A face that a machine assigned is assigned again if the file has a user's decision on the face. The same holds if
      a user decided on its person in the file (most often by a name) and no user decided on its person here.
    - An unassigned face gets the person that it has in the file.

    Persons that were forgotten, here or where the file was made, stay forgotten. The imported decisions are replayed
    on the faces of the gallery. All of it is one group, whose first decision is ``import`` with the given name; undo
    reverts everything but the tombstones.
    """
    lock_persons(connection)
    forgets = [replace(decision, undone_by=None) for decision in labels.decisions if decision.verb is Verb.FORGET]
    new_tombstones = apply_tombstones(connection, labels.tombstones, forgets, utc_text(stamp.now) or "")
    index = tombstone_index(connection)
    forgotten_persons = _redirecting_to(forgotten_ids(connection), labels.persons)
    people = [
        _without_tombstoned(person, index) for person in labels.persons if person.person_id not in forgotten_persons
    ]
    decided = [
        decision
        for decision in labels.decisions
        if decision.verb is not Verb.FORGET and not _is_about(decision, forgotten_persons, index)
    ]
    stamp = stamp.grouped()
    head = append(connection, Verb.IMPORT, stamp, name=name, payload=StatePayload())
    before = _Snapshot(connection, people, decided)
    local = effective_decisions(read_decisions(connection))
    protected = PersonIndex.of(all_persons(connection)).protected_persons(local.decided_persons)
    new_persons = label_rows.add_persons(connection, people)
    label_rows.name_persons(connection, people)
    label_rows.add_redirects(connection, people, undone_merges(connection))
    index_of_people = PersonIndex.of(all_persons(connection))
    new_decisions = add_decisions(connection, decided, LocalDecisions(local, index_of_people), stamp)
    erase_decisions(connection, forgotten_persons, index)
    assigner = LabelAssigner(
        connection,
        decided=_decided_persons(people, decided),
        protected={index_of_people.canonical_row(row).id for row in protected},
    )
    assigned = assigner.assign(people, stamp)
    assigned += replay_decisions(connection, engine=engine, gallery=gallery, now=stamp.now)
    prior = before.changed(connection)
    if prior == PriorState() and len(read_decisions(connection, after=head)) == 0:
        delete_decisions(connection, [head])
        return LabelImportResult(new_persons, new_decisions, assigned, new_tombstones)
    replace_payload(connection, head, StatePayload(prior))
    return LabelImportResult(new_persons, new_decisions, assigned, new_tombstones, head)


class _Snapshot:
    """The rows that an import may change, before it."""

    def __init__(self, connection: Connection, people: Sequence[LabeledPerson], decided: Sequence[Decision]) -> None:
        contents = {face.key.sha256 for person in people for face in person.faces}
        contents |= {key.sha256 for decision in decided for key in decision.faces}
        merged = [person.person_id for person in people if person.merged_into is not None]
        self._rows = label_rows.face_rows_of(connection, contents, merged)
        self._faces = prior_faces(connection, self._rows)
        self._persons = {person.person_id: person for person in all_persons(connection)}
        self._dates = read_photo_dates(connection, {date.sha256 for decision in decided for date in decision.dates})

    def changed(self, connection: Connection) -> PriorState:
        """Return the prior state of the rows that differ now."""
        ids = {person.id: person.person_id for person in all_persons(connection)}
        persons: list[PriorPerson] = []
        for person in all_persons(connection):
            earlier = self._persons.get(person.person_id)
            if earlier is None:
                persons.append(NewPerson(person.person_id))
            elif earlier != person:
                persons.append(_prior(earlier, ids, has_redirect=earlier.merged_into != person.merged_into))
        now = prior_faces(connection, self._rows)
        faces = [face for face, later in zip(self._faces, now, strict=True) if _assignment(face) != _assignment(later)]
        later_dates = set(read_photo_dates(connection, {date.sha256 for date in self._dates}))
        dates = [date for date in self._dates if date not in later_dates]
        return PriorState(tuple(persons), tuple(faces), tuple(dates))


def _prior(person: PersonRow, ids: dict[int, str], *, has_redirect: bool) -> ChangedPerson:
    merged_into = None if person.merged_into is None else ids.get(person.merged_into)
    return ChangedPerson(
        person.person_id,
        person.name,
        person.hidden,
        person.birth_date,
        person.created_at,
        merged_into=merged_into if has_redirect else None,
        has_redirect=has_redirect,
    )


def _assignment(face: PriorFace) -> tuple[object, ...]:
    return face.person_id, face.by, face.not_a_face


def _decided_persons(people: Sequence[LabeledPerson], decided: Sequence[Decision]) -> set[str]:
    """Return public ids of the persons of a file that a user decided on."""
    named = {person.person_id for person in people if person.name or person.hidden}
    confirmed = {person.person_id for person in people if any(face.by is AssignedBy.HUMAN for face in person.faces)}
    in_log = {
        public_id for decision in decided for public_id in (decision.person_id, decision.other_person_id) if public_id
    }
    return named | confirmed | in_log


def _redirecting_to(forgotten: set[str], people: Sequence[LabeledPerson]) -> set[str]:
    """Return forgotten persons and those of the file that redirect to them, in any number of steps."""
    redirecting = set(forgotten)
    while added := {person.person_id for person in people if person.merged_into in redirecting} - redirecting:
        redirecting |= added
    return redirecting


def _without_tombstoned(person: LabeledPerson, index: TombstoneIndex) -> LabeledPerson:
    return replace(person, faces=tuple(face for face in person.faces if not index.contains(face.key)))


def _is_about(decision: Decision, forgotten_persons: set[str], index: TombstoneIndex) -> bool:
    """True for a decision on a forgotten person or a forgotten face."""
    if {decision.person_id, decision.other_person_id} & forgotten_persons:
        return True
    return decision.face is not None and index.contains(decision.face)

"""Pairs of persons, and of persons and faces, that a user separated: they are not asked about again."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from catalog.domain.decisions import Decision, Verb
from catalog.identities.decisions.effective import effective_decisions
from catalog.store.catalogued_faces import catalogued_faces_by_row, faces_by_content
from catalog.store.decided_rows import canonical_rows
from catalog.store.decision_rows import read_decisions
from catalog.store.person_index import public_ids_of
from catalog.store.review_rows import QuestionRow

_PERSONS = 500
"""Persons of one query."""
_SEPARATING = (Verb.APART, Verb.SPLIT, Verb.REJECT)


@dataclass(frozen=True, slots=True)
class DecidedPairs:
    """``persons`` are pairs of row ids of persons; ``faces`` are the row id of a person and that of a face."""

    persons: frozenset[frozenset[int]]
    faces: frozenset[tuple[int, int]]

    def holds(self, question: QuestionRow) -> bool:
        """True if a user answered the question with no."""
        if question.other is not None:
            return frozenset((question.person, question.other)) in self.persons
        return (question.person, question.face) in self.faces


def read_decided_pairs(
    connection: Connection, persons: Collection[int], questions: Sequence[QuestionRow]
) -> DecidedPairs:
    """The decided pairs with at least one of these persons, which are row ids of canonical persons.

    Of unassigned faces, those that a question is about are considered.
    """
    public_ids = public_ids_of(connection, persons)
    separating = _read(connection, public_ids, _SEPARATING)
    if not any(decision.undone_by is None for decision in separating):
        return DecidedPairs(frozenset(), frozenset())
    if any(decision.verb is not Verb.APART for decision in separating):
        # A later decision about a face ends an earlier rejection.
        verbs = (*_SEPARATING, Verb.CONFIRM, Verb.MERGE)
        separating = _read(connection, public_ids, verbs)
    effective = effective_decisions(separating)
    ids = {public_id for pair in effective.apart for public_id in pair} | {person for _, person in effective.rejected}
    canonical = canonical_rows(connection, ids)
    pairs = {frozenset(canonical[end] for end in pair if end in canonical) for pair in effective.apart}
    questioned = catalogued_faces_by_row(connection, {row.face for row in questions if row.face is not None})
    on_photos = faces_by_content(connection, {key.sha256 for key, _ in effective.rejected})
    decided_faces: set[tuple[int, int]] = set()
    for key, public_id in effective.rejected:
        if public_id not in canonical:
            continue
        person = canonical[public_id]
        decided_faces |= {(person, row) for row, face in questioned.items() if face.place.same(key)}
        holders = {face.person_id for face in on_photos.get(key.sha256, ()) if face.person_id and face.place.same(key)}
        pairs |= {frozenset((person, holder)) for holder in canonical_rows(connection, holders).values()}
    return DecidedPairs(frozenset(pairs), frozenset(decided_faces))


def _read(connection: Connection, public_ids: Sequence[str], verbs: Collection[Verb]) -> list[Decision]:
    """The decisions about these persons, oldest first."""
    decisions = {
        decision.number: decision
        for start in range(0, len(public_ids), _PERSONS)
        for decision in read_decisions(connection, person_ids=public_ids[start : start + _PERSONS], verbs=verbs)
    }
    return [decisions[number] for number in sorted(decisions)]

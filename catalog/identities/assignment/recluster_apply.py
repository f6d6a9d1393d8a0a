"""Apply a clustering from scratch, as far as its changes are still valid."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from catalog.domain.decisions import ReclusterPayload, Verb
from catalog.domain.people import AssignedBy
from catalog.domain.timestamps import utc_text
from catalog.identities.assignment.recluster_plan import FaceMove, ReclusterPlan
from catalog.identities.decisions.effective import EffectiveDecisions, effective_decisions
from catalog.identities.decisions.log import DecisionStamp, append, read_decisions
from catalog.store.assignment_lock import assignment_lock, lock_persons
from catalog.store.assignments import (
    Assignment,
    assign,
    has_faces,
    insert_assignments,
    read_assignments,
    rows_beside_person,
    unassign,
)
from catalog.store.catalogued_faces import faces_by_content
from catalog.store.database import Database
from catalog.store.face_rows import present_rows
from catalog.store.people import add_persons, redirect
from catalog.store.person_index import PersonIndex, PersonRow, all_persons


@dataclass(frozen=True, slots=True)
class ReclusterResult:
    """Changes that were made. ``moved`` counts faces that left a person; ``redirected`` maps ids to their new ids."""

    moved: int
    persons_new: int
    redirected: dict[str, str]


def apply_recluster(database: Database, plan: ReclusterPlan, stamp: DecisionStamp) -> ReclusterResult:
    """Apply the plan. Decisions made since it was planned take precedence.

    Appends a decision, which cannot be undone.
    """
    with assignment_lock(database), database.begin() as connection:
        lock_persons(connection)
        people = PersonIndex.of(all_persons(connection))
        effective = effective_decisions(read_decisions(connection))
        moves = [(move, _still_valid(connection, move, people)) for move in plan.moves]
        # All moves at once: a face may only join a photo's person after the face before it left.
        waiting = read_assignments(connection, [row for _, rows in moves for row in rows])
        unassign(connection, list(waiting))
        rejected = _rejected_rows(connection, effective, people)
        new_persons: dict[int, PersonRow] = {}
        moved = 0
        for move, rows in moves:
            target = None if move.target is None else people.canonical(move.target)
            if target is None and move.to_new is not None and rows:
                if move.to_new not in new_persons:
                    (new_persons[move.to_new],) = add_persons(connection, 1, stamp.now)
                target = new_persons[move.to_new]
            if target is None:
                continue
            beside = _beside_person(connection, rows, target.id, plan)
            joining = [row for row in rows if row not in beside and (row, target.id) not in rejected]
            similarities = dict(zip(move.rows, move.similarities, strict=True))
            with_similarity = [(row, similarities[row]) for row in joining]
            assign(connection, with_similarity, target.id, AssignedBy.CLUSTER, utc_text(stamp.now) or "")
            moved += sum(row in waiting for row in joining)
            for row in joining:
                waiting.pop(row, None)
        _assign_again(connection, waiting, plan)
        redirected = _redirect(connection, plan, effective, people)
        result = ReclusterResult(moved, len(new_persons), redirected)
        _append(connection, result, stamp)
    return result


def _append(connection: Connection, result: ReclusterResult, stamp: DecisionStamp) -> None:
    payload = ReclusterPayload(result.moved, result.persons_new, result.redirected)
    append(connection, Verb.RECLUSTER, stamp, payload=payload)


def _still_valid(connection: Connection, move: FaceMove, people: PersonIndex) -> list[int]:
    """The faces of a move that still belong to its source, without a decision."""
    present = present_rows(connection, move.rows)
    assignments = read_assignments(connection, move.rows)
    source = people.by_public_id.get(move.source or "")
    if move.source is not None and source is None:
        return []  # forgotten since
    return [row for row in move.rows if row in present and _belongs_to(assignments.get(row), source)]


def _belongs_to(assignment: Assignment | None, source: PersonRow | None) -> bool:
    if assignment is None or source is None:
        return assignment is None and source is None
    return assignment.person == source.id and assignment.by is AssignedBy.CLUSTER


def _rejected_rows(connection: Connection, effective: EffectiveDecisions, people: PersonIndex) -> set[tuple[int, int]]:
    """Row ids of faces with the row id of a person that they are not."""
    on_photos = faces_by_content(connection, {key.sha256 for key, _ in effective.rejected})
    return {
        (face.row, person.id)
        for key, public_id in effective.rejected
        if (person := people.canonical(public_id)) is not None
        for face in on_photos.get(key.sha256, ())
        if face.place.same(key)
    }


def _beside_person(connection: Connection, rows: Sequence[int], person: int, plan: ReclusterPlan) -> set[int]:
    """Those of the faces that have another face of the person on their photo which is not their copy."""
    return {row for row, beside in rows_beside_person(connection, rows, person) if (row, beside) not in plan.copies}


def _assign_again(connection: Connection, waiting: Mapping[int, Assignment], plan: ReclusterPlan) -> None:
    """Return faces that no move took to their person, unless another face of it is on the photo now."""
    by_person: dict[int, list[Assignment]] = defaultdict(list)
    for assignment in waiting.values():
        by_person[assignment.person].append(assignment)
    for person, assignments in by_person.items():
        beside = _beside_person(connection, [assignment.face for assignment in assignments], person, plan)
        insert_assignments(connection, [assignment for assignment in assignments if assignment.face not in beside])


def _redirect(
    connection: Connection, plan: ReclusterPlan, effective: EffectiveDecisions, people: PersonIndex
) -> dict[str, str]:
    """Redirect emptied ids, unless they have a face in any gallery or became protected since."""
    protected = people.protected_persons(effective.decided_persons)
    redirected = {}
    for emptied, target in plan.emptied.items():
        source, canonical_target = people.canonical(emptied), people.canonical(target)
        if source is None or canonical_target is None or source.id == canonical_target.id or source.id in protected:
            continue
        if not has_faces(connection, source.id):
            redirect(connection, source, canonical_target)
            redirected[emptied] = target
    return redirected

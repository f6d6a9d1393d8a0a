"""Assign people after a scan. New faces join persons; existing assignments are kept.

The steps: replay decisions, run the neighbor searches that are worth their charge, cluster with the present persons,
write assignments. Each step is idempotent: after a kill the next run continues.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy import Connection

from catalog.domain.charges import Charge
from catalog.domain.engine import Engine
from catalog.domain.people import AssignedBy
from catalog.domain.timestamps import utc_text
from catalog.identities.assignment.gallery_clustering import GroupingRules, cluster_faces, face_table_of
from catalog.identities.assignment.neighbor_searches import run_neighbor_searches
from catalog.identities.assignment.person_constraints import are_separate, indexes_of_keys, keep_assignments
from catalog.identities.assignment.same_photo_faces import classify_same_photo_pairs
from catalog.identities.clustering.arrays import Floats, Ints
from catalog.identities.clustering.face_table import FaceTable
from catalog.identities.decisions.effective import EffectiveDecisions, effective_decisions
from catalog.identities.decisions.forget import purge_tombstoned_faces
from catalog.identities.decisions.log import read_decisions
from catalog.identities.decisions.replay import replay_decisions
from catalog.store import pending_removals
from catalog.store.assignment_lock import assignment_lock, lock_persons
from catalog.store.assignments import Assignment, insert_missing, machine_pairs_on_photos, move_assignments
from catalog.store.database import Database
from catalog.store.face_rows import human_person_by_face_row, person_by_face_row, present_rows
from catalog.store.people import add_persons, redirect
from catalog.store.person_index import PersonIndex, PersonRow, all_persons, count_persons

_ATTEMPTS = 3
"""A scan of another folder may remove faces from the gallery while they are clustered."""


@dataclass(frozen=True, slots=True)
class AssignmentResult:
    """Counts of one run.

    ``churn`` counts faces that a machine separated from faces of their person; decisions do not count. It also counts
    faces that a replay took from the person that a user had assigned: the log then contradicts the assignments.
    ``conflicts`` counts persons that a machine assigned twice on one photo, copies of one face left out.
    """

    faces_assigned: int = 0
    persons_new: int = 0
    persons_merged: int = 0
    persons_deleted: int = 0
    churn: int = 0
    conflicts: int = 0
    searches: int = 0
    charges: tuple[Charge, ...] = ()


def assign_people(
    database: Database,
    engine: Engine,
    rules: GroupingRules,
    *,
    gallery: str,
    region: str = "",
    scan_id: int | None,
    now: datetime,
    compared: Set[int] = frozenset(),
) -> AssignmentResult:
    """Assign a person to every new face. Waits for the assignment lock.

    ``compared`` are row ids of persons who got faces by decisions: other persons may be merged into them. Raises what
    the engine raises; searches paid so far are stored.
    """
    with assignment_lock(database) as check_lock:
        return _assign(database, engine, rules, gallery, region, scan_id, now, compared, check_lock)


def _assign(
    database: Database,
    engine: Engine,
    rules: GroupingRules,
    gallery: str,
    region: str,
    scan_id: int | None,
    now: datetime,
    compared: Set[int],
    check_lock: Callable[[], None],
) -> AssignmentResult:
    with database.begin() as connection:
        lock_persons(connection)
        purge_tombstoned_faces(connection, engine=engine.name, gallery=gallery, now=utc_text(now) or "")
        confirmed = human_person_by_face_row(connection, engine=engine.name, gallery=gallery)
        replay_decisions(connection, engine=engine.name, gallery=gallery, now=now)
        replayed = person_by_face_row(connection, engine=engine.name, gallery=gallery) if confirmed else {}
        taken_count = sum(replayed.get(row, person) != person for row, person in confirmed.items())
    pending_removals.drain(database, engine.remove, engine.name, gallery)
    charges: list[Charge] = []
    if engine.group_means is None:
        with database.read() as connection:
            table = face_table_of(connection, engine, rules, gallery)
        charges = run_neighbor_searches(database, engine, table, rules.search, region=region, scan_id=scan_id, now=now)
    for attempts_left in reversed(range(_ATTEMPTS)):
        try:
            table, people, copies, labels, similarity = _cluster(database, engine, rules, gallery, compared)
            break
        except KeyError:
            if not attempts_left:
                raise
    groups = _groups_to_change(table, labels)
    check_lock()
    with database.begin() as connection:
        # A user may have decided, or forgotten a person, while faces were clustered.
        lock_persons(connection)
        person_by_row = person_by_face_row(connection, engine=engine.name, gallery=gallery)
        unassigned = table.row_ids[table.person < 0].tolist()
        free = present_rows(connection, [row for row in unassigned if person_by_row.get(row, 0) < 0])
        effective = effective_decisions(read_decisions(connection))
        persons_new, persons_merged, assigned = _write(
            connection, table, groups, free, effective, copies, similarity, now
        )
    with database.read() as connection:
        after = person_by_face_row(connection, engine=engine.name, gallery=gallery)
        persons_left = count_persons(connection)
        on_photos = machine_pairs_on_photos(connection, engine=engine.name, gallery=gallery)
        conflicts = len({person for person, row_a, row_b in on_photos if (row_a, row_b) not in copies})
    return AssignmentResult(
        faces_assigned=assigned,
        persons_new=persons_new,
        persons_merged=persons_merged,
        persons_deleted=max(0, len(people.rows) + persons_new - persons_left),
        churn=taken_count + count_churn(table, after),
        conflicts=conflicts,
        searches=sum(charge.calls for charge in charges),
        charges=tuple(charges),
    )


def _cluster(
    database: Database, engine: Engine, rules: GroupingRules, gallery: str, compared: Set[int]
) -> tuple[FaceTable, PersonIndex, frozenset[tuple[int, int]], Ints, Floats]:
    """The present faces with their copies and groups. Raises KeyError if the gallery lost a face meanwhile."""
    with database.read() as connection:
        table = face_table_of(connection, engine, rules, gallery)
        effective = effective_decisions(read_decisions(connection))
        people = PersonIndex.of(all_persons(connection))
        same_photo = classify_same_photo_pairs(connection, engine, table, rules, effective, people)
        constraints = keep_assignments(connection, table, same_photo, effective, people)
        is_first_run = bool((table.person < 0).all())
        labels, similarity = cluster_faces(
            connection, engine, table, constraints, rules, gallery, is_first_run=is_first_run, compared=compared
        )
    return table, people, same_photo.copies_of_rows(table.row_ids), labels, similarity


def _groups_to_change(table: FaceTable, labels: Ints) -> list[list[int]]:
    """Groups with an unassigned face or with several persons, as indexes of their faces."""
    members: dict[int, list[int]] = defaultdict(list)
    for index, label in enumerate(labels.tolist()):
        members[label].append(index)
    person = table.person.tolist()
    return [group for group in members.values() if len({person[index] for index in group}) > 1 or person[group[0]] < 0]


def _write(
    connection: Connection,
    table: FaceTable,
    groups: Sequence[Sequence[int]],
    free: Set[int],
    effective: EffectiveDecisions,
    copies: Set[tuple[int, int]],
    similarity: Floats,
    now: datetime,
) -> tuple[int, int, int]:
    """Write the groups; only faces whose row ids are in ``free`` are assigned.

    Returns the counts of new persons, merged persons and assigned faces.
    """
    people = PersonIndex.of(all_persons(connection))
    protected = people.protected_persons(effective.decided_persons)
    rejected = _rejected_persons(connection, table, effective, people)
    new_groups = [
        number
        for number, group in enumerate(groups)
        if (table.person[list(group)] < 0).all()
        and any(table.is_seed[index] and int(table.row_ids[index]) in free for index in group)
    ]
    new_persons = dict(zip(new_groups, add_persons(connection, len(new_groups), now), strict=True))
    merged, assigned_at = 0, utc_text(now) or ""
    new_assignments: list[Assignment] = []
    for number, group in enumerate(groups):
        in_group = {people.canonical_row(row) for row in table.person[list(group)].tolist() if row in people.rows}
        if in_group:
            person, *duplicates = sorted(in_group, key=lambda row: (row.id not in protected, row.id))
            for duplicate in duplicates:
                if duplicate.id not in protected and not are_separate(
                    connection, effective, people, duplicate, person, copies
                ):
                    move_assignments(connection, duplicate.id, person.id)
                    redirect(connection, duplicate, person)
                    merged += 1
        elif number in new_persons:
            person = new_persons[number]
        else:
            continue
        new_assignments += [
            _assignment(table, index, person, similarity, assigned_at)
            for index in group
            if int(table.row_ids[index]) in free and (index, person.id) not in rejected
        ]
    return len(new_persons), merged, insert_missing(connection, new_assignments)


def _rejected_persons(
    connection: Connection, table: FaceTable, effective: EffectiveDecisions, people: PersonIndex
) -> set[tuple[int, int]]:
    """Indexes of faces with the row id of a person that they are not.

    Read again before writing, because a user may have rejected a face while faces were clustered.
    """
    indexes = indexes_of_keys(connection, table, [key for key, _ in effective.rejected])
    persons = [people.canonical(public_id) for _, public_id in effective.rejected]
    return {
        (index, person.id) for index, person in zip(indexes, persons, strict=True) if index >= 0 and person is not None
    }


def _assignment(table: FaceTable, index: int, person: PersonRow, similarity: Floats, assigned_at: str) -> Assignment:
    value = float(similarity[index])
    return Assignment(
        face=int(table.row_ids[index]),
        person=person.id,
        by=AssignedBy.CLUSTER,
        similarity=None if np.isnan(value) else round(value, 4),
        assigned_at=assigned_at,
    )


def count_churn(before: FaceTable, after: Mapping[int, int]) -> int:
    """Count faces that no longer share a person with a face they shared one with before.

    ``after`` is the person by row id of the face, -1 for none. Faces that left the gallery do not count.
    """
    removed = -2
    now = np.array([after.get(row, removed) for row in before.row_ids.tolist()], dtype=np.int64)
    is_compared = (before.person >= 0) & (now != removed)
    if not is_compared.any():
        return 0
    old, new = before.person[is_compared], now[is_compared]
    _, old = np.unique(old, return_inverse=True)
    pairs, count = np.unique(np.stack((old, new), axis=1), axis=0, return_counts=True)
    is_separated = (pairs[:, 1] < 0) | (count < np.bincount(old)[pairs[:, 0]])
    return int(count[is_separated].sum())

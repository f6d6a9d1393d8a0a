"""Plan a clustering from scratch: the changes that it would make.

Only faces without a decision may move. The faces of decisions are fixed first: confirmed faces, all faces of persons
that were merged, and one face of every other protected person. Fixed faces of two persons never share a group. A group
with a fixed face belongs to that person, and a person may own several groups, for example the child and the adult.
Other persons keep the group with most of their faces. A person that is left without a face redirects to the person that
most of its faces went to.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace

import numpy as np
from sqlalchemy import Connection

from catalog.domain.engine import Engine
from catalog.identities.assignment.gallery_clustering import GroupingRules, cluster_faces, face_table_of
from catalog.identities.assignment.person_constraints import before_birth_pairs, indexes_of_keys
from catalog.identities.assignment.same_photo_faces import classify_same_photo_pairs
from catalog.identities.clustering.arrays import Floats, Ints
from catalog.identities.clustering.constraints import Constraints
from catalog.identities.clustering.face_table import FaceTable
from catalog.identities.clustering.same_photo import SamePhotoPairs
from catalog.identities.decisions.effective import EffectiveDecisions, effective_decisions
from catalog.identities.decisions.log import read_decisions
from catalog.store.database import Database
from catalog.store.person_index import PersonIndex, all_persons


@dataclass(frozen=True, slots=True)
class FaceMove:
    """Faces of one person that would belong to another person. None is no person; ``to_new`` numbers new persons.

    ``rows`` are row ids of faces. ``similarities``, 0-100, are to the other faces of the new group.
    """

    source: str | None
    target: str | None
    to_new: int | None
    rows: tuple[int, ...]
    similarities: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class ReclusterPlan:
    """Changes of a clustering from scratch. ``emptied`` maps ids that lose all faces to the ids they redirect to.

    ``copies`` are row ids of faces that are copies of one face on one photo, in both orders.
    """

    faces: int
    moves: tuple[FaceMove, ...]
    persons_new: int
    emptied: dict[str, str]
    copies: frozenset[tuple[int, int]] = frozenset()

    @property
    def moved(self) -> int:
        return sum(len(move.rows) for move in self.moves if move.source is not None)


def plan_recluster(database: Database, engine: Engine, rules: GroupingRules, *, gallery: str) -> ReclusterPlan:
    """Compute the changes. Nothing is written, and no paid search is run."""
    with database.read() as connection:
        table = face_table_of(connection, engine, rules, gallery)
        effective = effective_decisions(read_decisions(connection))
        people = PersonIndex.of(all_persons(connection))
        fixed = _fixed_persons(table, effective, people)
        blank = replace(table, person=np.full(len(table), -1, dtype=np.int64))
        same_photo = classify_same_photo_pairs(connection, engine, table, rules, effective, people, with_protected=True)
        constraints = _constraints(connection, table, fixed, same_photo, effective, people)
        labels, similarity = cluster_faces(connection, engine, blank, constraints, rules, gallery, is_first_run=True)
    return _plan(table, fixed, same_photo, labels, similarity, people)


def _fixed_persons(table: FaceTable, effective: EffectiveDecisions, people: PersonIndex) -> Ints:
    """The person of each face that may not move, -1 for the others."""
    fixed = np.where(table.is_human, table.person, -1)
    merged = {person.id for person in map(people.canonical, effective.merged) if person is not None}
    fixed = np.where(np.isin(table.person, list(merged)), table.person, fixed)
    for person in people.protected_persons(effective.decided_persons):
        free = np.flatnonzero((table.person == person) & (fixed < 0))
        if len(free):
            best = free[np.argmax(table.quality[free])]
            fixed[best] = person
    return fixed


def _constraints(
    connection: Connection,
    table: FaceTable,
    fixed: Ints,
    same_photo: SamePhotoPairs,
    effective: EffectiveDecisions,
    people: PersonIndex,
) -> Constraints:
    """Two faces of one photo, fixed faces of two persons, and a face and the person it is not, never share a group."""
    cannot_link = [same_photo.cannot_link]
    rejected = indexes_of_keys(connection, table, [key for key, _ in effective.rejected])
    for face, (_, public_id) in zip(rejected, effective.rejected, strict=True):
        person = people.canonical(public_id)
        if face >= 0 and person is not None:
            cannot_link.append(_pairs_with(face, np.flatnonzero(fixed == person.id)))
    for early, face in before_birth_pairs(replace(table, person=fixed), people, _first_faces(fixed)).tolist():
        cannot_link.append(_pairs_with(early, np.flatnonzero(fixed == fixed[face])))
    return Constraints(
        cannot_link=np.concatenate(cannot_link),
        separation_groups=fixed,
        seed_faces=table.is_seed,
        doubtful_faces=same_photo.doubtful_faces(len(table)),
        demographics=table.demographics.with_persons(fixed, people.birth_years()),
    )


def _pairs_with(face: int, faces: Ints) -> Ints:
    return np.stack((np.full(len(faces), face, dtype=np.int64), faces), axis=1)


def _first_faces(fixed: Ints) -> dict[int, int]:
    """The first fixed face of each person, by index."""
    ids, first = np.unique(fixed, return_index=True)
    return {person: face for person, face in zip(ids.tolist(), first.tolist(), strict=True) if person >= 0}


@dataclass(slots=True)
class _Changes:
    """Moves by present person (-1 for none) and group, and counts that decide which persons lose all faces."""

    moves: dict[tuple[int, int], list[int]] = field(default_factory=lambda: defaultdict(list))
    targets: dict[int, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    """By person: how many of its faces each other person gets."""
    new_persons: dict[int, int] = field(default_factory=dict)
    """Number of the new person of a group."""
    persons_kept: set[int] = field(default_factory=set)


def _plan(
    table: FaceTable,
    fixed: Ints,
    same_photo: SamePhotoPairs,
    labels: Ints,
    similarity: Floats,
    people: PersonIndex,
) -> ReclusterPlan:
    members: dict[int, list[int]] = defaultdict(list)
    for index, label in enumerate(labels.tolist()):
        members[label].append(index)
    owner = _owners(table, fixed, members)
    copies = same_photo.copies_of_rows(np.arange(len(table)))
    changes = _changes(table, members, owner, _second_on_photo(table, fixed, members, owner, copies))
    return ReclusterPlan(
        faces=len(table),
        moves=tuple(
            FaceMove(
                source=people.rows[source].person_id if source >= 0 else None,
                target=people.rows[owner[label]].person_id if label in owner else None,
                to_new=changes.new_persons.get(label),
                rows=tuple(table.row_ids[faces].tolist()),
                similarities=tuple(None if np.isnan(value) else round(float(value), 4) for value in similarity[faces]),
            )
            for (source, label), faces in changes.moves.items()
        ),
        persons_new=len(changes.new_persons),
        emptied=_emptied(table, changes, people),
        copies=same_photo.copies_of_rows(table.row_ids),
    )


def _changes(
    table: FaceTable, members: Mapping[int, Sequence[int]], owner: Mapping[int, int], second: set[int]
) -> _Changes:
    changes = _Changes()
    for label, group in sorted(members.items()):
        person = owner.get(label)
        if person is None and not table.is_seed[group].any():
            continue  # no seed face: the group becomes no person, and its faces stay where they are
        for index in group:
            source = int(table.person[index])
            if source >= 0 and (source == person or index in second):
                changes.persons_kept.add(source)
                continue
            if index in second:
                continue
            if person is None:
                changes.new_persons.setdefault(label, len(changes.new_persons))
            changes.moves[source, label].append(index)
            if person is not None and source >= 0:
                changes.targets[source][person] += 1
    return changes


def _second_on_photo(
    table: FaceTable,
    fixed: Ints,
    members: Mapping[int, Sequence[int]],
    owner: Mapping[int, int],
    copies: Set[tuple[int, int]],
) -> set[int]:
    """Faces that would be the second of their person on a photo, because another group of the person has one there.

    A copy of that face is no second one.
    """
    occupied: dict[tuple[int, int], list[int]] = defaultdict(list)
    for index in np.flatnonzero(fixed >= 0).tolist():
        occupied[int(fixed[index]), int(table.photo[index])].append(index)
    second = set()
    for label in sorted(owner, key=lambda label: -len(members[label])):
        free = [index for index in members[label] if fixed[index] < 0]
        for index in free:
            beside = occupied.get((owner[label], int(table.photo[index])), ())
            if any((index, occupant) not in copies for occupant in beside):
                second.add(index)
        for index in free:
            occupied[owner[label], int(table.photo[index])].append(index)
    return second


def _owners(table: FaceTable, fixed: Ints, members: Mapping[int, Sequence[int]]) -> dict[int, int]:
    """The person of each group: that of its fixed faces, else the person that shares most faces with it.

    A person without fixed faces owns one group at most.
    """
    owner: dict[int, int] = {}
    shared: list[tuple[int, int, int]] = []
    for label, group in members.items():
        fixed_persons = {int(fixed[index]) for index in group} - {-1}
        if fixed_persons:
            (owner[label],) = fixed_persons
            continue
        for person, count in Counter(int(table.person[index]) for index in group if table.person[index] >= 0).items():
            shared.append((-count, person, label))
    owning = set(owner.values())
    for _, person, label in sorted(shared):
        if label not in owner and person not in owning:
            owner[label] = person
            owning.add(person)
    return owner


def _emptied(table: FaceTable, changes: _Changes, people: PersonIndex) -> dict[str, str]:
    leaving: Counter[int] = Counter()
    for (source, _), faces in changes.moves.items():
        leaving[source] += len(faces)
    face_counts = Counter(table.person.tolist())
    return {
        people.rows[source].person_id: people.rows[changes.targets[source].most_common(1)[0][0]].person_id
        for source, count in leaving.items()
        if source >= 0
        and source not in changes.persons_kept
        and count == face_counts[source]
        and changes.targets[source]
    }

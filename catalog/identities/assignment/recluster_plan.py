"""Clustering anew, from the beginning: what would change, and then, if wanted, the change.

Only faces that nobody decided on may move. What humans decided is fixed first: confirmed faces, all faces of persons
that were merged, one face of every other person about whom anything was said. Fixed faces of two persons never meet,
and whatever gathers around a fixed face is that person, be it in one group or in several: a child and the adult. Other
ids stay with the largest share of their faces; an id that is left without a face redirects to where most of them went.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from sqlalchemy import Connection

from catalog.domain.engine import Engine
from catalog.identities.assignment.assign_people import GroupingRules, cluster_faces, face_table_of
from catalog.identities.assignment.person_constraints import before_birth, indexes_of_keys
from catalog.identities.clustering.face_table import FaceTable, same_photo_pairs
from catalog.identities.clustering.similarity_graph import Constraints, Floats, Ints
from catalog.identities.decisions.log import EffectiveDecisions, effective_decisions, read_decisions
from catalog.store.database import Database
from catalog.store.person_index import PersonIndex, all_persons


@dataclass(frozen=True, slots=True)
class FaceMove:
    """Faces of one person that would belong to another. None is nobody; ``to_new`` numbers new persons.

    ``rows`` are row ids of faces, ``similarities`` how alike each is to its new company, 0-100.
    """

    source: str | None
    target: str | None
    to_new: int | None
    rows: tuple[int, ...]
    similarities: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class ReclusterPlan:
    """What clustering anew would change. ``emptied`` maps ids that lose all faces to the ids they would lead to."""

    faces: int
    moves: tuple[FaceMove, ...]
    persons_new: int
    emptied: dict[str, str]

    @property
    def moved(self) -> int:
        return sum(len(move.rows) for move in self.moves if move.source is not None)


def plan_recluster(database: Database, engine: Engine, rules: GroupingRules, *, gallery: str) -> ReclusterPlan:
    """Work out the change; nothing is written and no search is bought."""
    with database.read() as connection:
        roster = face_table_of(connection, engine, rules, gallery)
        said = effective_decisions(read_decisions(connection))
        people = PersonIndex.of(all_persons(connection))
        fixed = _fixed(roster, said, people)
        blank = replace(roster, person=np.full(len(roster), -1, dtype=np.int64))
        bonds = _bonds(connection, roster, fixed, said, people)
        labels, likeness = cluster_faces(connection, engine, blank, bonds, rules, gallery, first=True)
    return _plan(roster, fixed, labels, likeness, people)


def _fixed(roster: FaceTable, said: EffectiveDecisions, people: PersonIndex) -> Ints:
    """The person of each face that may not move, -1 for the others."""
    fixed = np.where(roster.human, roster.person, -1)
    whole = {person.id for person in map(people.canonical, said.merged) if person is not None}
    fixed = np.where(np.isin(roster.person, list(whole)), roster.person, fixed)
    for person in people.protected_persons(said.touched):
        own = np.flatnonzero((roster.person == person) & (fixed < 0))
        if len(own):
            best = own[np.argmax(roster.quality[own])]
            fixed[best] = person
    return fixed


def _bonds(
    connection: Connection, roster: FaceTable, fixed: Ints, said: EffectiveDecisions, people: PersonIndex
) -> Constraints:
    """Two faces of one photo stay apart, and so do fixed faces of two persons, and a face from whom it is not."""
    apart = [same_photo_pairs(roster.photo)]
    at = indexes_of_keys(connection, roster, [place for place, _ in said.refusals])
    for face, (_, public) in zip(at, said.refusals, strict=True):
        person = people.canonical(public)
        if face >= 0 and person is not None:
            theirs = np.flatnonzero(fixed == person.id)
            apart.append(np.stack((np.full(len(theirs), face, dtype=np.int64), theirs), axis=1))
    for early, one in before_birth(replace(roster, person=fixed), people, _lead(fixed)).tolist():
        theirs = np.flatnonzero(fixed == fixed[one])
        apart.append(np.stack((np.full(len(theirs), early, dtype=np.int64), theirs), axis=1))
    apparent = roster.apparent.settled(fixed, people.birth_years())
    return Constraints(
        cannot_link=np.concatenate(apart), separation_groups=fixed, founders=roster.founder, apparent=apparent
    )


def _lead(fixed: Ints) -> dict[int, int]:
    """One face of each person that has a fixed one, by position."""
    ids, first = np.unique(fixed, return_index=True)
    return {person: at for person, at in zip(ids.tolist(), first.tolist(), strict=True) if person >= 0}


def _plan(roster: FaceTable, fixed: Ints, labels: Ints, likeness: Floats, people: PersonIndex) -> ReclusterPlan:
    members: dict[int, list[int]] = defaultdict(list)
    for at, label in enumerate(labels.tolist()):
        members[label].append(at)
    owner = _owners(roster, fixed, members)
    crowded = _crowded(roster, fixed, members, owner)
    moves: dict[tuple[int, int], list[int]] = defaultdict(list)
    went: dict[int, Counter[int]] = defaultdict(Counter)
    new: dict[int, int] = {}
    kept: set[int] = set()
    for label, some in sorted(members.items()):
        person = owner.get(label)
        if person is None and not roster.founder[some].any():
            continue  # poor faces alone make nobody: those that have a person stay with it
        for at in some:
            was = int(roster.person[at])
            if was >= 0 and (was == person or at in crowded):
                kept.add(was)
                continue
            if at in crowded:
                continue
            if person is None:
                new.setdefault(label, len(new))
            moves[was, label].append(at)
            if person is not None and was >= 0:
                went[was][person] += 1
    emptied = _emptied(roster, moves, kept, went, people)
    return ReclusterPlan(
        faces=len(roster),
        moves=tuple(
            FaceMove(
                source=people.rows[was].person_id if was >= 0 else None,
                target=people.rows[owner[label]].person_id if label in owner else None,
                to_new=new.get(label),
                rows=tuple(roster.rows[some].tolist()),
                similarities=tuple(None if np.isnan(each) else round(float(each), 4) for each in likeness[some]),
            )
            for (was, label), some in moves.items()
        ),
        persons_new=len(new),
        emptied=emptied,
    )


def _crowded(
    roster: FaceTable, fixed: Ints, members: Mapping[int, Sequence[int]], owner: Mapping[int, int]
) -> set[int]:
    """Faces that would be the second of a person on a photo: another group of that person has one there already."""
    seen: set[tuple[int, int]] = {
        (person, photo) for person, photo in zip(fixed.tolist(), roster.photo.tolist(), strict=True) if person >= 0
    }
    crowded = set()
    for label in sorted(owner, key=lambda label: -len(members[label])):
        free = [at for at in members[label] if fixed[at] < 0]
        crowded |= {at for at in free if (owner[label], int(roster.photo[at])) in seen}
        seen |= {(owner[label], int(roster.photo[at])) for at in free}
    return crowded


def _owners(roster: FaceTable, fixed: Ints, members: dict[int, list[int]]) -> dict[int, int]:
    """The person of each group: that of its fixed faces, else the one it shares most faces with, one group a person."""
    owner: dict[int, int] = {}
    claims: list[tuple[int, int, int]] = []
    for label, some in members.items():
        bound = {int(fixed[at]) for at in some} - {-1}
        if bound:
            (owner[label],) = bound
            continue
        for person, count in Counter(int(roster.person[at]) for at in some if roster.person[at] >= 0).items():
            claims.append((-count, person, label))
    taken = set(owner.values())
    for _, person, label in sorted(claims):
        if label not in owner and person not in taken:
            owner[label] = person
            taken.add(person)
    return owner


def _emptied(
    roster: FaceTable,
    moves: dict[tuple[int, int], list[int]],
    kept: set[int],
    went: dict[int, Counter[int]],
    people: PersonIndex,
) -> dict[str, str]:
    leaving: Counter[int] = Counter()
    for (was, _), rows in moves.items():
        leaving[was] += len(rows)
    held = Counter(roster.person.tolist())
    return {
        people.rows[was].person_id: people.rows[went[was].most_common(1)[0][0]].person_id
        for was, count in leaving.items()
        if was >= 0 and was not in kept and count == held[was] and went[was]
    }

"""Clustering anew, from the beginning: what would change, and then, if wanted, the change.

Only faces that nobody decided on may move. What humans decided is fixed first: confirmed faces, all faces of persons
that were merged, one face of every other person about whom anything was said. Fixed faces of two persons never meet,
and whatever gathers around a fixed face is that person, be it in one group or in several: a child and the adult. Other
ids stay with the largest share of their faces; an id that is left without a face redirects to where most of them went.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from sqlalchemy import Connection, select

from catalog.engines.base import Engine
from catalog.identities.assign import Rules, cluster_roster, roster_of
from catalog.identities.bonds import People, positions
from catalog.identities.graph import Constraints, Ints
from catalog.identities.ledger import Standing, read_ledger, standing
from catalog.identities.roster import Roster, rows_still_there, same_photo_pairs
from catalog.store.database import Database
from catalog.store.people import PersonRow, add_persons, all_persons, assign, redirect
from catalog.store.tables import assignments, utc_text
from catalog.store.turns import turn
from catalog.vocabulary import AssignedBy


@dataclass(frozen=True, slots=True)
class Move:
    """So many faces of one person that would belong to another. None is nobody; ``to_new`` numbers new persons."""

    source: str | None
    target: str | None
    to_new: int | None
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Recluster:
    """What clustering anew would change. ``emptied`` maps ids that lose all faces to the ids they would lead to."""

    faces: int
    moves: tuple[Move, ...]
    persons_new: int
    emptied: dict[str, str]

    @property
    def moved(self) -> int:
        return sum(len(move.rows) for move in self.moves if move.source is not None)


def plan_recluster(database: Database, engine: Engine, rules: Rules, *, gallery: str) -> Recluster:
    """Work out the change; nothing is written and no search is bought."""
    with database.read() as connection:
        roster = roster_of(connection, engine, rules, gallery)
        said = standing(read_ledger(connection))
        people = People.of(all_persons(connection))
        fixed = _fixed(roster, said, people)
        blank = replace(roster, person=np.full(len(roster), -1, dtype=np.int64))
        bonds = _bonds(connection, roster, fixed, said, people)
        labels, _ = cluster_roster(connection, engine, blank, bonds, rules, gallery, first=True)
    return _plan(roster, fixed, labels, people)


def apply_recluster(database: Database, change: Recluster, now: datetime) -> None:
    """Carry out the change; faces that a human decided on meanwhile stay where they are."""
    with turn(database), database.begin() as connection:
        people = People.of(all_persons(connection))
        fresh = add_persons(connection, change.persons_new, now)
        for move in change.moves:
            target = fresh[move.to_new] if move.to_new is not None else people.lead(move.target or "")
            if target is not None:
                _move(connection, move.rows, target, now)
        for gone, kept in change.emptied.items():
            one, other = people.lead(gone), people.lead(kept)
            if one is not None and other is not None and one.id != other.id:
                redirect(connection, one, other)


def _fixed(roster: Roster, said: Standing, people: People) -> Ints:
    """The person of each face that may not move, -1 for the others."""
    fixed = np.where(roster.human, roster.person, -1)
    whole = {person.id for person in map(people.lead, said.merged) if person is not None}
    fixed = np.where(np.isin(roster.person, list(whole)), roster.person, fixed)
    for person in people.spoken_for(said):
        own = np.flatnonzero((roster.person == person) & (fixed < 0))
        if len(own):
            best = own[np.argmax(roster.quality[own])]
            fixed[best] = person
    return fixed


def _bonds(connection: Connection, roster: Roster, fixed: Ints, said: Standing, people: People) -> Constraints:
    """Two faces of one photo stay apart, and so do fixed faces of two persons, and a face from whom it is not."""
    apart = [same_photo_pairs(roster.photo)]
    at = positions(connection, roster, [place for place, _ in said.refusals])
    for face, (_, public) in zip(at, said.refusals, strict=True):
        person = people.lead(public)
        if face >= 0 and person is not None:
            theirs = np.flatnonzero(fixed == person.id)
            apart.append(np.stack((np.full(len(theirs), face, dtype=np.int64), theirs), axis=1))
    apparent = roster.apparent.settled(fixed, people.birth_years())
    return Constraints(cannot=np.concatenate(apart), camps=fixed, founders=roster.founder, apparent=apparent)


def _plan(roster: Roster, fixed: Ints, labels: Ints, people: People) -> Recluster:
    members: dict[int, list[int]] = defaultdict(list)
    for at, label in enumerate(labels.tolist()):
        members[label].append(at)
    owner = _owners(roster, fixed, members)
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
            if person is not None and was == person:
                kept.add(person)
                continue
            if person is None:
                new.setdefault(label, len(new))
            moves[was, label].append(int(roster.rows[at]))
            if person is not None and was >= 0:
                went[was][person] += 1
    emptied = _emptied(roster, moves, kept, went, people)
    return Recluster(
        faces=len(roster),
        moves=tuple(
            Move(
                source=people.rows[was].person_id if was >= 0 else None,
                target=people.rows[owner[label]].person_id if label in owner else None,
                to_new=new.get(label),
                rows=tuple(rows),
            )
            for (was, label), rows in moves.items()
        ),
        persons_new=len(new),
        emptied=emptied,
    )


def _owners(roster: Roster, fixed: Ints, members: dict[int, list[int]]) -> dict[int, int]:
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
    roster: Roster,
    moves: dict[tuple[int, int], list[int]],
    kept: set[int],
    went: dict[int, Counter[int]],
    people: People,
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


def _move(connection: Connection, rows: Sequence[int], target: PersonRow, now: datetime) -> None:
    there = rows_still_there(connection, rows)
    free = [row for row in rows if row in there and not _decided(connection, row)]
    assign(connection, [(row, None) for row in free], target.id, AssignedBy.CLUSTER, utc_text(now) or "")


def _decided(connection: Connection, row: int) -> bool:
    by = connection.scalar(select(assignments.c.by).where(assignments.c.face_id == row))
    return by == AssignedBy.HUMAN.value

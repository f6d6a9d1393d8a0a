"""Settling who is who after a scan: new faces find their persons, and nobody leaves company.

The corridor of this room: replay what humans decided, ask for the lists that are worth their money, cluster with the
persons as they are, write. Everything is idempotent, so that running it again is how it is resumed after a kill.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from sqlalchemy import Connection, case, func, select, update

from catalog.domain.charges import Charge
from catalog.domain.engine import Engine
from catalog.domain.people import AssignedBy
from catalog.domain.timestamps import utc_text
from catalog.identities.assignment.neighbor_searches import SearchRules, logit, read_edges, run_neighbor_searches
from catalog.identities.assignment.person_constraints import (
    are_separate,
    indexes_of_keys,
    keep_assignments,
)
from catalog.identities.clustering.average_linkage import cluster_edges
from catalog.identities.clustering.demographics import NEVER, DemographicThresholds
from catalog.identities.clustering.face_table import (
    FaceTable,
    SeedFaceThresholds,
    person_by_face_row,
    read_face_table,
    rows_still_there,
)
from catalog.identities.clustering.group_mean_clustering import cluster_persons
from catalog.identities.clustering.similarity_graph import Constraints, Floats, Ints, Linkage
from catalog.identities.decisions.forget import purge_tombstoned_faces
from catalog.identities.decisions.log import EffectiveDecisions, effective_decisions, read_decisions
from catalog.identities.decisions.replay import replay_decisions
from catalog.store import pending_removals
from catalog.store.assignment_lock import assignment_lock, lock_persons
from catalog.store.database import Database
from catalog.store.people import add_persons, redirect
from catalog.store.person_index import PersonIndex, PersonRow, all_persons
from catalog.store.tables import assignments, faces, persons
from catalog.store.upsert import batches, insert_into

_ATTEMPTS = 3
"""A scan of another folder may take faces of changed photos out of the gallery while they are clustered."""


@dataclass(frozen=True, slots=True)
class GroupingRules:
    """Everything that settling needs to be told; ``config/default.toml`` says what each value means."""

    means: Linkage
    """For an engine that lends group means, on their scale of -1 to 1."""
    searches: Linkage
    """For an engine that gives lists of neighbors only, on the scale of ``logit``."""
    search: SearchRules
    founders: SeedFaceThresholds
    apparent: DemographicThresholds = NEVER


def face_table_of(connection: Connection, engine: Engine, rules: GroupingRules, gallery: str) -> FaceTable:
    """Every face of the gallery, as the rules see it."""
    return read_face_table(
        connection, engine=engine.name, gallery=gallery, bars=rules.founders, apparent=rules.apparent
    )


@dataclass(frozen=True, slots=True)
class AssignmentResult:
    """What settling came to.

    ``churn`` counts faces that changed company by what a machine did, not by what humans said; ``conflicts`` persons
    whom a machine put twice on one photo.
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
) -> AssignmentResult:
    """Give every new face its person, as soon as nobody else is at that.

    Raises what the engine raises; what was bought until then is kept.
    """
    with assignment_lock(database):
        return _settle(database, engine, rules, gallery, region, scan_id, now)


def _settle(
    database: Database,
    engine: Engine,
    rules: GroupingRules,
    gallery: str,
    region: str,
    scan_id: int | None,
    now: datetime,
) -> AssignmentResult:
    with database.begin() as connection:
        lock_persons(connection)
        purge_tombstoned_faces(connection, engine=engine.name, gallery=gallery, now=utc_text(now) or "")
        replay_decisions(connection, engine=engine.name, gallery=gallery, now=now)
    pending_removals.drain(database, engine.remove, engine.name, gallery)
    charges: list[Charge] = []
    if engine.group_means is None:
        with database.read() as connection:
            roster = face_table_of(connection, engine, rules, gallery)
        charges = run_neighbor_searches(database, engine, roster, rules.search, region=region, scan_id=scan_id, now=now)
    for more in reversed(range(_ATTEMPTS)):
        try:
            roster, people, labels, likeness = _cluster(database, engine, rules, gallery)
            break
        except KeyError:
            if not more:
                raise
    groups = _groups(roster, labels)
    with database.begin() as connection:
        # A human may have decided, or forgotten somebody, while faces were clustered.
        lock_persons(connection)
        company = person_by_face_row(connection, engine=engine.name, gallery=gallery)
        loose = roster.rows[roster.person < 0].tolist()
        free = rows_still_there(connection, [row for row in loose if company.get(row, 0) < 0])
        said = effective_decisions(read_decisions(connection))
        made, merged, given = _write(connection, roster, groups, free, said, likeness, now)
    with database.read() as connection:
        after = person_by_face_row(connection, engine=engine.name, gallery=gallery)
        left = connection.scalar(select(func.count()).select_from(persons)) or 0
        conflicts = same_photo_conflicts(connection, engine=engine.name, gallery=gallery)
    return AssignmentResult(
        faces_assigned=given,
        persons_new=made,
        persons_merged=merged,
        persons_deleted=max(0, len(people.rows) + made - left),
        churn=churn(roster, after),
        conflicts=conflicts,
        searches=sum(charge.calls for charge in charges),
        charges=tuple(charges),
    )


def _cluster(
    database: Database, engine: Engine, rules: GroupingRules, gallery: str
) -> tuple[FaceTable, PersonIndex, Ints, Floats]:
    """The faces as they are now with their groups. Raises KeyError when the gallery let go of one meanwhile."""
    with database.read() as connection:
        roster = face_table_of(connection, engine, rules, gallery)
        said = effective_decisions(read_decisions(connection))
        people = PersonIndex.of(all_persons(connection))
        bonds = keep_assignments(connection, roster, said, people)
        first = bool((roster.person < 0).all())
        labels, likeness = cluster_faces(connection, engine, roster, bonds, rules, gallery, first=first)
    return roster, people, labels, likeness


def cluster_faces(
    connection: Connection,
    engine: Engine,
    roster: FaceTable,
    bonds: Constraints,
    rules: GroupingRules,
    gallery: str,
    *,
    first: bool,
) -> tuple[Ints, Floats]:
    """The group of each face, and its similarity to the others of its group, 0-100, NaN where it has none.

    ``first`` says that whatever is grouped is grouped for the first time: caution is needed only where little was seen.
    """
    if engine.group_means is not None:
        return cluster_persons(engine.group_means, roster, _for(rules.means, first=first), bonds)
    edges = read_edges(connection, roster, engine=engine.name, gallery=gallery)
    labels = cluster_edges(
        roster.lists(),
        edges,
        _for(rules.searches, first=first),
        floor=float(logit(rules.search.threshold)),
        constraints=bonds,
    )
    together = labels[edges.first] == labels[edges.second]
    ends = np.concatenate((edges.first[together], edges.second[together]))
    total = np.bincount(ends, np.tile(edges.similarity[together], 2), len(roster))
    counts = np.bincount(ends, minlength=len(roster))
    mean = total / np.where(counts == 0, np.nan, counts)
    return labels, 100.0 / (1.0 + np.exp(-mean))


def _for(linkage: Linkage, *, first: bool) -> Linkage:
    """Caution is for runs that find persons there: the first sees all that it groups, but for pairs not looked at."""
    return replace(linkage, merge_margin=0.0, doubt=linkage.merge_margin) if first else linkage


def _groups(roster: FaceTable, labels: Ints) -> list[list[int]]:
    """Groups in which something is to be done: a face without a person, or several persons; by position."""
    members: dict[int, list[int]] = defaultdict(list)
    for at, label in enumerate(labels.tolist()):
        members[label].append(at)
    person = roster.person.tolist()
    return [some for some in members.values() if len({person[at] for at in some}) > 1 or person[some[0]] < 0]


def _write(
    connection: Connection,
    roster: FaceTable,
    groups: Sequence[Sequence[int]],
    free: Set[int],
    said: EffectiveDecisions,
    likeness: Floats,
    now: datetime,
) -> tuple[int, int, int]:
    """Persons made, persons merged, faces assigned; only the faces whose row ids are in ``free`` are given away."""
    people = PersonIndex.of(all_persons(connection))
    spoken = people.protected_persons(said.touched)
    refused = _refused(connection, roster, said, people)
    founding = [
        number
        for number, some in enumerate(groups)
        if (roster.person[list(some)] < 0).all()
        and any(roster.founder[at] and int(roster.rows[at]) in free for at in some)
    ]
    fresh = dict(zip(founding, add_persons(connection, len(founding), now), strict=True))
    merged = 0
    rows: list[dict[str, object]] = []
    for number, some in enumerate(groups):
        there = {people.canonical_row(row) for row in roster.person[list(some)].tolist() if row in people.rows}
        if there:
            keeper, *gone = sorted(there, key=lambda row: (row.id not in spoken, row.id))
            for each in gone:
                if each.id not in spoken and not are_separate(connection, said, people, each, keeper):
                    _merge(connection, each, keeper)
                    merged += 1
        elif number in fresh:
            keeper = fresh[number]
        else:
            continue
        rows += [
            _row(roster, at, keeper, likeness, now)
            for at in some
            if int(roster.rows[at]) in free and (at, keeper.id) not in refused
        ]
    given = 0
    for batch in batches(rows, 2000):
        given += connection.execute(insert_into(connection, assignments).on_conflict_do_nothing(), list(batch)).rowcount
    return len(fresh), merged, given


def _refused(
    connection: Connection, roster: FaceTable, said: EffectiveDecisions, people: PersonIndex
) -> set[tuple[int, int]]:
    """Faces, by position, and the row ids of persons that they are not: said, perhaps, while faces were clustered."""
    at = indexes_of_keys(connection, roster, [place for place, _ in said.refusals])
    whom = [people.canonical(public) for _, public in said.refusals]
    return {(face, person.id) for face, person in zip(at, whom, strict=True) if face >= 0 and person is not None}


def _row(roster: FaceTable, at: int, person: PersonRow, likeness: Floats, now: datetime) -> dict[str, object]:
    alike = float(likeness[at])
    return {
        "face_id": int(roster.rows[at]),
        "person_id": person.id,
        "by": AssignedBy.CLUSTER.value,
        "similarity": None if np.isnan(alike) else round(alike, 4),
        "assigned_at": utc_text(now),
    }


def _merge(connection: Connection, gone: PersonRow, kept: PersonRow) -> None:
    """Two machine-made persons were found to be one: the younger id redirects."""
    connection.execute(update(assignments).where(assignments.c.person_id == gone.id).values(person_id=kept.id))
    redirect(connection, gone, kept)


def churn(before: FaceTable, after: Mapping[int, int]) -> int:
    """Faces that lost company: somebody they shared a person with is with another person now, or with none.

    ``after`` maps row ids of faces to persons, -1 for none. Getting new company is no churn, and neither is a face that
    left the gallery.
    """
    gone = -2
    now = np.array([after.get(row, gone) for row in before.rows.tolist()], dtype=np.int64)
    held = (before.person >= 0) & (now != gone)
    if not held.any():
        return 0
    old, new = before.person[held], now[held]
    _, old = np.unique(old, return_inverse=True)
    pairs, number = np.unique(np.stack((old, new), axis=1), axis=0, return_counts=True)
    scattered = (pairs[:, 1] < 0) | (number < np.bincount(old)[pairs[:, 0]])
    return int(number[scattered].sum())


def same_photo_conflicts(connection: Connection, *, engine: str, gallery: str) -> int:
    """Persons that a machine put twice on one photo; a human may, for a mirror or a collage."""
    by_machine = func.sum(case((assignments.c.by == AssignedBy.CLUSTER.value, 1), else_=0))
    twice = (
        select(assignments.c.person_id)
        .join(faces, faces.c.id == assignments.c.face_id)
        .where(faces.c.engine == engine, faces.c.gallery == gallery)
        .group_by(assignments.c.person_id, faces.c.photo_id)
        .having(func.count() > 1, by_machine > 0)
        .subquery()
    )
    return int(connection.scalar(select(func.count()).select_from(twice)) or 0)

"""Carrying out what clustering anew would change, as far as it still stands when it is carried out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select

from catalog.domain.people import AssignedBy
from catalog.domain.timestamps import utc_text
from catalog.identities.assignment.recluster_plan import FaceMove, ReclusterPlan
from catalog.identities.clustering.face_table import rows_still_there
from catalog.identities.decisions.log import EffectiveDecisions, append, effective_decisions, read_decisions
from catalog.identities.decisions.verbs import DecisionStamp
from catalog.store.assignment_lock import assignment_lock, lock_persons
from catalog.store.catalogued_faces import faces_by_content
from catalog.store.database import Database
from catalog.store.people import add_persons, assign, redirect, unassign
from catalog.store.person_index import PersonIndex, PersonRow, all_persons
from catalog.store.tables import assignments, faces
from catalog.store.upsert import batches


@dataclass(frozen=True, slots=True)
class ReclusterResult:
    """What was changed: ``moved`` faces left their company; ``redirected`` ids lead to others now."""

    moved: int
    persons_new: int
    redirected: dict[str, str]


def apply_recluster(database: Database, change: ReclusterPlan, stamp: DecisionStamp) -> ReclusterResult:
    """Carry out the change, as far as it still stands: what humans said since it was planned holds.

    The ledger tells that it was done; it cannot be taken back.
    """
    with assignment_lock(database), database.begin() as connection:
        lock_persons(connection)
        people = PersonIndex.of(all_persons(connection))
        said = effective_decisions(read_decisions(connection))
        moves = [(move, _free(connection, move, people)) for move in change.moves]
        held = _held(connection, [row for _, free in moves for row in free])
        unassign(connection, list(held))
        refused = _refused_rows(connection, said, people)
        fresh: dict[int, PersonRow] = {}
        moved = 0
        for move, free in moves:
            target = None if move.target is None else people.canonical(move.target)
            if target is None and move.to_new is not None and free:
                if move.to_new not in fresh:
                    (fresh[move.to_new],) = add_persons(connection, 1, stamp.now)
                target = fresh[move.to_new]
            if target is None:
                continue
            going = [row for row in _welcome(connection, free, target.id) if (row, target.id) not in refused]
            if going:
                alike = dict(zip(move.rows, move.similarities, strict=True))
                given = [(row, alike[row]) for row in going]
                assign(connection, given, target.id, AssignedBy.CLUSTER, utc_text(stamp.now) or "")
            moved += sum(row in held for row in going)
            for row in going:
                held.pop(row, None)
        _put_back(connection, held)
        redirected = _redirect(connection, change, said, people)
        done = ReclusterResult(moved, len(fresh), redirected)
        details = {"moved": done.moved, "persons_new": done.persons_new, "redirected": redirected}
        append(connection, "recluster", who=stamp.who, now=stamp.now, details=details)
    return done


def _free(connection: Connection, move: FaceMove, people: PersonIndex) -> list[int]:
    """The faces of a move that are still where they were, and that no human decided on."""
    there = rows_still_there(connection, move.rows)
    held = _held(connection, move.rows)
    source = people.by_public_id.get(move.source or "")
    if move.source is not None and source is None:
        return []  # forgotten since
    return [
        row
        for row in move.rows
        if row in there
        and (
            source is not None and held[row]["person_id"] == source.id and held[row]["by"] == AssignedBy.CLUSTER.value
            if row in held
            else source is None
        )
    ]


def _held(connection: Connection, rows: Sequence[int]) -> dict[int, dict[str, Any]]:
    """The assignments of some faces."""
    columns = [column for column in assignments.c if column.name != "photo_id"]  # kept by triggers
    return {
        row["face_id"]: dict(row)
        for some in batches(rows)
        for row in connection.execute(select(*columns).where(assignments.c.face_id.in_(some))).mappings()
    }


def _refused_rows(connection: Connection, said: EffectiveDecisions, people: PersonIndex) -> set[tuple[int, int]]:
    """Row ids of faces, and of persons that they are not."""
    found = faces_by_content(connection, {place.sha256 for place, _ in said.refusals})
    return {
        (face.row, person.id)
        for place, public in said.refusals
        if (person := people.canonical(public)) is not None
        for face in found.get(place.sha256, ())
        if face.place.same(place)
    }


def _put_back(connection: Connection, held: Mapping[int, dict[str, Any]]) -> None:
    """Faces that nobody took stay where they were, but beside another of that person: they are nobody's then."""
    at_home: dict[int, list[int]] = defaultdict(list)
    for row, before in held.items():
        at_home[before["person_id"]].append(row)
    for person, rows in at_home.items():
        again = [held[row] for row in _welcome(connection, rows, person)]
        if again:
            connection.execute(insert(assignments), again)


def _welcome(connection: Connection, rows: Sequence[int], person: int) -> list[int]:
    """Those that would not be the second of a person, by row id, on a photo of their gallery."""
    beside = faces.alias()
    taken = {
        row
        for some in batches(rows)
        for row in connection.scalars(
            select(faces.c.id)
            .join(
                beside,
                (beside.c.photo_id == faces.c.photo_id)
                & (beside.c.engine == faces.c.engine)
                & (beside.c.gallery == faces.c.gallery)
                & (beside.c.id != faces.c.id),
            )
            .join(assignments, assignments.c.face_id == beside.c.id)
            .where(faces.c.id.in_(some), assignments.c.person_id == person)
        )
    }
    return [row for row in rows if row not in taken]


def _redirect(
    connection: Connection, change: ReclusterPlan, said: EffectiveDecisions, people: PersonIndex
) -> dict[str, str]:
    """Let emptied ids lead on: those that have no face in any gallery, and about whom nobody said anything since."""
    spoken = people.protected_persons(said.touched)
    redirected = {}
    for gone, kept in change.emptied.items():
        one, other = people.canonical(gone), people.canonical(kept)
        if one is None or other is None or one.id == other.id or one.id in spoken:
            continue
        if connection.scalar(select(assignments.c.face_id).where(assignments.c.person_id == one.id).limit(1)) is None:
            redirect(connection, one, other)
            redirected[gone] = kept
    return redirected

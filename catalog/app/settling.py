"""Keep the counts per person and the questions of the review up to date after decisions."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import Connection

from catalog.app.resources import Resources
from catalog.domain.decisions import Decision, Verb
from catalog.identities.assignment import review_queue
from catalog.identities.assignment.decided_pairs import read_decided_pairs
from catalog.store import person_summaries, review_rows
from catalog.store.assignments import persons_on_photos
from catalog.store.decided_rows import persons_by_public_id
from catalog.store.decision_history import read_groups
from catalog.store.decision_rows import last_decision_number, read_decisions
from catalog.store.face_states import find_face_rows
from catalog.store.person_index import canonical_row_ids, hidden_persons
from catalog.store.review_rows import QuestionRow
from catalog.store.summary_growth import grow_summaries, part_summaries

_STAYING_FACES = frozenset(
    {Verb.NAME, Verb.RENAME, Verb.HIDE, Verb.UNHIDE, Verb.APART, Verb.PART, Verb.JOIN, Verb.APPEAR}
)
"""Decisions that move no face from person to person, and no photo in time."""
_BULK = 500
"""Persons of one answer from which their questions may be too many to keep."""
_REJECTING = (Verb.REJECT, Verb.NOT_A_FACE)
_OF_MANY = frozenset({Verb.RECLUSTER, Verb.MIGRATE, Verb.IMPORT, Verb.RESTORE})
"""Decisions after which all questions are computed again, also after their undo."""


def settle(
    connection: Connection,
    resources: Resources,
    touched: set[int],
    *,
    verbs: Collection[Verb],
    is_current: bool,
    answer: int | None = None,
    is_undo: bool = False,
) -> list[QuestionRow]:
    """Update the counts of the persons with these row ids, and delete the questions about them that are settled.

    ``verbs`` are those of the decisions about them. ``is_current`` is what :func:`catch_up` returned before these
    decisions: False if the questions must be computed again all the same. ``answer`` is the group of the decisions;
    None if they are an undo, or several groups. ``is_undo``: they were undone. Notes that the questions are up to
    date, if they are. Returns the questions that were changed or deleted, as they were.
    """
    if _STAYING_FACES.issuperset(verbs):
        person_summaries.refresh_states(connection, touched)
    else:
        gallery = {"engine": resources.settings.engine.name, "gallery": resources.gallery}
        counted: set[int] = set()
        if is_current and answer is not None:
            counted = _grow_summaries(connection, resources, touched, answer)
        elif is_current and is_undo and {Verb.MERGE, *_STAYING_FACES}.issuperset(verbs):
            counted = part_summaries(connection, touched, **gallery)
        person_summaries.refresh_summaries(connection, **gallery, rows=touched - counted)
    changed = _settle_questions(connection, touched)
    state = review_rows.read_review_state(connection)
    if state is not None and is_current and _OF_MANY.isdisjoint(verbs):
        review_rows.write_review_state(connection, state.after(last_decision_number(connection)))
    return changed


def _grow_summaries(connection: Connection, resources: Resources, touched: set[int], answer: int) -> set[int]:
    """Update the counts of the persons that gained or lost faces by an answer. Returns the row ids that are done."""
    gallery = (resources.settings.engine.name, resources.gallery)
    decisions = read_groups(connection, [answer])[answer]
    confirmed = [(decision.face, gallery) for decision in decisions if decision.verb is Verb.CONFIRM and decision.face]
    gained_faces = {row for row in find_face_rows(connection, confirmed) if row is not None}
    lost_faces = _lost_faces(connection, [decision.number for decision in decisions if decision.verb in _REJECTING])
    if gained_faces and lost_faces:  # a face that was confirmed and one that was rejected might seem to make up
        return set()
    canonical = canonical_row_ids(connection, touched)
    return grow_summaries(connection, canonical, gained_faces, lost_faces, engine=gallery[0], gallery=gallery[1])


def _lost_faces(connection: Connection, numbers: Collection[int]) -> dict[int, int]:
    """The faces that lost their person by decisions, with the row id of that person."""
    rejecting = read_decisions(connection, numbers=numbers)
    lost = [face for decision in rejecting for face in decision.before.faces if face.person_id is not None]
    rows = find_face_rows(connection, [(face.key, (face.engine, face.gallery)) for face in lost])
    persons = persons_by_public_id(connection, {face.person_id for face in lost if face.person_id})
    return {
        row: persons[face.person_id].id
        for row, face in zip(rows, lost, strict=True)
        if row is not None and face.person_id in persons
    }


def settle_decisions(
    connection: Connection,
    resources: Resources,
    decisions: Sequence[Decision],
    *,
    is_current: bool,
    is_undo: bool = False,
) -> set[Verb]:
    """As :func:`settle`, for the persons of these decisions; of an undo also those of the decisions that it reverts.

    Returns the verbs of all these decisions.
    """
    decisions = _with_reverted(connection, decisions)
    persons = {
        person
        for decision in decisions
        for person in (decision.person_id, decision.other_person_id, *decision.persons_involved())
        if person
    } | {face.person_id for decision in decisions for face in decision.before.faces if face.person_id}
    rows = {row.id for row in persons_by_public_id(connection, persons).values()}
    rows |= persons_on_photos(connection, {date.sha256 for decision in decisions for date in decision.before.dates})
    touched = rows | set(canonical_row_ids(connection, rows).values())
    verbs = {decision.verb for decision in decisions} - {Verb.UNDO}
    settle(connection, resources, touched, verbs=verbs, is_current=is_current, is_undo=is_undo)
    return verbs


def catch_up(connection: Connection, resources: Resources) -> bool:
    """Settle the decisions that other programs made since the questions were computed.

    Returns False if the questions must be computed again instead.
    """
    state = review_rows.read_review_state(connection)
    if state is None or not state.is_of(resources.settings.engine.name, resources.gallery):
        return False
    decisions = _with_reverted(connection, read_decisions(connection, after=state.decision))
    if any(decision.verb in _OF_MANY for decision in decisions):
        return False
    if decisions:
        settle_decisions(connection, resources, decisions, is_current=True)
    return True


def _with_reverted(connection: Connection, decisions: Sequence[Decision]) -> list[Decision]:
    """These decisions, and those that an undo among them reverts."""
    decisions = list(decisions)
    known = {decision.number for decision in decisions}
    while reverted := {number for decision in decisions for number in decision.targets} - known:
        known |= reverted
        decisions += read_decisions(connection, numbers=reverted)
    return decisions


def is_complete(connection: Connection) -> bool:
    """True if no face has got its first person since the questions were computed."""
    state = review_rows.read_review_state(connection)
    return state is not None and state.newest_face >= review_rows.newest_assigned_face(connection)


def _settle_questions(connection: Connection, touched: set[int]) -> list[QuestionRow]:
    """Change or delete the questions about persons: the merged are one, and the decided are not asked about."""
    # Strangers that are hidden in bulk have more questions than an answer keeps: these need not be read.
    is_bulk = len(touched) > _BULK and review_rows.delete_many_about(connection, hidden_persons(connection, touched))
    rows = review_rows.questions_of(connection, touched)
    ends = {end for row in rows for end in (row.person, row.other) if end is not None}
    canonical = canonical_row_ids(connection, ends)
    summaries = person_summaries.read_summaries(connection, canonical.values())
    decided = read_decided_pairs(connection, {canonical[row] for row in touched if row in canonical}, rows)
    kept: dict[tuple[int, int | None, int | None], QuestionRow] = {}
    settled: list[int] = []
    for row in rows:
        person = summaries.get(canonical[row.person])
        other = None if row.other is None else summaries.get(canonical[row.other])
        changed = None
        if person is not None and (row.other is None or other is not None):
            changed = review_queue.updated_question(row, person, other)
        if changed is None or (changed.person, changed.other, changed.face) in kept or decided.holds(changed):
            settled.append(row.id)
        else:
            kept[changed.person, changed.other, changed.face] = changed
    before = {row.id: row for row in rows}
    updated = [row for row in kept.values() if row != before[row.id]]
    review_rows.update_questions(connection, updated, before)
    review_rows.delete_questions(connection, settled)
    return [] if is_bulk else [before[number] for number in sorted([*(row.id for row in updated), *settled])]

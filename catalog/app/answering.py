"""Record answers of the review once, each as one group of decisions, and keep counts and questions up to date."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

from sqlalchemy import Connection

from catalog.app.resources import Resources
from catalog.app.review_values import (
    Choice,
    ReviewAnswer,
    ReviewConflictError,
    ReviewResult,
    SameNameError,
)
from catalog.app.settling import catch_up, settle
from catalog.domain.errors import PersonError, UsageError
from catalog.domain.face_key import FaceKey
from catalog.domain.people import clean_name
from catalog.domain.timestamps import utc_text
from catalog.domain.uri import display_name
from catalog.identities.decisions import verbs
from catalog.identities.decisions.log import DecisionStamp
from catalog.store import review_rows
from catalog.store.assignment_lock import lock_persons
from catalog.store.catalogued_faces import CataloguedFace, find_face
from catalog.store.decision_mentions import decisions_mentioning
from catalog.store.decision_rows import verbs_of_group
from catalog.store.people import find_person, namesakes
from catalog.store.person_index import PersonRow
from catalog.store.person_summaries import read_summaries
from catalog.store.review_rows import AnswerRow

Apply = Callable[[Connection, Resources, DecisionStamp], set[int]]
"""Makes the decisions of an answer. Returns the row ids of all persons that they concern."""


def record_once(resources: Resources, key: str, body: Mapping[str, object], apply: Apply) -> ReviewResult:
    """Apply an answer in one transaction. The same key and body again change nothing and return the first result.

    Raises UsageError for a key that was used for another body, and what ``apply`` raises; then nothing is written.
    """
    digest = hashlib.sha256(json.dumps({**body, "key": ""}, sort_keys=True).encode()).hexdigest()
    now = datetime.now(UTC)
    with resources.database.begin() as connection:
        lock_persons(connection)
        earlier = review_rows.read_answer(connection, key)
        if earlier is not None:
            if earlier.body_sha256 != digest:
                raise UsageError("The idempotency key was used for another answer.", remedy="Reload the page.")
            return ReviewResult(earlier.group, is_repeat=True)
        is_current = catch_up(connection, resources)
        stamp = resources.stamp().grouped()
        touched = apply(connection, resources, stamp)
        review_rows.add_answer(connection, key, AnswerRow(stamp.who, digest, stamp.group), utc_text(now) or "")
        group_verbs = verbs_of_group(connection, stamp.group)
        changed = settle(connection, resources, touched, verbs=group_verbs, is_current=is_current, answer=stamp.group)
        review_rows.keep_questions(connection, key, changed)
    return ReviewResult(stamp.group)


def apply_answer(connection: Connection, resources: Resources, answer: ReviewAnswer, stamp: DecisionStamp) -> set[int]:
    """Make the decisions of an answer to a card. Raises as :meth:`catalog.app.reviewing.Review.answer`."""
    person = find_person(connection, answer.person)
    if person.person_id != answer.person:
        raise ReviewConflictError(f"{answer.person} was merged since this card was shown.")
    persons = {answer.person} | {choice.target for choice in answer.choices if choice.is_about_person}
    faces = {
        choice.target: find_chosen_face(connection, resources, choice.target)
        for choice in answer.choices
        if not choice.is_about_person
    }
    check_unchanged(connection, answer.seen, persons, faces.values())
    if answer.faces_seen is not None:
        summary = read_summaries(connection, [person.id]).get(person.id)
        if summary is None or summary.faces != answer.faces_seen:
            raise ReviewConflictError(f"{person} was changed since this card was shown.")
    touched = {person.id}
    for choice in answer.choices:
        face = faces.get(choice.target)
        touched |= _choose(connection, person, choice, face, stamp, same_photo=answer.same_photo)
    if answer.into is not None:
        target = find_person(connection, answer.into)
        touched.add(target.id)
        verbs.merge_persons(connection, target, person, stamp, same_photo=answer.same_photo)
    elif answer.name is not None:
        check_name_is_new(connection, answer.name, person, same_name=answer.same_name)
        verbs.name_person(connection, find_person(connection, person.person_id), answer.name, stamp)
    return touched


def check_unchanged(
    connection: Connection, seen: int, persons: Iterable[str], faces: Iterable[CataloguedFace] = ()
) -> None:
    """Raise ReviewConflictError if a decision after number ``seen`` concerns one of these persons or faces."""
    wanted, keys = set(persons), [face.place for face in faces]
    contents = {key.sha256 for key in keys}
    for decision in decisions_mentioning(connection, persons=wanted, contents=contents, after=seen):
        involved = decision.persons_involved() | {decision.person_id, decision.other_person_id}
        changed = involved & wanted
        if changed or _is_about(keys, [*decision.faces, *decision.changed_faces()]):
            subject = next(iter(changed), None)
            person = _person(connection, subject) if subject else None
            raise ReviewConflictError(f"{person or 'The face'} was changed since this card was shown.")


def check_name_is_new(connection: Connection, name: str, person: PersonRow | None, *, same_name: bool) -> None:
    """Raise SameNameError if another person has the name, unless ``same_name`` allows two persons of one name."""
    cleaned = clean_name(name)
    others = [other for other in namesakes(connection, cleaned or "") if person is None or other != person.person_id]
    if others and not same_name:
        raise SameNameError(f'Another person is named "{display_name(cleaned or "")}".', others[0])


def find_chosen_face(connection: Connection, resources: Resources, face: str) -> CataloguedFace:
    """The face with this id in the gallery in use. Raises PersonError."""
    chosen = resources.settings.engine
    return find_face(connection, face, engine=chosen.name, gallery=chosen.gallery)


def row_of(connection: Connection, person_id: str | None) -> set[int]:
    """The row id of a person, to be counted again; empty for no person and for a forgotten one."""
    person = _person(connection, person_id) if person_id else None
    return set() if person is None else {person.id}


def _choose(
    connection: Connection,
    person: PersonRow,
    choice: Choice,
    face: CataloguedFace | None,
    stamp: DecisionStamp,
    *,
    same_photo: bool,
) -> set[int]:
    """Apply one choice, about ``face`` or about a person. Returns the row ids of the persons that it concerns.

    The person of ``face`` is that before the answer.
    """
    if face is None:
        other = find_person(connection, choice.target)
        if choice.action == "merge":
            verbs.merge_persons(connection, person, other, stamp, same_photo=same_photo)
        elif choice.action == "separate":
            verbs.separate_persons(connection, person, other, stamp)
        else:
            verbs.set_hidden(connection, other, True, stamp)
        return {person.id, other.id}
    if choice.action == "confirm":
        confirm = verbs.confirm_beside if same_photo else verbs.confirm_face
        confirm(connection, face, person, stamp)
    elif choice.action == "reject":
        verbs.reject_face(connection, face, person, stamp)
    else:
        verbs.mark_not_a_face(connection, face, stamp)
    return {person.id} | row_of(connection, face.person_id)


def _is_about(keys: list[FaceKey], changed: list[FaceKey]) -> bool:
    return any(key.same(other) for key in keys for other in changed)


def _person(connection: Connection, person_id: str) -> PersonRow | None:
    try:
        return find_person(connection, person_id)
    except PersonError:
        return None

"""Changes of the review outside a card: move, split, rename, join, hide, and hide strangers in bulk."""

from __future__ import annotations

from sqlalchemy import Connection

from catalog.app.answering import check_name_is_new, check_unchanged, find_chosen_face, row_of
from catalog.app.resources import Resources
from catalog.app.review_values import Repair, ReviewConflictError
from catalog.domain.errors import UsageError
from catalog.identities.decisions import verbs
from catalog.identities.decisions.log import DecisionStamp
from catalog.store import browse_people
from catalog.store.browse_people import StrangerSelection
from catalog.store.catalogued_faces import CataloguedFace
from catalog.store.people import find_person
from catalog.store.person_index import PersonRow, persons_by_row


def apply_repair(connection: Connection, resources: Resources, repair: Repair, stamp: DecisionStamp) -> set[int]:
    """Make the decisions of a repair. Returns the row ids of the persons concerned.

    Raises as :meth:`catalog.app.reviewing.Review.repair`.
    """
    faces = [find_chosen_face(connection, resources, face) for face in repair.faces]
    check_unchanged(connection, repair.seen, {repair.person} if repair.person else set(), faces)
    holders: set[int] = set()
    for face in faces:
        holders |= row_of(connection, face.person_id)
    if repair.action == "not_a_face":
        for face in _at_least_one(faces):
            verbs.mark_not_a_face(connection, face, stamp)
        return holders
    if repair.action == "move":
        return holders | {_move(connection, repair, _at_least_one(faces), stamp)}
    person = find_person(connection, repair.person or "")
    if repair.action == "split":
        _, split_off = verbs.split_person(connection, person, _at_least_one(faces), stamp)
        return {person.id, split_off.id}
    if repair.action == "rename":
        if repair.name is not None:
            check_name_is_new(connection, repair.name, person, same_name=repair.same_name)
        verbs.name_person(connection, person, repair.name, stamp)
        return {person.id}
    if repair.action == "merge":
        canonical = find_person(connection, repair.into or "")
        verbs.merge_persons(connection, canonical, person, stamp, same_photo=repair.same_photo)
        return {person.id, canonical.id}
    is_hidden = repair.action == "hide"
    if person.hidden == is_hidden:
        raise UsageError(f"{person} is already {'hidden' if is_hidden else 'shown'}.")
    verbs.set_hidden(connection, person, is_hidden, stamp)
    return {person.id}


def hide_strangers(connection: Connection, selection: StrangerSelection, count: int, stamp: DecisionStamp) -> set[int]:
    """Hide the persons without a name of a selection. Returns their row ids.

    Raises ReviewConflictError unless they are ``count`` persons, and UsageError for none.
    """
    rows = browse_people.find_strangers(connection, selection)
    if len(rows) != count:
        raise ReviewConflictError(f"There are {len(rows):,} such people now, not {count:,}.")
    if not rows:
        raise UsageError("There is no person to hide.")
    verbs.hide_persons(connection, persons_by_row(connection, rows), stamp)
    return set(rows)


def _move(connection: Connection, repair: Repair, faces: list[CataloguedFace], stamp: DecisionStamp) -> int:
    """Confirm faces as an existing or a new person. Returns the person's row id."""
    target: PersonRow
    if repair.into is not None:
        target = find_person(connection, repair.into)
        if all(face.person_id == target.person_id for face in faces) and repair.person == target.person_id:
            raise UsageError(f"The faces are faces of {target} already.")
    elif repair.name is not None:
        check_name_is_new(connection, repair.name, None, same_name=repair.same_name)
        target = verbs.add_named_person(connection, repair.name, stamp)
    else:
        raise UsageError("No person is given to move the faces to.")
    confirm = verbs.confirm_beside if repair.same_photo else verbs.confirm_face
    for face in faces:
        confirm(connection, face, target, stamp)
    return target.id


def _at_least_one(faces: list[CataloguedFace]) -> list[CataloguedFace]:
    if not faces:
        raise UsageError("No face is picked.")
    return faces

"""The decisions of users about people. Each verb appends one decision and changes the rows, in one transaction.

A later scan never overrides a decision. Every verb returns the number of its decision, which ``undo`` accepts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date

from sqlalchemy import Connection

from catalog.domain.decisions import FacePayload, FacesPayload, NamePayload, StatePayload, Verb
from catalog.domain.errors import AmbiguousPersonError, PersonError, SamePhotoError
from catalog.domain.face_key import FaceKey
from catalog.domain.people import AssignedBy, clean_name
from catalog.domain.timestamps import utc_text
from catalog.identities.decisions.log import DecisionStamp, append, append_all, read_decisions
from catalog.identities.decisions.prior_state import PriorStateBuilder
from catalog.store import decided_rows
from catalog.store.assignment_lock import lock_persons
from catalog.store.assignments import (
    assign,
    face_rows_of_person,
    faces_on_shared_photos,
    move_assignments,
    unassign,
)
from catalog.store.catalogued_faces import (
    CataloguedFace,
    catalogued_faces_by_row,
    faces_at_key,
    faces_by_content,
    faces_of_person,
)
from catalog.store.many_faces import oldest_faces
from catalog.store.people import add_persons, find_person, person_ids_of, redirect
from catalog.store.person_index import PersonRow

EXEMPLARS = 8
"""Faces kept with a name, by which the person is found again after its rows are lost."""


def name_person(connection: Connection, person: PersonRow, name: str | None, stamp: DecisionStamp) -> int:
    """Give a person a name or another name; None or a blank name removes it. Raises ``PersonError``."""
    name = clean_name(name)
    decided_rows.refuse_id_as_name(connection, name)
    person = _current(connection, person)
    before = PriorStateBuilder().changed(person).build()
    decided_rows.set_name(connection, person, name)
    verb = Verb.NAME if person.name is None else Verb.RENAME
    payload = NamePayload(before, tuple(face.place for face in oldest_faces(connection, person, EXEMPLARS)))
    return append(connection, verb, stamp, person_id=person.person_id, name=name, payload=payload)


def set_hidden(connection: Connection, person: PersonRow, hidden: bool, stamp: DecisionStamp) -> int:
    """Hide a person in lists and reports, or show it again."""
    person = _current(connection, person)
    payload = StatePayload(PriorStateBuilder().changed(person).build())
    decided_rows.set_hidden(connection, person, hidden)
    return append(connection, Verb.HIDE if hidden else Verb.UNHIDE, stamp, person_id=person.person_id, payload=payload)


def hide_persons(connection: Connection, persons: Sequence[PersonRow], stamp: DecisionStamp) -> None:
    """Hide many persons, who must be as they are now: a decision for each, in one group."""
    lock_persons(connection)
    decided_rows.hide_all(connection, [person.id for person in persons])
    append_all(
        connection,
        Verb.HIDE,
        stamp.grouped(),
        [(person.person_id, StatePayload(PriorStateBuilder().changed(person).build())) for person in persons],
    )


def set_birth_date(connection: Connection, person: PersonRow, born: date | None, stamp: DecisionStamp) -> int:
    """Record a birth date; None removes it.

    Faces that a machine assigned to the person on earlier photos become unassigned.
    """
    person = _current(connection, person)
    day = born.isoformat() if born else None
    early = decided_rows.machine_faces_before(connection, person, day)
    payload = StatePayload(PriorStateBuilder().changed(person).faces(connection, early).build())
    unassign(connection, early)
    decided_rows.set_birth_date(connection, person, day)
    return append(connection, Verb.BORN, stamp, person_id=person.person_id, name=day, payload=payload)


def merge_persons(
    connection: Connection, canonical: PersonRow, merged: PersonRow, stamp: DecisionStamp, *, same_photo: bool = False
) -> int:
    """Record that two persons are one. The id of ``merged`` redirects to ``kept``.

    The merge is a decision on every face of both: earlier rejections of these faces, as either person, end with it.

    Raises ``PersonError`` if both are one person already, or both are on one photo and ``same_photo`` is not set. A
    mirror, a collage and an identity card show one person twice.
    """
    canonical, merged = _current(connection, canonical), _current(connection, merged)
    if canonical.id == merged.id:
        raise PersonError(f"{canonical} and the other person are one person already.")
    shared = _shared_photos(connection, canonical, merged)
    if shared and not same_photo:
        raise SamePhotoError(
            f"{canonical} and {merged} are together on {len(shared)} photo{'' if len(shared) == 1 else 's'}.",
            remedy="If the photos show one person twice (a mirror, a collage), merge with --same-photo.",
        )
    decided = _faces_to_decide(connection, canonical, merged, shared)
    decided_face_rows = [face.row for face in decided]
    born = canonical.birth_date or merged.birth_date
    early = {
        row for person in (canonical, merged) for row in decided_rows.machine_faces_before(connection, person, born)
    } - set(decided_face_rows)
    before = PriorStateBuilder().changed(canonical).redirected(connection, merged)
    before.faces(connection, [*face_rows_of_person(connection, merged.id), *decided_face_rows, *early])
    for redirecting in decided_rows.persons_redirecting_to(connection, merged):
        before.redirected(connection, redirecting)
    unassign(connection, sorted(early))
    move_assignments(connection, merged.id, canonical.id)
    decided_rows.mark_human(connection, decided_face_rows)
    redirect(connection, merged, canonical)
    if not canonical.name and canonical.name != merged.name:
        decided_rows.set_name(connection, canonical, merged.name)
    if born != canonical.birth_date:
        decided_rows.set_birth_date(connection, canonical, born)
    return append(
        connection,
        Verb.MERGE,
        stamp,
        person_id=canonical.person_id,
        other_person_id=merged.person_id,
        name=merged.name,
        payload=FacesPayload(before.build(), tuple(face.place for face in decided)),
    )


def split_person(
    connection: Connection, person: PersonRow, parted: Sequence[CataloguedFace], stamp: DecisionStamp
) -> tuple[int, PersonRow]:
    """Move some faces of a person to a new person. A machine never merges the two again.

    Raises ``PersonError`` if a face is not assigned to the person, or if all its faces are given.
    """
    person = _current(connection, person)
    own_rows = {face.row for face in faces_of_person(connection, person)}
    rows = {face.row for face in parted}
    if not rows or not rows <= own_rows:
        raise PersonError(f"Not all of the faces to split off are faces of {person}.")
    if len(rows) == len(own_rows):
        raise PersonError(
            f"All faces of {person} would be split off.", remedy="Leave at least one face, or name the person."
        )
    rows = {row for face in parted for row in _rows_in_all_galleries(connection, face)}
    before = PriorStateBuilder().unchanged(person).faces(connection, sorted(rows))
    (new_person,) = add_persons(connection, 1, stamp.now)
    before.new(new_person)
    _assign_by_user(connection, sorted(rows), new_person, stamp)
    number = append(
        connection,
        Verb.SPLIT,
        stamp,
        person_id=person.person_id,
        other_person_id=new_person.person_id,
        payload=FacesPayload(before.build(), tuple(face.place for face in parted)),
    )
    return number, new_person


def separate_persons(connection: Connection, one: PersonRow, other: PersonRow, stamp: DecisionStamp) -> int:
    """Record that two persons are two: a machine never merges them, and no suggestion asks about them."""
    one, other = _current(connection, one), _current(connection, other)
    if one.id == other.id:
        raise PersonError(
            f"{one} and the other person are one person already.", remedy="Split the person to separate its faces."
        )
    payload = StatePayload(PriorStateBuilder().unchanged(one).unchanged(other).build())
    return append(
        connection, Verb.APART, stamp, person_id=one.person_id, other_person_id=other.person_id, payload=payload
    )


def confirm_face(
    connection: Connection, face: CataloguedFace, person: PersonRow, stamp: DecisionStamp, *, same_photo: bool = False
) -> int:
    """Record that a face is this person, whichever person it was assigned to before.

    Another face of the photo that a machine assigned to the person becomes unassigned. Raises ``PersonError`` if a
    user assigned that other face and ``same_photo`` is not set. A mirror, a collage and an identity card show one
    person twice.
    """
    person = _current(connection, person)
    rows = _rows_in_all_galleries(connection, face)
    rivals = [
        neighbor
        for neighbor in _faces_on_photo(connection, face)
        if neighbor.person_id == person.person_id and neighbor.row not in rows
    ]
    if any(rival.by is AssignedBy.HUMAN for rival in rivals) and not same_photo:
        raise SamePhotoError(
            f"{person} is on this photo already: another face of the photo is confirmed.",
            remedy="If the photo shows one person twice (a mirror, a collage), confirm with --same-photo.",
        )
    released = [rival.row for rival in rivals if rival.by is AssignedBy.CLUSTER]
    payload = FacePayload(PriorStateBuilder().unchanged(person).faces(connection, rows + released).build())
    unassign(connection, released)
    decided_rows.set_not_a_face(connection, rows, False)
    _assign_by_user(connection, rows, person, stamp)
    return append(connection, Verb.CONFIRM, stamp, person_id=person.person_id, face=face.place, payload=payload)


def confirm_beside(connection: Connection, face: CataloguedFace, person: PersonRow, stamp: DecisionStamp) -> int:
    """Confirm a face as a person who has another face on the photo. That face is confirmed in the same group.

    Returns the number of the decision about ``face``.
    """
    stamp = stamp.grouped()
    rival_faces = [
        rival_face for rival_face in _faces_on_photo(connection, face) if rival_face.person_id == person.person_id
    ]
    number = confirm_face(connection, face, person, stamp, same_photo=True)
    for rival_face in rival_faces:
        if rival_face.by is AssignedBy.CLUSTER and not rival_face.place.same(face.place):
            confirm_face(connection, rival_face, person, stamp, same_photo=True)
    return number


def reject_face(connection: Connection, face: CataloguedFace, person: PersonRow, stamp: DecisionStamp) -> int:
    """Record that a face is not this person. The face becomes unassigned if it was assigned to the person."""
    person = _current(connection, person)
    rows = decided_rows.faces_held_by(connection, person, _rows_in_all_galleries(connection, face))
    payload = FacePayload(PriorStateBuilder().unchanged(person).faces(connection, rows).build())
    unassign(connection, rows)
    return append(connection, Verb.REJECT, stamp, person_id=person.person_id, face=face.place, payload=payload)


def mark_not_a_face(connection: Connection, face: CataloguedFace, stamp: DecisionStamp) -> int:
    """Record that a box holds no face. It becomes unassigned and is left out of every list and report."""
    lock_persons(connection)
    rows = _rows_in_all_galleries(connection, face)
    payload = FacePayload(PriorStateBuilder().faces(connection, rows).build())
    decided_rows.set_not_a_face(connection, rows, True)
    unassign(connection, rows)
    return append(connection, Verb.NOT_A_FACE, stamp, face=face.place, payload=payload)


def find_or_add_person(connection: Connection, wanted: str, stamp: DecisionStamp) -> PersonRow:
    """Return the person with this id or name, or add a person with this name.

    Raises ``AmbiguousPersonError`` if several persons have the name, and ``PersonError`` for text that is no name.
    """
    lock_persons(connection)
    try:
        return find_person(connection, wanted)
    except AmbiguousPersonError:
        raise
    except PersonError:
        return add_named_person(connection, wanted, stamp)


def add_named_person(connection: Connection, name: str, stamp: DecisionStamp) -> PersonRow:
    """Add a person with this name, whether or not another person has it. Raises ``PersonError`` for no name."""
    lock_persons(connection)
    cleaned = clean_name(name)
    if cleaned is None:
        raise PersonError("The name has no visible character.", remedy="Enter another name.")
    (person,) = add_persons(connection, 1, stamp.now)
    decided_rows.set_name(connection, person, cleaned)
    payload = NamePayload(PriorStateBuilder().new(person).build())
    append(connection, Verb.NAME, stamp, person_id=person.person_id, name=cleaned, payload=payload)
    return find_person(connection, person.person_id)


def shared_photos(left_faces: Sequence[CataloguedFace], right_faces: Sequence[CataloguedFace]) -> set[str]:
    """Return content hashes of photos with a face of both. A face that two galleries hold counts as one face."""
    by_content: dict[str, list[CataloguedFace]] = defaultdict(list)
    for face in right_faces:
        by_content[face.sha256].append(face)
    return {face.sha256 for face in left_faces for rival in by_content[face.sha256] if not face.place.same(rival.place)}


def _shared_photos(connection: Connection, one: PersonRow, other: PersonRow) -> set[str]:
    """As :func:`shared_photos`, for all faces of two persons."""
    pairs = faces_on_shared_photos(connection, one.id, other.id)
    faces = catalogued_faces_by_row(connection, {row for pair in pairs for row in pair})
    return shared_photos([faces[row] for row, _ in pairs], [faces[row] for _, row in pairs])


def _faces_to_decide(
    connection: Connection, canonical: PersonRow, merged: PersonRow, shared: Collection[str]
) -> list[CataloguedFace]:
    """The faces of both persons that a merge decides on: those on shared photos, and those with a rejection.

    The faces of the canonical person come first, then those of the merged one, each oldest photo first.
    """
    rejected = _rejected_keys(connection, [canonical, merged])
    on_photos = faces_by_content(connection, {*shared, *rejected})
    decided = [
        face
        for sha256, faces in on_photos.items()
        for face in faces
        if face.person_id in (canonical.person_id, merged.person_id)
        if sha256 in shared or any(face.place.same(key) for key in rejected.get(sha256, ()))
    ]
    return sorted(
        decided,
        key=lambda face: (
            face.person_id == merged.person_id,
            face.taken is None,
            face.taken.first if face.taken else "",
            face.row,
        ),
    )


def _rejected_keys(connection: Connection, persons: Sequence[PersonRow]) -> dict[str, list[FaceKey]]:
    """Return face keys that users rejected as one of these persons, by content hash, also those split off."""
    public_ids = [public_id for person in persons for public_id in person_ids_of(connection, person)]
    keys: dict[str, list[FaceKey]] = defaultdict(list)
    for decision in read_decisions(connection, person_ids=public_ids, verbs=[Verb.REJECT, Verb.SPLIT]):
        if decision.undone_by is None and decision.person_id in public_ids:
            for key in decision.faces:
                keys[key.sha256].append(key)
    return keys


def _current(connection: Connection, person: PersonRow) -> PersonRow:
    """Lock persons for this transaction and return the person as it is now, or the person that it was merged into.

    Raises ``PersonError`` if the person was forgotten since it was read.
    """
    lock_persons(connection)
    return find_person(connection, person.person_id)


def _assign_by_user(connection: Connection, rows: Sequence[int], person: PersonRow, stamp: DecisionStamp) -> None:
    assign(connection, [(row, None) for row in rows], person.id, AssignedBy.HUMAN, utc_text(stamp.now) or "")


def _rows_in_all_galleries(connection: Connection, face: CataloguedFace) -> list[int]:
    """Return the row ids of this face in every gallery: a decision is about the face, not about one engine's row."""
    row_by_gallery = {(face.engine, face.gallery): face.row}
    for twin in faces_at_key(connection, face.place):
        row_by_gallery.setdefault((twin.engine, twin.gallery), twin.row)
    return sorted(row_by_gallery.values())


def _faces_on_photo(connection: Connection, face: CataloguedFace) -> list[CataloguedFace]:
    return faces_by_content(connection, [face.sha256]).get(face.sha256, [])

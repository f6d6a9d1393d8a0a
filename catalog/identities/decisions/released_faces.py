"""Faces that an undo releases: they lose the person that they have beside the prior state."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from catalog.domain.decisions import Decision, PriorFace, Verb
from catalog.domain.face_key import FaceKey
from catalog.domain.people import AssignedBy
from catalog.store.assignments import FaceBeside, faces_beside
from catalog.store.catalogued_faces import faces_by_content
from catalog.store.decided_rows import persons_by_public_id
from catalog.store.person_index import canonical_person


def faces_rejected_again(connection: Connection, reinstated: Sequence[Decision]) -> list[int]:
    """Return faces that a machine assigned to a person while that person's rejection of them was undone."""
    rejected = [decision for decision in reinstated if decision.verb is Verb.REJECT and decision.person_id]
    # A labels file may bring decisions on persons that the catalogue lacks.
    rows = persons_by_public_id(connection, {decision.person_id or "" for decision in rejected})
    rejections = [
        (canonical_person(connection, rows[decision.person_id].id).person_id, key)
        for decision in rejected
        if decision.person_id in rows
        for key in decision.faces
    ]
    faces_on_photos = faces_by_content(connection, {key.sha256 for _, key in rejections})
    return [
        face.row
        for person_id, key in rejections
        for face in faces_on_photos.get(key.sha256, ())
        if face.place.same(key) and face.person_id == person_id and face.by is AssignedBy.CLUSTER
    ]


def replayed_faces(
    connection: Connection, undone_decisions: Sequence[Decision], prior: Sequence[PriorFace]
) -> list[int]:
    """Return faces that replay changed because of these decisions, in galleries that did not have them at the time."""
    verbs = (Verb.CONFIRM, Verb.SPLIT, Verb.MERGE, Verb.NOT_A_FACE)
    decided = [
        (decision.verb is Verb.NOT_A_FACE, key)
        for decision in undone_decisions
        if decision.verb in verbs
        for key in decision.faces
    ]
    prior_keys: dict[tuple[str, str, str], list[FaceKey]] = defaultdict(list)
    for face in prior:
        prior_keys[face.key.sha256, face.engine, face.gallery].append(face.key)
    faces_on_photos = faces_by_content(connection, {key.sha256 for _, key in decided})
    return sorted(
        {
            face.row
            for is_no_face, key in decided
            for face in faces_on_photos.get(key.sha256, ())
            if (face.not_a_face if is_no_face else face.by is AssignedBy.HUMAN) and face.place.same(key)
            if not any(face.place.same(prior_key) for prior_key in prior_keys[face.sha256, face.engine, face.gallery])
        }
    )


def faces_twice_on_photo(connection: Connection, restored: Mapping[int, str | None]) -> list[int]:
    """Return faces to release, because a person would be twice on a photo that has a restored face.

    Of a restored face and another one it is the other, if a machine assigned that. If a user did, it is the restored
    one, if a machine had assigned that. Of two restored faces one is released if their persons, in ``restored``, were
    merged since.
    """
    beside: dict[int, FaceBeside] = {}
    for pair in faces_beside(connection, list(restored)):
        is_other_restored = pair.other_row in restored
        if not is_other_restored or (pair.row < pair.other_row and restored[pair.row] != restored[pair.other_row]):
            beside[pair.other_row] = pair  # of several restored faces the last one
    released = {
        row
        for pair in beside.values()
        for row in [
            row for row, by in ((pair.other_row, pair.other_by), (pair.row, pair.by)) if by is AssignedBy.CLUSTER
        ][:1]
    }
    return sorted(released)

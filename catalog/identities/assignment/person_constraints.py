"""Constraints from the catalogue: effective decisions, birth dates, and one face per person on a photo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from operator import itemgetter

import numpy as np
from sqlalchemy import Connection

from catalog.domain.face_key import FaceKey
from catalog.domain.same_face import SAME_PHOTO, best_match
from catalog.identities.clustering.arrays import Ints
from catalog.identities.clustering.constraints import Constraints
from catalog.identities.clustering.face_table import FaceTable
from catalog.identities.clustering.same_photo import SamePhotoPairs
from catalog.identities.decisions.effective import EffectiveDecisions
from catalog.store.assignments import faces_on_shared_photos
from catalog.store.catalogued_faces import catalogued_faces_by_row, faces_by_content
from catalog.store.face_rows import boxes_by_content
from catalog.store.person_index import PersonIndex, PersonRow


def indexes_of_keys(connection: Connection, table: FaceTable, keys: Sequence[FaceKey]) -> list[int]:
    """Indexes of faces by face key, -1 for faces that are not in the table."""
    boxes = boxes_by_content(connection, {key.sha256 for key in keys})
    rows = [row for on_photo in boxes.values() for row, _ in on_photo]
    index_by_row = dict(zip(rows, table.indexes_of_rows(rows).tolist(), strict=True))
    indexes = []
    for key in keys:
        candidates = [(row, box) for row, box in boxes.get(key.sha256, ()) if index_by_row[row] >= 0]
        match = best_match(key.box, candidates, SAME_PHOTO, key=itemgetter(1))
        indexes.append(-1 if match is None else index_by_row[match[0]])
    return indexes


def keep_assignments(
    connection: Connection,
    table: FaceTable,
    same_photo: SamePhotoPairs,
    effective: EffectiveDecisions,
    people: PersonIndex,
) -> Constraints:
    """Constraints that keep every existing assignment and never merge two protected persons."""
    ids, first = np.unique(table.person, return_index=True)
    first_face = dict(zip(ids.tolist(), first.tolist(), strict=True))
    assigned = np.flatnonzero(table.person >= 0)
    first_of_person = np.array([first_face[person] for person in table.person[assigned].tolist()], dtype=np.int64)
    protected = people.protected_persons(effective.decided_persons)
    cannot_link = [
        same_photo.cannot_link,
        _rejected_pairs(connection, table, effective, people, first_face),
        before_birth_pairs(table, people, first_face),
    ]
    return Constraints(
        must_link=np.stack((assigned, first_of_person), 1),
        cannot_link=np.concatenate(cannot_link),
        separation_groups=np.array(
            [person if person in protected else -1 for person in table.person.tolist()], dtype=np.int64
        ),
        seed_faces=table.is_seed,
        doubtful_faces=same_photo.doubtful_faces(len(table)),
        demographics=table.demographics.with_persons(table.person, people.birth_years()),
    )


def before_birth_pairs(table: FaceTable, people: PersonIndex, first_face: Mapping[int, int]) -> Ints:
    """Pairs of a face on a photo taken before a person's birth date, and one face of that person.

    ``first_face`` is the one face by row id of the person. Faces that already belong to the person are left out.
    """
    days = np.array(table.last_day, dtype="U10")
    pairs = [np.zeros((0, 2), dtype=np.int64)]
    for person in people.rows.values():
        if person.birth_date is None or person.id not in first_face:
            continue
        early = np.flatnonzero((days != "") & (days < person.birth_date) & (table.person != person.id))
        pairs.append(np.stack((early, np.full(len(early), first_face[person.id], dtype=np.int64)), axis=1))
    return np.concatenate(pairs)


def are_separate(
    connection: Connection,
    effective: EffectiveDecisions,
    people: PersonIndex,
    first: PersonRow,
    second: PersonRow,
    copies: Set[tuple[int, int]],
) -> bool:
    """True if both persons are on one photo, or a user rejected a face of one as the other.

    ``copies`` are row ids of faces that are copies of one face.
    """
    pairs = [pair for pair in faces_on_shared_photos(connection, first.id, second.id) if pair not in copies]
    faces = catalogued_faces_by_row(connection, {row for pair in pairs for row in pair})
    # Two galleries may hold one face twice, each with another person.
    if any(not faces[row].place.same(faces[other_row].place) for row, other_row in pairs):
        return True
    row_ids = {first.id, second.id}
    rejected = [
        (key, person)
        for key, public_id in effective.rejected
        if (person := people.canonical(public_id)) and person.id in row_ids
    ]
    on_photos = faces_by_content(connection, {key.sha256 for key, _ in rejected})
    return any(
        face.person_id is not None
        and (holder := people.canonical(face.person_id)) is not None
        and {holder.id, person.id} == row_ids
        and face.place.same(key)
        for key, person in rejected
        for face in on_photos.get(key.sha256, ())
    )


def _rejected_pairs(
    connection: Connection,
    table: FaceTable,
    effective: EffectiveDecisions,
    people: PersonIndex,
    first_face: Mapping[int, int],
) -> Ints:
    """Pairs of a rejected face and one face of the person that it was rejected as."""
    faces = indexes_of_keys(connection, table, [key for key, _ in effective.rejected])
    pairs = []
    for face, (_, public_id) in zip(faces, effective.rejected, strict=True):
        person = people.canonical(public_id)
        if face >= 0 and person is not None and person.id in first_face:
            pairs.append((face, first_face[person.id]))
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)

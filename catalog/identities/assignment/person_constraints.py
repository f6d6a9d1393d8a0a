"""What clustering must respect: humans' words and the rule that two faces of one photo are two people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from sqlalchemy import Connection, select

from catalog.domain.face_key import FaceKey
from catalog.domain.faces import BoundingBox
from catalog.identities.clustering.face_table import FaceTable, same_photo_pairs
from catalog.identities.clustering.similarity_graph import Constraints, Ints
from catalog.identities.decisions.log import EffectiveDecisions
from catalog.store.catalogued_faces import catalogued_faces_by_row, faces_by_content
from catalog.store.person_index import PersonIndex, PersonRow
from catalog.store.tables import assignments, faces, photos
from catalog.store.upsert import batches


def indexes_of_keys(connection: Connection, roster: FaceTable, places: Sequence[FaceKey]) -> list[int]:
    """Where faces keyed by content and box are in the roster; -1 for those that are not."""
    found: dict[str, list[tuple[BoundingBox, int]]] = defaultdict(list)
    columns = (faces.c.id, photos.c.sha256, faces.c.box_left, faces.c.box_top, faces.c.box_width, faces.c.box_height)
    for some in batches(sorted({place.sha256 for place in places})):
        query = select(*columns).join_from(faces, photos).where(photos.c.sha256.in_(some))
        for row, sha256, *box in connection.execute(query):
            found[sha256].append((BoundingBox(*box), row))
    rows = list({row for near in found.values() for _, row in near})
    at = dict(zip(rows, roster.places(rows).tolist(), strict=True))
    return [_best(place, [(box, at[row]) for box, row in found[place.sha256] if at[row] >= 0]) for place in places]


def _best(place: FaceKey, near: Sequence[tuple[BoundingBox, int]]) -> int:
    same = [(box.iou(place.box), at) for box, at in near if place.same(FaceKey(place.sha256, box))]
    return max(same)[1] if same else -1


def keep_assignments(
    connection: Connection, roster: FaceTable, said: EffectiveDecisions, people: PersonIndex
) -> Constraints:
    """Nobody leaves company: the faces of each person are one from the start; persons spoken for stay apart."""
    ids, first = np.unique(roster.person, return_index=True)
    lead = dict(zip(ids.tolist(), first.tolist(), strict=True))
    placed = np.flatnonzero(roster.person >= 0)
    must = np.stack((placed, np.array([lead[person] for person in roster.person[placed].tolist()], dtype=np.int64)), 1)
    spoken = people.protected_persons(said.touched)
    camps = np.array([person if person in spoken else -1 for person in roster.person.tolist()], dtype=np.int64)
    cannot = [
        same_photo_pairs(roster.photo),
        _refused(connection, roster, said, people, lead),
        before_birth(roster, people, lead),
    ]
    apparent = roster.apparent.settled(roster.person, people.birth_years())
    return Constraints(must, np.concatenate(cannot), camps, roster.founder, apparent)


def before_birth(roster: FaceTable, people: PersonIndex, lead: Mapping[int, int]) -> Ints:
    """Pairs of a face on a photo from before somebody was born and one face of that person.

    ``lead`` maps row ids of persons to the one face; faces that are the person's already are left alone.
    """
    days = np.array([taken[:10] for taken in roster.taken], dtype="U10")
    pairs = [np.zeros((0, 2), dtype=np.int64)]
    for person in people.rows.values():
        if person.birth_date is None or person.id not in lead:
            continue
        early = np.flatnonzero((days != "") & (days < person.birth_date) & (roster.person != person.id))
        pairs.append(np.stack((early, np.full(len(early), lead[person.id], dtype=np.int64)), axis=1))
    return np.concatenate(pairs)


def are_separate(
    connection: Connection, said: EffectiveDecisions, people: PersonIndex, one: PersonRow, other: PersonRow
) -> bool:
    """Whether two persons stand together on a photo of any gallery, or a human said of a face of one: not the other."""
    ours, theirs = assignments.alias(), assignments.alias()
    pairs = select(ours.c.face_id, theirs.c.face_id).join(theirs, theirs.c.photo_id == ours.c.photo_id)
    both_on = connection.execute(pairs.where(ours.c.person_id == one.id, theirs.c.person_id == other.id)).all()
    shown = catalogued_faces_by_row(connection, {row for pair in both_on for row in pair})
    if any(not shown[mine].place.same(shown[its].place) for mine, its in both_on):  # else one face, seen twice
        return True
    both = {one.id, other.id}
    refused = [
        (place, person) for place, public in said.refusals if (person := people.canonical(public)) and person.id in both
    ]
    found = faces_by_content(connection, {place.sha256 for place, _ in refused})
    return any(
        face.person_id is not None
        and (held := people.canonical(face.person_id)) is not None
        and {held.id, person.id} == both
        and face.place.same(place)
        for place, person in refused
        for face in found.get(place.sha256, ())
    )


def _refused(
    connection: Connection, roster: FaceTable, said: EffectiveDecisions, people: PersonIndex, lead: Mapping[int, int]
) -> Ints:
    """Pairs of a face and one face of the person that a human said it is not."""
    at = indexes_of_keys(connection, roster, [place for place, _ in said.refusals])
    pairs = []
    for face, (_, person_id) in zip(at, said.refusals, strict=True):
        person = people.canonical(person_id)
        if face >= 0 and person is not None and person.id in lead:
            pairs.append((face, lead[person.id]))
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)

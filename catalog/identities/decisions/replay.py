"""Replaying decisions on faces that came after them: a photo that returned, another engine, a new model, a restore.

Decisions name faces by photo content and box. Whatever face lies there now, by whatever engine, is what they meant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, select, update

from catalog.domain.face_key import FaceKey
from catalog.domain.faces import BoundingBox
from catalog.domain.people import AssignedBy
from catalog.domain.timestamps import utc_text
from catalog.identities.decisions.log import EffectiveDecisions, effective_decisions, read_decisions
from catalog.store.people import assign, unassign
from catalog.store.person_index import PersonIndex, all_persons
from catalog.store.tables import assignments, faces, photos
from catalog.store.upsert import batches


def replay_decisions(connection: Connection, *, engine: str, gallery: str, now: datetime) -> int:
    """Let every face of a gallery have what humans decided about it; returns how many faces that changed.

    Faces that nobody decided on take the person that another gallery's face at the same place has.
    """
    said = effective_decisions(read_decisions(connection))
    people = PersonIndex.of(all_persons(connection) if said.of_faces else ())
    changed = _replay_claims(connection, said, people, engine, gallery, now)
    changed += copy_from_other_galleries(connection, engine=engine, gallery=gallery, now=now)
    changed += _replay_refusals(connection, said, people, engine, gallery)
    return changed + _assign_exemplars(connection, said, people, engine, gallery, now)


def _replay_claims(
    connection: Connection, said: EffectiveDecisions, people: PersonIndex, engine: str, gallery: str, now: datetime
) -> int:
    here = _faces_of(connection, {place.sha256 for place, _ in said.claims}, engine, gallery)
    changed = 0
    for place, person_id in said.claims:
        person = people.canonical(person_id)
        face = _best(place, here.get(place.sha256, ()))
        if person is None or face is None or (face.person == person.id and face.by == AssignedBy.HUMAN.value):
            continue
        assign(connection, [(face.row, None)], person.id, AssignedBy.HUMAN, utc_text(now) or "")
        changed += 1
    here = _faces_of(connection, {place.sha256 for place in said.not_faces}, engine, gallery)
    for place in said.not_faces:
        face = _best(place, here.get(place.sha256, ()))
        if face is not None and not face.not_a_face:
            connection.execute(update(faces).where(faces.c.id == face.row).values(not_a_face=True))
            unassign(connection, [face.row])
            changed += 1
    return changed


def _replay_refusals(
    connection: Connection, said: EffectiveDecisions, people: PersonIndex, engine: str, gallery: str
) -> int:
    """Take from persons the faces that a machine gave them and a human says are not theirs."""
    here = _faces_of(connection, {place.sha256 for place, _ in said.refusals}, engine, gallery)
    refused = set()
    for place, public in said.refusals:
        person = people.canonical(public)
        face = _best(place, here.get(place.sha256, ()))
        if person is not None and face is not None and face.person == person.id and face.by == AssignedBy.CLUSTER.value:
            refused.add(face.row)
    unassign(connection, sorted(refused))
    return len(refused)


def _assign_exemplars(
    connection: Connection, said: EffectiveDecisions, people: PersonIndex, engine: str, gallery: str, now: datetime
) -> int:
    """Give persons the faces by which they are known to be found again, where nobody has them.

    Those of a restored file always; of names only where the person has lost all faces, as with photos that went and
    returned.
    """
    known = {person.id for _, public in said.exemplars if (person := people.canonical(public)) and person.name}
    held = {
        row
        for some in batches(sorted(known))
        for row in connection.scalars(
            select(assignments.c.person_id).where(assignments.c.person_id.in_(some)).distinct()
        )
    }
    lost = [(place, person) for place, public in said.exemplars if (person := people.canonical(public)) is not None]
    lost = [(place, person) for place, person in lost if person.id in known - held]
    lost += [(place, person) for place, public in said.expected if (person := people.canonical(public)) is not None]
    here = _faces_of(connection, {place.sha256 for place, _ in lost}, engine, gallery)
    changed = 0
    for place, person in lost:
        face = _best(place, here.get(place.sha256, ()))
        refused = any(people.canonical(public) == person and place.same(other) for other, public in said.refusals)
        if face is not None and face.person is None and not face.not_a_face and not refused:
            assign(connection, [(face.row, None)], person.id, AssignedBy.CLUSTER, utc_text(now) or "")
            face.person = person.id
            changed += 1
    return changed


def copy_from_other_galleries(
    connection: Connection, *, engine: str, gallery: str, now: datetime, overrule: bool = False
) -> int:
    """Give the faces of a gallery the persons that faces at the same places have in other galleries.

    With ``overrule`` also those that a machine assigned already; what a human decided stays. Returns how many.
    """
    elsewhere = (faces.c.engine != engine) | (faces.c.gallery != gallery)
    shared = select(faces.c.photo_id).where(elsewhere).distinct().subquery()
    query = (
        select(photos.c.sha256)
        .join(faces, faces.c.photo_id == photos.c.id)
        .outerjoin(assignments, assignments.c.face_id == faces.c.id)
        .where(faces.c.engine == engine, faces.c.gallery == gallery, faces.c.not_a_face.is_(False))
        .where(faces.c.photo_id.in_(select(shared.c.photo_id)))
    )
    loose = assignments.c.face_id.is_(None)
    query = query.where(loose | (assignments.c.by == AssignedBy.CLUSTER.value) if overrule else loose)
    wanted = set(connection.scalars(query))
    here = _faces_of(connection, wanted, engine, gallery)
    there = _faces_of(connection, wanted, engine, gallery, elsewhere=True)
    changed = 0
    for sha256, some in here.items():
        known = [other for other in there.get(sha256, ()) if other.person is not None]
        heirs: dict[int, _Face] = {}
        for face in some:
            if face.not_a_face or face.by == AssignedBy.HUMAN.value or (face.person is not None and not overrule):
                continue
            twin = _best(face.place, known)
            if twin is not None and twin.person != face.person:
                heirs[face.row] = twin
        for row, twin in _one_each(some, heirs).items():
            by = AssignedBy(twin.by or AssignedBy.CLUSTER)
            assign(connection, [(row, None)], twin.person or 0, by, utc_text(now) or "")
            changed += 1
    return changed


def _one_each(some: Sequence[_Face], heirs: Mapping[int, _Face]) -> dict[int, _Face]:
    """What faces of one photo may inherit, so that no machine's word puts anybody there twice."""
    kept = dict(heirs)
    while True:
        holders: dict[int, list[_Face]] = {}
        for face in some:
            person = kept[face.row].person if face.row in kept else face.person
            if person is not None:
                holders.setdefault(person, []).append(face)
        # Of several who would be one person, those step back that inherit a machine's word.
        back = [
            face.row
            for faces_ in holders.values()
            if len(faces_) > 1
            for face in sorted(faces_, key=lambda face: face.row in kept)[1:]
            if face.row in kept and kept[face.row].by != AssignedBy.HUMAN.value
        ]
        if not back:
            return kept
        for row in back:
            del kept[row]


class _Face:
    """One face with its assignment, as far as replaying needs it."""

    def __init__(self, row: int, place: FaceKey, person: int | None, by: str | None, not_a_face: bool) -> None:
        self.row, self.place, self.person, self.by, self.not_a_face = row, place, person, by, not_a_face


def _faces_of(
    connection: Connection, contents: set[str], engine: str, gallery: str, *, elsewhere: bool = False
) -> dict[str, list[_Face]]:
    """The faces of some photos in a gallery, or in all others, by content."""
    found: dict[str, list[_Face]] = {}
    mine = (faces.c.engine == engine) & (faces.c.gallery == gallery)
    for some in batches(sorted(contents)):
        query = (
            select(
                faces.c.id,
                photos.c.sha256,
                faces.c.box_left,
                faces.c.box_top,
                faces.c.box_width,
                faces.c.box_height,
                assignments.c.person_id,
                assignments.c.by,
                faces.c.not_a_face,
            )
            .select_from(faces.join(photos).outerjoin(assignments, assignments.c.face_id == faces.c.id))
            .where(photos.c.sha256.in_(some), ~mine if elsewhere else mine)
            .order_by(faces.c.id)
        )
        for row, sha256, left, top, width, height, person, by, not_a_face in connection.execute(query):
            place = FaceKey(sha256, BoundingBox(left, top, width, height))
            found.setdefault(sha256, []).append(_Face(row, place, person, by, bool(not_a_face)))
    return found


def _best(place: FaceKey, near: Sequence[_Face]) -> _Face | None:
    same = [face for face in near if face.place.same(place)]
    return max(same, key=lambda face: face.place.box.iou(place.box), default=None)

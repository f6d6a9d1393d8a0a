"""The faces of a file of labels, given to whom they belong by it, whichever engine sees them here."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from catalog.domain.face_key import FaceKey
from catalog.domain.faces import BoundingBox
from catalog.domain.people import AssignedBy
from catalog.domain.timestamps import utc_text
from catalog.identities.decisions.import_label_decisions import LocalDecisions, decision_key, known_decisions
from catalog.identities.decisions.log import effective_decisions, place_of, read_decisions
from catalog.store.people import assign
from catalog.store.person_index import PersonIndex, all_persons
from catalog.store.tables import BOX_COLUMNS, assignments, decisions, faces, photos
from catalog.store.upsert import batches

_ANCHORS = 8
"""Faces by which a person is found again on photos that are not scanned yet."""


@dataclass(frozen=True, slots=True)
class _Label:
    """A face of the file. ``meant`` says that a human said something about its person there."""

    place: FaceKey
    person_id: str
    by: AssignedBy
    meant: bool


@dataclass(slots=True, eq=False)
class _Face:
    """A face that is here. ``person`` is the row id of whom it belongs to, redirects followed."""

    row: int
    gallery: tuple[str, str]
    place: FaceKey
    not_a_face: bool
    person: int | None
    by: AssignedBy | None


def restore_faces(
    connection: Connection,
    people: Sequence[Mapping[str, Any]],
    *,
    meant: Set[str],
    spoken: Set[int],
    now: datetime,
) -> int:
    """Give the persons of a file their faces; returns how many.

    ``meant`` are public ids of those of the file about whom a human said something, there or here; ``spoken`` row ids
    of those about whom a human said something here before. Who has no face here is known by entries of the ledger
    that wait for the photos.
    """
    leads = PersonIndex.of(all_persons(connection))
    words = LocalDecisions(effective_decisions(read_decisions(connection)), leads)
    wanted: dict[str, list[_Label]] = defaultdict(list)
    for person in people:
        for label in _labels(person, meant):
            wanted[label.place.sha256].append(label)
    met: set[str] = set()
    given: dict[tuple[int, AssignedBy], list[int]] = defaultdict(list)
    for some in batches(list(wanted)):
        for sha256, there in _faces_on(connection, some, leads).items():
            for face, label in _given(wanted[sha256], there, leads, words, spoken, met):
                given[_row(leads, label), label.by].append(face.row)
    for (person_row, by), rows in given.items():
        assign(connection, [(row, None) for row in rows], person_row, by, utc_text(now) or "")
    _find_later(connection, [person for person in people if person["person_id"] not in met], words)
    return sum(map(len, given.values()))


def _labels(person: Mapping[str, Any], meant: Set[str]) -> list[_Label]:
    public = person["person_id"]
    return [
        _Label(FaceKey(sha256, BoundingBox(*box)), public, AssignedBy(by), public in meant)
        for sha256, *box, by in person["faces"]
    ]


def _faces_on(connection: Connection, contents: Sequence[str], leads: PersonIndex) -> dict[str, list[_Face]]:
    """The faces of some photos in all galleries, by content."""
    found: dict[str, list[_Face]] = defaultdict(list)
    query = (
        select(
            faces.c.id,
            faces.c.engine,
            faces.c.gallery,
            faces.c.not_a_face,
            photos.c.sha256,
            assignments.c.person_id,
            assignments.c.by,
            *(faces.c[edge] for edge in BOX_COLUMNS),
        )
        .select_from(faces.join(photos).outerjoin(assignments, assignments.c.face_id == faces.c.id))
        .where(photos.c.sha256.in_(contents))
        .order_by(faces.c.id)
    )
    for row, engine, gallery, not_a_face, sha256, person, by, *box in connection.execute(query):
        place = FaceKey(sha256, BoundingBox(*box))
        holder = None if person is None else leads.canonical_row(person).id
        known = None if by is None else AssignedBy(by)
        found[sha256].append(_Face(row, (engine, gallery), place, bool(not_a_face), holder, known))
    return found


def _given(
    labels: Sequence[_Label],
    there: Sequence[_Face],
    leads: PersonIndex,
    words: LocalDecisions,
    spoken: Set[int],
    met: set[str],
) -> Iterator[tuple[_Face, _Label]]:
    """The faces of one photo that change hands; adds to ``met`` whose faces are here.

    A label with which a gallery agrees already says nothing new, and none is heard against what was said here. Of two
    labels for one face, as two galleries make them, a human's counts first, then the one that fits best.
    """
    asked: dict[_Face, list[_Label]] = defaultdict(list)
    for label in labels:
        near = _nearest(label.place, there)
        if near:
            met.add(label.person_id)
        person = _row(leads, label)
        if all(face.person != person for face in near) and not words.contradict(label.place, label.person_id):
            for face in near:
                asked[face].append(label)
    for face, some in asked.items():
        label = max(
            some, key=lambda each: (each.by is AssignedBy.HUMAN, each.meant, each.place.box.iou(face.place.box))
        )
        person = _row(leads, label)
        if _may_have(face, label, spoken) and (label.by is AssignedBy.HUMAN or not _is_beside(face, person, there)):
            face.person, face.by = person, label.by
            yield face, label


def _may_have(face: _Face, label: _Label, spoken: Set[int]) -> bool:
    """Whether a label's word counts more than what is here."""
    if face.not_a_face or face.by is AssignedBy.HUMAN:
        return False
    return face.person is None or label.by is AssignedBy.HUMAN or (label.meant and face.person not in spoken)


def _is_beside(face: _Face, person: int, there: Sequence[_Face]) -> bool:
    """Whether a person has another face of the photo: no machine may say that somebody is twice on one."""
    return any(other is not face and other.gallery == face.gallery and other.person == person for other in there)


def _nearest(place: FaceKey, there: Sequence[_Face]) -> list[_Face]:
    """The face at a place in each gallery that sees one there."""
    best: dict[tuple[str, str], _Face] = {}
    for face in sorted(there, key=lambda each: -each.place.box.iou(place.box)):
        if face.place.same(place):
            best.setdefault(face.gallery, face)
    return list(best.values())


def _row(leads: PersonIndex, label: _Label) -> int:
    person = leads.canonical(label.person_id)
    assert person is not None, "persons are restored before their faces"
    return person.id


def _find_later(connection: Connection, people: Sequence[Mapping[str, Any]], words: LocalDecisions) -> None:
    """Let the ledger say who is on photos that are not scanned yet; a guess does not become a human's word by that."""
    known = known_decisions(connection)
    fresh = []
    for person in people:
        public = person["person_id"]
        best = [[sha256, *box] for sha256, *box, _ in person["faces"][:_ANCHORS]]
        exemplars = [each for each in best if not words.contradict(place_of(each), public)]
        row = {
            "decided_at": person["created_at"],
            "decided_by": "restore",
            "verb": "restore",
            "person_id": public,
            "other_person_id": None,
            "photo_sha256": None,
            **dict.fromkeys(BOX_COLUMNS),
            "details": json.dumps({"exemplars": exemplars}, separators=(",", ":")),
        }
        if exemplars and not known[decision_key(row)]:
            fresh.append(row)
    if fresh:
        connection.execute(insert(decisions), fresh)

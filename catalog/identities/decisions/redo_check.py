"""An undo of an undo makes the checks that the decision made the first time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection

from catalog.domain.decisions import Decision
from catalog.domain.errors import PersonError
from catalog.domain.face_key import FaceKey
from catalog.identities.decisions.effective import effective_decisions
from catalog.identities.decisions.log import read_decisions
from catalog.store.assignments import persons_with_photo_twice
from catalog.store.catalogued_faces import CataloguedFace, catalogued_faces_by_row, faces_of_person
from catalog.store.decided_rows import canonical_rows, persons_by_public_id
from catalog.store.people import find_person


def check_photos(
    connection: Connection, undone: Decision, restored: Sequence[int], reinstated: Sequence[Decision]
) -> None:
    """Refuse a redo that puts a person on a photo twice where no user decided so.

    A scan may have assigned faces of photos that were not there when the decision was made.
    """
    confirmed = effective_decisions(
        [*read_decisions(connection), *(replace(decision, undone_by=None) for decision in reinstated)]
    )
    keys: dict[str, list[FaceKey]] = defaultdict(list)
    for key, _ in confirmed.confirmed:
        keys[key.sha256].append(key)
    persons = {face.person_id for face in catalogued_faces_by_row(connection, restored).values()}
    # The log may have decisions on persons that the catalogue lacks, from a labels file.
    decided = persons_by_public_id(connection, {decision.person_id for decision in reinstated if decision.person_id})
    persons |= decided.keys()
    rows = canonical_rows(connection, {person for person in persons if person is not None})
    doubled = persons_with_photo_twice(connection, rows.values())
    for public_id in sorted(person for person, row in rows.items() if row in doubled):
        person = find_person(connection, public_id)
        twice = _twice_on_photo(faces_of_person(connection, person))
        open_photos = {
            face.sha256
            for faces in twice
            for face in faces
            if not any(face.place.same(key) for key in keys[face.sha256])
        }
        if open_photos:
            photos = f"{len(open_photos)} photo{'' if len(open_photos) == 1 else 's'}"
            raise PersonError(
                f"{person} would be on {photos} twice if decision {undone.number} were undone.",
                remedy="If the photos show one person twice (a mirror, a collage), merge again with --same-photo.",
            )


def _twice_on_photo(faces: Sequence[CataloguedFace]) -> list[list[CataloguedFace]]:
    """Return groups of different faces of one photo and gallery."""
    by_photo: dict[tuple[str, str, str], list[CataloguedFace]] = defaultdict(list)
    for face in faces:
        by_photo[face.sha256, face.engine, face.gallery].append(face)
    return [group for group in by_photo.values() if len(group) > 1]

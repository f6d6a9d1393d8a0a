"""References of a person who is forgotten, on the watch list and among employees, found by the face.

The name on the watch list and the employee's id are the user's own, so that they say nothing about the person.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from catalog.domain.engine import Engine
from catalog.domain.errors import NoFaceError
from catalog.domain.face_key import FaceKey
from catalog.domain.opened_photo import OpenedPhoto
from catalog.domain.recommended_thresholds import ACCEPT
from catalog.domain.timestamps import utc_text
from catalog.identities.decisions.log import DecisionStamp
from catalog.identities.matching.enroll_employee import remove_employee
from catalog.store.catalogued_faces import CataloguedFace, faces_by_content
from catalog.store.database import Database
from catalog.store.tombstones import WHOLE_PHOTO, Tombstone, add_tombstones
from catalog.store.verification_rows import StoredReference, all_references, delete_references, has_references
from catalog.store.watch_rows import all_watch_references, delete_watch_references

_MATCHES = 1
"""Only the most similar face of the gallery decides."""


@dataclass(frozen=True, slots=True)
class DeletedReferences:
    """Counts of deleted references. ``unchecked`` references were not compared, because the engine charges for it."""

    of_watch_list: int = 0
    of_employees: int = 0
    unchecked: int = 0


def delete_references_of(
    database: Database,
    engine: Engine,
    open_photo: Callable[[bytes], OpenedPhoto],
    faces: Sequence[CataloguedFace],
    stamp: DecisionStamp,
) -> DeletedReferences:
    """Delete the references that show one of these faces, before the faces are deleted.

    A reference shows the person if it was cut from a photo on which the person is alone. A free engine also finds it by
    the face: the most similar face of the gallery is the person's, with a similarity of 99 or more. An entry of the
    watch list without a reference left is deleted with its hits, and so is an employee. Tombstones of the photos make
    a restored backup lose the same references.
    """
    with database.read() as connection:
        watch_references = all_watch_references(connection)
        employee_references = all_references(connection)
        if not (watch_references or employee_references):
            return DeletedReferences()
        on_photos = faces_by_content(connection, {face.sha256 for face in faces})
    alone = {
        sha256 for sha256, faces_of_photo in on_photos.items() if len({face.person_id for face in faces_of_photo}) == 1
    }
    face_ids = {face.face_id for face in faces}
    unchecked = 0

    def shows_person(sha256: str, image: bytes) -> bool:
        nonlocal unchecked
        if sha256 in alone:
            return True
        if engine.capabilities.is_paid:
            unchecked += 1
            return False
        try:
            matches = engine.search(open_photo(image), ACCEPT, _MATCHES).matches
        except NoFaceError:
            return False
        return bool(matches) and matches[0].face_id in face_ids

    watch_rows = [row for row, sha256, image in watch_references if shows_person(sha256, image)]
    of_employees = [row for row in employee_references if shows_person(row.sha256, row.image)]
    with database.begin() as connection:
        _delete(connection, watch_rows, of_employees, stamp)
        photos = {sha256 for row, sha256, _ in watch_references if row in watch_rows}
        photos |= {row.sha256 for row in of_employees}
        now = str(utc_text(stamp.now))
        add_tombstones(connection, [Tombstone(FaceKey(sha256, WHOLE_PHOTO), now) for sha256 in sorted(photos)])
    return DeletedReferences(len(watch_rows), len(of_employees), unchecked)


def delete_references_of_photos(connection: Connection, contents: set[str], stamp: DecisionStamp) -> None:
    """Delete the references that were cut from photos with these content hashes, as :func:`delete_references_of`."""
    _delete(
        connection,
        [row for row, sha256, _ in all_watch_references(connection) if sha256 in contents],
        [row for row in all_references(connection) if row.sha256 in contents],
        stamp,
    )


def _delete(
    connection: Connection, watch_rows: Sequence[int], of_employees: Sequence[StoredReference], stamp: DecisionStamp
) -> None:
    delete_watch_references(connection, watch_rows)
    delete_references(connection, [row.row for row in of_employees])
    for employee_id in dict.fromkeys(row.employee_id for row in of_employees):
        if not has_references(connection, employee_id):
            remove_employee(connection, employee_id, stamp)

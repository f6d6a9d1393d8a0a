"""Undo never puts a person twice on a photo, if a machine assigned one of the two faces."""

from __future__ import annotations

import numpy as np
from sqlalchemy import select

from catalog.identities.decisions import verbs
from catalog.identities.decisions.undo import redo, undo
from catalog.store.catalogued_faces import catalogued_faces_by_row
from catalog.store.database import Database
from catalog.store.people import find_person
from catalog.store.tables import faces
from tests.identities.assigned_catalogue import settled
from tests.identities.decided_catalogue import STAMP
from tests.identities.made_library import LendingGallery, Shot, enroll, people, vector_near


def two_on_a_photo(database: Database, gallery: LendingGallery) -> list[int]:
    """Two persons with a photo of both and four of each. Returns the rows of their faces on the first."""
    rng = np.random.default_rng(3)
    ann, bob = people(2, rng, 128)[:2]
    shots = [Shot("both", [vector_near(ann, 0.85, rng), vector_near(bob, 0.85, rng)])]
    shots += [
        Shot(f"{name}-{number}", [vector_near(center, 0.85, rng)])
        for name, center in (("ann", ann), ("bob", bob))
        for number in range(4)
    ]
    settled(database, gallery, enroll(database, gallery, shots))
    with database.begin() as connection:
        return list(connection.scalars(select(faces.c.id).order_by(faces.c.photo_id, faces.c.id).limit(2)))


def test_a_restored_face_of_a_machine_yields_to_one_of_a_user(database: Database) -> None:
    """Two persons on a photo became one while the face of the one was marked as not a face."""
    gallery = LendingGallery()
    rows = two_on_a_photo(database, gallery)
    with database.begin() as connection:
        first, second = catalogued_faces_by_row(connection, rows).values()
        assert first.sha256 == second.sha256
        assert first.person_id != second.person_id
        persons = [find_person(connection, str(face.person_id)) for face in (first, second)]
        number = verbs.mark_not_a_face(connection, first, STAMP)
        verbs.confirm_face(connection, second, persons[1], STAMP)
        verbs.merge_persons(connection, *persons, STAMP)
    for turn in (lambda connection: undo(connection, number, STAMP), lambda connection: redo(connection, STAMP)):
        with database.begin() as connection:
            turn(connection)
            after = catalogued_faces_by_row(connection, rows)
            assert after[second.row].person_id == persons[0].person_id
            assert after[first.row].person_id is None
    with database.begin() as connection:
        undo(connection, number, STAMP)
    assert settled(database, gallery).conflicts == 0


def test_of_two_restored_faces_one_is_released(database: Database) -> None:
    """A confirmation took the place of the other face, and the persons became one afterwards."""
    gallery = LendingGallery()
    rows = two_on_a_photo(database, gallery)
    with database.begin() as connection:
        first, second = catalogued_faces_by_row(connection, rows).values()
        persons = [find_person(connection, str(face.person_id)) for face in (first, second)]
        number = verbs.confirm_face(connection, second, persons[0], STAMP)
        verbs.merge_persons(connection, *persons, STAMP)
        undo(connection, number, STAMP)
        after = catalogued_faces_by_row(connection, rows)
        assert sorted(str(after[row].person_id) for row in rows) == ["None", persons[0].person_id]
    assert settled(database, gallery).conflicts == 0
    with database.begin() as connection:
        redo(connection, STAMP)
        after = catalogued_faces_by_row(connection, rows)
        assert after[second.row].person_id == persons[0].person_id
    assert settled(database, gallery).conflicts == 0

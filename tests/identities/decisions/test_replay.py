"""Replay: decisions apply again after photos return, the engine changes or a gallery is built again."""

from __future__ import annotations

import numpy as np
from sqlalchemy import delete, select, update

from catalog.domain.people import AssignedBy
from catalog.identities.decisions import verbs
from catalog.identities.decisions.replay import copy_from_other_galleries
from catalog.store.assignments import assign
from catalog.store.catalogued_faces import faces_of_person
from catalog.store.database import Database
from catalog.store.people import add_persons, find_person
from catalog.store.tables import assignments, faces, persons
from catalog.store.tables import photos as photos_table
from tests.identities.assigned_catalogue import settled, who_is_who
from tests.identities.decided_catalogue import BOX, SHIFTED, STAMP, photos, unmerged_persons
from tests.identities.made_library import (
    NOW,
    LendingGallery,
    Shot,
    VectorGallery,
    boxes_for,
    enroll,
    people,
    vector_near,
)


def test_another_engine_finds_the_same_people_under_the_same_names(light_database: Database) -> None:
    """Its boxes differ a little and its vectors are unrelated. Ids, names and decisions are the same."""
    lending = LendingGallery()
    settled(light_database, lending, enroll(light_database, lending, photos(BOX, 1)))
    with light_database.begin() as connection:
        for number, person in enumerate(unmerged_persons(connection)):
            verbs.name_person(connection, person, f"name {number}", STAMP)
        first, second = unmerged_persons(connection)[:2]
        face = faces_of_person(connection, first)[0]
        verbs.confirm_face(connection, face, second, STAMP)
    listing = VectorGallery()
    result = settled(light_database, listing, enroll(light_database, listing, photos(SHIFTED, 2), night=1))
    assert result.persons_new == 0
    with light_database.read() as connection:
        for number in range(4):
            shown = faces_of_person(connection, find_person(connection, f"name {number}"))
            by_engine = [{f.sha256 for f in shown if f.engine == engine} for engine in ("local", "rekognition")]
            assert by_engine[0] == by_engine[1]


def test_decisions_apply_to_a_photo_that_returns(light_database: Database) -> None:
    """The rows of the faces were deleted with the photo."""
    gallery = LendingGallery()
    shots = photos(BOX, 1)
    settled(light_database, gallery, enroll(light_database, gallery, shots))
    with light_database.begin() as connection:
        first, second, third = unmerged_persons(connection)[:3]
        moved, removed = faces_of_person(connection, first)[0], faces_of_person(connection, third)[0]
        verbs.confirm_face(connection, moved, second, STAMP)
        verbs.mark_not_a_face(connection, removed, STAMP)
        connection.execute(delete(faces).where(faces.c.face_id.in_([moved.face_id, removed.face_id])))
    again = [shot for shot in shots if any(shot.name in (f.uri or "") for f in (moved, removed))]
    settled(light_database, gallery, enroll(light_database, gallery, again, night=1))
    assert who_is_who(light_database)[moved.face_id] == second.person_id
    assert removed.face_id not in who_is_who(light_database)


def test_a_migration_replaces_machine_assignments_and_keeps_decisions(light_database: Database) -> None:
    """Faces of the other engine that have persons get the persons of the first engine. Confirmed faces stay."""
    listing = VectorGallery()
    settled(light_database, listing, enroll(light_database, listing, photos(SHIFTED, 2)))
    with light_database.begin() as connection:
        face = faces_of_person(connection, unmerged_persons(connection)[0])[0]
        verbs.confirm_face(connection, face, unmerged_persons(connection)[1], STAMP)
        connection.execute(delete(assignments).where(assignments.c.by == "nobody"))
    lending = LendingGallery()
    enroll(light_database, lending, photos(BOX, 1), night=1)
    with light_database.begin() as connection:
        person = unmerged_persons(connection)[3]
        rows = list(connection.scalars(select(faces.c.id).where(faces.c.engine == "local")))
        for row in rows:
            connection.execute(
                assignments.insert(), {"face_id": row, "person_id": person.id, "by": "cluster", "assigned_at": "x"}
            )
        changed = copy_from_other_galleries(connection, engine="rekognition", gallery="catalog", now=NOW, overrule=True)
    assert changed == 16 - 4 - 1
    with light_database.read() as connection:
        remote_faces = {f.face_id for f in faces_of_person(connection, person) if f.engine == "rekognition"}
        assert face.face_id not in remote_faces
        assert len(remote_faces) == 15
        assert connection.scalar(select(persons.c.id).where(persons.c.id == person.id)) == person.id


def test_a_name_comes_back_with_the_photos(light_database: Database) -> None:
    """The name is the only decision. All photos left and returned."""
    gallery = LendingGallery()
    shots = photos(BOX, 1)
    settled(light_database, gallery, enroll(light_database, gallery, shots))
    with light_database.begin() as connection:
        ann = unmerged_persons(connection)[0]
        verbs.name_person(connection, ann, "Ann", STAMP)
        hers = {face.sha256 for face in faces_of_person(connection, ann)}
        connection.execute(delete(photos_table))
    settled(light_database, gallery)
    settled(light_database, gallery, enroll(light_database, gallery, shots, night=1))
    with light_database.read() as connection:
        assert {face.sha256 for face in faces_of_person(connection, find_person(connection, "Ann"))} == hers


def test_a_mirror_comes_back_as_one_person(light_database: Database) -> None:
    """A user merged the two faces of one photo. They are one person again when the photo returns."""
    rng = np.random.default_rng(1)
    gallery = LendingGallery()
    shots = [Shot("mirror", [vector_near(center, 0.9, rng) for center in people(2, rng, 128)])]
    settled(light_database, gallery, enroll(light_database, gallery, shots))
    with light_database.begin() as connection:
        first, second = unmerged_persons(connection)
        verbs.merge_persons(connection, first, second, STAMP, same_photo=True)
        connection.execute(delete(photos_table))
    settled(light_database, gallery, enroll(light_database, gallery, shots, night=1))
    assert set(who_is_who(light_database).values()) == {first.person_id}


def test_a_copied_assignment_puts_no_person_on_a_photo_twice(light_database: Database) -> None:
    """The second engine found one of two faces, and assigned it to the person of the other face."""
    rng = np.random.default_rng(2)
    first, second = people(2, rng, 128)
    listing, lending = VectorGallery(), LendingGallery()
    boxes = boxes_for(2)
    alone = [Shot(f"{n}", [vector_near(second, 0.9, rng)], [BOX]) for n in range(3)]
    pair = Shot("pair", [vector_near(first, 0.9, rng), vector_near(second, 0.9, rng)], boxes)
    settled(light_database, listing, enroll(light_database, listing, [pair, *alone]))
    shots = [Shot("pair", [vector_near(second, 0.9, rng)], boxes[:1]), *alone]
    settled(light_database, lending, enroll(light_database, lending, shots, night=1))
    with light_database.begin() as connection:
        larger = max(unmerged_persons(connection), key=lambda person: len(faces_of_person(connection, person)))
        local = select(faces.c.id).where(faces.c.engine == "local")
        connection.execute(update(assignments).where(assignments.c.face_id.in_(local)).values(person_id=larger.id))
        copy_from_other_galleries(connection, engine="rekognition", gallery="catalog", now=NOW, overrule=True)
    assert settled(light_database, listing).conflicts == 0


def test_a_rejection_applies_to_a_machine_assignment_made_after_it(light_database: Database) -> None:
    """The face is unassigned, and assigned again to another person."""
    ours = LendingGallery()
    settled(light_database, ours, enroll(light_database, ours, photos(BOX, 1)))
    with light_database.begin() as connection:
        ann = unmerged_persons(connection)[0]
        face = faces_of_person(connection, ann)[0]
        verbs.reject_face(connection, face, ann, STAMP)
        assign(connection, [(face.row, None)], ann.id, AssignedBy.CLUSTER, "2026-01-01T00:00:00.000000Z")
    settled(light_database, ours)
    assert who_is_who(light_database)[face.face_id] != ann.person_id


def test_one_face_in_two_galleries_is_no_co_occurrence(light_database: Database) -> None:
    """The same faces have two persons, one in each gallery. A merge needs no --same-photo."""
    lending, listing = LendingGallery(), VectorGallery()
    settled(light_database, lending, enroll(light_database, lending, photos(BOX, 1, count=1)))
    enroll(light_database, listing, photos(SHIFTED, 2, count=1), night=1)
    with light_database.begin() as connection:
        (ann,) = unmerged_persons(connection)
        (new_person,) = add_persons(connection, 1, NOW)
        remote_rows = list(connection.scalars(select(faces.c.id).where(faces.c.engine == "rekognition")))
        assign(
            connection,
            [(row, None) for row in remote_rows],
            new_person.id,
            AssignedBy.CLUSTER,
            "2026-01-01T00:00:00.000000Z",
        )
        verbs.merge_persons(connection, ann, new_person, STAMP)
        assert len(faces_of_person(connection, ann)) == 8

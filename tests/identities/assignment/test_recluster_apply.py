"""Applying a clustering from scratch: decisions made since the plan hold."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pytest
from sqlalchemy import select, update

from catalog.domain.errors import UsageError
from catalog.identities.assignment.recluster_apply import ReclusterResult, apply_recluster
from catalog.identities.assignment.recluster_plan import ReclusterPlan, plan_recluster
from catalog.identities.decisions import verbs
from catalog.identities.decisions.forget import forget_person
from catalog.identities.decisions.log import read_decisions
from catalog.identities.decisions.undo import undo
from catalog.store.catalogued_faces import CataloguedFace, faces_of_person
from catalog.store.database import Database
from catalog.store.people import find_person
from catalog.store.person_index import PersonRow
from catalog.store.tables import assignments, persons
from tests.identities.assigned_catalogue import as_engine, settled, who_is_who
from tests.identities.decided_catalogue import BOX, SHIFTED, STAMP, catalogue, unmerged_persons
from tests.identities.made_library import RULES, LendingGallery, Shot, VectorGallery, enroll, people, vector_near


def plan(database: Database, gallery: VectorGallery) -> ReclusterPlan:
    return plan_recluster(database, as_engine(gallery), RULES, gallery="catalog")


def apply(database: Database, gallery: VectorGallery) -> ReclusterResult:
    return apply_recluster(database, plan(database, gallery), STAMP)


def misplace(database: Database) -> tuple[PersonRow, PersonRow, list[CataloguedFace]]:
    """Move two faces of the first person to the second."""
    with database.begin() as connection:
        first, second = unmerged_persons(connection)[:2]
        faces = faces_of_person(connection, first)[:2]
        for face in faces:
            connection.execute(update(assignments).where(assignments.c.face_id == face.row).values(person_id=second.id))
    return first, second, faces


def tear(database: Database) -> tuple[PersonRow, PersonRow]:
    """Split the only person in two, as a machine would."""
    with database.begin() as connection:
        (person,) = unmerged_persons(connection)
        _, second = verbs.split_person(connection, person, faces_of_person(connection, person)[:2], STAMP)
        connection.execute(update(assignments).values(by="cluster"))
        connection.exec_driver_sql("DELETE FROM decisions")
    return person, second


def test_the_result_and_the_log_count_the_changes(light_database: Database) -> None:
    """The decision cannot be undone. Moved faces have a similarity."""
    gallery = catalogue(light_database)
    first, _, faces = misplace(light_database)
    done = apply(light_database, gallery)
    assert (done.moved, done.persons_new, done.redirected) == (2, 0, {})
    with light_database.begin() as connection:
        shown = {row.face_id: row.similarity for row in faces_of_person(connection, first)}
        assert all((shown[face.face_id] or 0) > 80 for face in faces)
        (entry,) = read_decisions(connection)
        assert (entry.verb, entry.payload.moved) == ("recluster", 2)
        with pytest.raises(UsageError, match="cannot be undone"):
            undo(connection, entry.number, STAMP)
        with pytest.raises(UsageError, match="no decision"):
            undo(connection, None, STAMP)


def test_a_face_rejected_since_the_plan_is_not_moved(light_database: Database) -> None:
    """The other face is."""
    gallery = catalogue(light_database)
    first, second, (refused, another) = misplace(light_database)
    change = plan(light_database, gallery)
    with light_database.begin() as connection:
        verbs.reject_face(connection, refused, first, STAMP)
    assert apply_recluster(light_database, change, STAMP).moved == 1
    now = who_is_who(light_database)
    assert (now[refused.face_id], now[another.face_id]) == (second.person_id, first.person_id)


def test_a_face_confirmed_since_the_plan_stays(light_database: Database) -> None:
    gallery = catalogue(light_database)
    _, second, faces = misplace(light_database)
    change = plan(light_database, gallery)
    with light_database.begin() as connection:
        for face in faces:
            verbs.confirm_face(connection, face, second, STAMP)
    assert apply_recluster(light_database, change, STAMP).moved == 0
    assert {who_is_who(light_database)[face.face_id] for face in faces} == {second.person_id}


def test_an_id_named_since_the_plan_is_not_redirected(light_database: Database) -> None:
    """Even if the person lost all faces."""
    gallery = catalogue(light_database, count=1, photos=6)
    _, second = tear(light_database)
    change = plan(light_database, gallery)
    assert list(change.emptied) == [second.person_id]
    with light_database.begin() as connection:
        verbs.name_person(connection, second, "Ann", STAMP)
    assert apply_recluster(light_database, change, STAMP).redirected == {}
    with light_database.read() as connection:
        assert find_person(connection, "Ann").person_id == second.person_id


def test_an_id_with_faces_in_another_gallery_is_not_redirected(light_database: Database) -> None:
    """No face keeps an id that redirects."""
    rng = np.random.default_rng(1)
    (center,) = people(1, rng, 128)
    lending, listing = LendingGallery(), VectorGallery()
    shots = [Shot(f"{n}", [vector_near(center, 0.85, rng)], [BOX]) for n in range(6)]
    settled(light_database, lending, enroll(light_database, lending, shots))
    _, second = tear(light_database)
    strangers = people(6, np.random.default_rng(9), 128)
    shown = [Shot(shot.name, [vector_near(strangers[n], 0.9, rng)], [SHIFTED]) for n, shot in enumerate(shots)]
    settled(light_database, listing, enroll(light_database, listing, shown, night=1))
    assert apply(light_database, lending).redirected == {}
    with light_database.read() as connection:
        assert len(faces_of_person(connection, find_person(connection, second.person_id))) == 2
        left = select(persons.c.person_id).join(assignments).where(persons.c.merged_into.is_not(None))
        assert connection.scalars(left).all() == []


def test_no_face_before_the_birth_date_is_moved_to_a_person(light_database: Database) -> None:
    """A lookalike is on photos taken ten years before the birth."""
    rng = np.random.default_rng(1)
    (center,) = people(1, rng, 128)
    gallery = LendingGallery()

    def shots(year: int) -> list[Shot]:
        day = datetime(year, 1, 2, tzinfo=UTC)
        return [Shot(f"{year}-{n}", [vector_near(center, 0.85, rng)], taken_at=day) for n in range(3)]

    settled(light_database, gallery, enroll(light_database, gallery, shots(2010)))
    with light_database.begin() as connection:
        (ann,) = unmerged_persons(connection)
        verbs.set_birth_date(connection, ann, date(2005, 1, 1), STAMP)
    settled(light_database, gallery, enroll(light_database, gallery, shots(2000), night=1))
    apply(light_database, gallery)
    with light_database.read() as connection:
        assert {row.taken_at.year for row in faces_of_person(connection, ann) if row.taken_at} == {2010}


def test_no_person_is_assigned_twice_on_a_photo(light_database: Database) -> None:
    """The confirmed faces look like two people who are together on a photo."""
    rng = np.random.default_rng(1)
    first, second = people(2, rng, 128)
    gallery = LendingGallery()
    shots = [
        Shot(f"{center}{n}", [vector_near((first, second)[center], 0.85, rng)]) for center in range(2) for n in range(3)
    ]
    settled(light_database, gallery, enroll(light_database, gallery, shots))
    with light_database.begin() as connection:
        ann, bob = unmerged_persons(connection)
        verbs.confirm_face(connection, faces_of_person(connection, ann)[0], ann, STAMP)
        verbs.confirm_face(connection, faces_of_person(connection, bob)[0], ann, STAMP)
    together = [Shot("both", [vector_near(first, 0.85, rng), vector_near(second, 0.85, rng)])]
    settled(light_database, gallery, enroll(light_database, gallery, together, night=1))
    apply(light_database, gallery)
    assert settled(light_database, gallery).conflicts == 0


def test_a_person_forgotten_since_the_plan_gets_no_face(light_database: Database) -> None:
    """The other moves are applied."""
    gallery = catalogue(light_database)
    _, second, _ = misplace(light_database)
    change = plan(light_database, gallery)
    forget_person(light_database, as_engine(gallery), second, STAMP, gallery="catalog")
    assert apply_recluster(light_database, change, STAMP).moved == 0
    assert second.person_id not in who_is_who(light_database).values()

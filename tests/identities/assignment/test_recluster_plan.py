"""Planning a clustering from scratch: only faces without a decision move, and ids are kept."""

from __future__ import annotations

import numpy as np
from sqlalchemy import update

from catalog.identities.assignment.recluster_apply import apply_recluster
from catalog.identities.assignment.recluster_plan import plan_recluster
from catalog.identities.decisions import verbs
from catalog.store.catalogued_faces import faces_of_person
from catalog.store.database import Database
from catalog.store.people import find_person
from catalog.store.person_index import all_persons
from catalog.store.tables import assignments
from tests.identities.assigned_catalogue import as_engine, settled, who_is_who
from tests.identities.decided_catalogue import STAMP, catalogue, unmerged_persons
from tests.identities.made_library import RULES, LendingGallery, VectorGallery


def plan(database: Database, gallery: VectorGallery) -> object:
    return plan_recluster(database, as_engine(gallery), RULES, gallery="catalog")


def scramble(database: Database) -> None:
    """Move half of the first person's faces to the second."""
    with database.begin() as connection:
        first, second = unmerged_persons(connection)[:2]
        for face in faces_of_person(connection, first)[:2]:
            connection.execute(update(assignments).where(assignments.c.face_id == face.row).values(person_id=second.id))


def test_a_right_catalogue_has_no_moves(light_database: Database) -> None:
    gallery = catalogue(light_database)
    change = plan_recluster(light_database, as_engine(gallery), RULES, gallery="catalog")
    assert (change.moved, change.persons_new, change.moves, change.emptied) == (0, 0, (), {})


def test_moved_faces_return_and_ids_stay(light_database: Database) -> None:
    """The plan changes nothing before it is applied."""
    gallery = catalogue(light_database)
    right = who_is_who(light_database)
    scramble(light_database)
    wrong = who_is_who(light_database)
    change = plan_recluster(light_database, as_engine(gallery), RULES, gallery="catalog")
    assert (change.moved, change.persons_new) == (2, 0)
    assert who_is_who(light_database) == wrong
    apply_recluster(light_database, change, STAMP)
    assert who_is_who(light_database) == right


def test_faces_with_a_decision_are_not_moved(light_database: Database) -> None:
    """A dissimilar confirmed face, a split and a merge."""
    gallery = catalogue(light_database)
    with light_database.begin() as connection:
        first, second, three, four = unmerged_persons(connection)
        odd = faces_of_person(connection, first)[0]
        verbs.confirm_face(connection, odd, second, STAMP)
        parted = faces_of_person(connection, three)[:2]
        _, another = verbs.split_person(connection, three, parted, STAMP)
        verbs.merge_persons(connection, first, four, STAMP)
    before = who_is_who(light_database)
    change = plan_recluster(light_database, as_engine(gallery), RULES, gallery="catalog")
    apply_recluster(light_database, change, STAMP)
    now = who_is_who(light_database)
    assert now[odd.face_id] == second.person_id
    assert {now[face.face_id] for face in parted} == {another.person_id}
    with light_database.read() as connection:
        assert find_person(connection, four.person_id).person_id == first.person_id
        assert len(all_persons(connection)) == 5
    own_faces = [face for face, person in before.items() if person == first.person_id]
    assert {now[face] for face in own_faces} == {first.person_id}


def test_an_emptied_id_redirects_to_the_person_that_got_its_faces(light_database: Database) -> None:
    gallery = catalogue(light_database, count=1, photos=6)
    rng = np.random.default_rng(0)
    with light_database.begin() as connection:
        (person,) = unmerged_persons(connection)
        number, second = verbs.split_person(connection, person, faces_of_person(connection, person)[:2], STAMP)
        connection.execute(update(assignments).values(by="cluster"))
        connection.exec_driver_sql("DELETE FROM decisions")
    assert number == 1
    assert rng is not None
    change = plan_recluster(light_database, as_engine(gallery), RULES, gallery="catalog")
    assert change.emptied == {second.person_id: person.person_id}
    apply_recluster(light_database, change, STAMP)
    with light_database.read() as connection:
        assert find_person(connection, second.person_id).person_id == person.person_id
    assert settled(light_database, gallery).persons_new == 0
    assert isinstance(gallery, LendingGallery)

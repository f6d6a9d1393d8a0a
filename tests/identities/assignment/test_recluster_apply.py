"""Clustering anew is carried out as far as it still stands: what humans said since it was planned holds."""

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
from tests.identities.made_library import RULES, LendingGallery, Shot, VectorGallery, enroll, near, people


def plan(database: Database, gallery: VectorGallery) -> ReclusterPlan:
    return plan_recluster(database, as_engine(gallery), RULES, gallery="catalog")


def apply(database: Database, gallery: VectorGallery) -> ReclusterResult:
    return apply_recluster(database, plan(database, gallery), STAMP)


def misplace(database: Database) -> tuple[PersonRow, PersonRow, list[CataloguedFace]]:
    """Two faces of the first person are with the second, as after a bad night."""
    with database.begin() as connection:
        one, two = unmerged_persons(connection)[:2]
        faces = faces_of_person(connection, one)[:2]
        for face in faces:
            connection.execute(update(assignments).where(assignments.c.face_id == face.row).values(person_id=two.id))
    return one, two, faces


def tear(database: Database) -> tuple[PersonRow, PersonRow]:
    """The only person is two, by a machine."""
    with database.begin() as connection:
        (person,) = unmerged_persons(connection)
        _, other = verbs.split_person(connection, person, faces_of_person(connection, person)[:2], STAMP)
        connection.execute(update(assignments).values(by="cluster"))
        connection.exec_driver_sql("DELETE FROM decisions")
    return person, other


def test_it_tells_what_it_did(light_database: Database) -> None:
    """In the ledger too, which cannot take it back; and faces are told how alike their company is."""
    gallery = catalogue(light_database)
    one, _, faces = misplace(light_database)
    done = apply(light_database, gallery)
    assert (done.moved, done.persons_new, done.redirected) == (2, 0, {})
    with light_database.begin() as connection:
        shown = {each.face_id: each.similarity for each in faces_of_person(connection, one)}
        assert all((shown[face.face_id] or 0) > 80 for face in faces)
        (entry,) = read_decisions(connection)
        assert (entry.verb, entry.payload.moved) == ("recluster", 2)
        with pytest.raises(UsageError, match="cannot be undone"):
            undo(connection, entry.number, STAMP)
        with pytest.raises(UsageError, match="no decision"):
            undo(connection, None, STAMP)


def test_a_face_refused_since_the_plan_does_not_come(light_database: Database) -> None:
    """The other one does."""
    gallery = catalogue(light_database)
    one, two, (refused, other) = misplace(light_database)
    change = plan(light_database, gallery)
    with light_database.begin() as connection:
        verbs.reject_face(connection, refused, one, STAMP)
    assert apply_recluster(light_database, change, STAMP).moved == 1
    now = who_is_who(light_database)
    assert (now[refused.face_id], now[other.face_id]) == (two.person_id, one.person_id)


def test_a_face_confirmed_since_the_plan_stays(light_database: Database) -> None:
    """Nothing is moved, and nothing else is said."""
    gallery = catalogue(light_database)
    _, two, faces = misplace(light_database)
    change = plan(light_database, gallery)
    with light_database.begin() as connection:
        for face in faces:
            verbs.confirm_face(connection, face, two, STAMP)
    assert apply_recluster(light_database, change, STAMP).moved == 0
    assert {who_is_who(light_database)[face.face_id] for face in faces} == {two.person_id}


def test_an_id_named_since_the_plan_is_not_redirected(light_database: Database) -> None:
    """Ann may have lost her faces; her name is there."""
    gallery = catalogue(light_database, count=1, photos=6)
    _, other = tear(light_database)
    change = plan(light_database, gallery)
    assert list(change.emptied) == [other.person_id]
    with light_database.begin() as connection:
        verbs.name_person(connection, other, "Ann", STAMP)
    assert apply_recluster(light_database, change, STAMP).redirected == {}
    with light_database.read() as connection:
        assert find_person(connection, "Ann").person_id == other.person_id


def test_an_id_with_faces_in_another_gallery_is_not_redirected(light_database: Database) -> None:
    """To the other engine they are not alike; none of its faces is left with an id that leads elsewhere."""
    rng = np.random.default_rng(1)
    (center,) = people(1, rng, 128)
    ours, theirs = LendingGallery(), VectorGallery()
    shots = [Shot(f"{n}", [near(center, 0.85, rng)], [BOX]) for n in range(6)]
    settled(light_database, ours, enroll(light_database, ours, shots))
    _, other = tear(light_database)
    strangers = people(6, np.random.default_rng(9), 128)
    seen = [Shot(shot.name, [near(strangers[n], 0.9, rng)], [SHIFTED]) for n, shot in enumerate(shots)]
    settled(light_database, theirs, enroll(light_database, theirs, seen, night=1))
    assert apply(light_database, ours).redirected == {}
    with light_database.read() as connection:
        assert len(faces_of_person(connection, find_person(connection, other.person_id))) == 2
        left = select(persons.c.person_id).join(assignments).where(persons.c.merged_into.is_not(None))
        assert connection.scalars(left).all() == []


def test_nobody_gets_faces_from_before_being_born(light_database: Database) -> None:
    """Photos of ten years before, on which somebody just like that stands."""
    rng = np.random.default_rng(1)
    (center,) = people(1, rng, 128)
    gallery = LendingGallery()

    def shots(year: int) -> list[Shot]:
        day = datetime(year, 1, 2, tzinfo=UTC)
        return [Shot(f"{year}-{n}", [near(center, 0.85, rng)], taken_at=day) for n in range(3)]

    settled(light_database, gallery, enroll(light_database, gallery, shots(2010)))
    with light_database.begin() as connection:
        (ann,) = unmerged_persons(connection)
        verbs.set_birth_date(connection, ann, date(2005, 1, 1), STAMP)
    settled(light_database, gallery, enroll(light_database, gallery, shots(2000), night=1))
    apply(light_database, gallery)
    with light_database.read() as connection:
        assert {each.taken_at.year for each in faces_of_person(connection, ann) if each.taken_at} == {2010}


def test_nobody_is_put_twice_on_a_photo(light_database: Database) -> None:
    """Ann's confirmed faces look like two people, and both of these stand on one photo."""
    rng = np.random.default_rng(1)
    one, two = people(2, rng, 128)
    gallery = LendingGallery()
    shots = [Shot(f"{who}{n}", [near((one, two)[who], 0.85, rng)]) for who in range(2) for n in range(3)]
    settled(light_database, gallery, enroll(light_database, gallery, shots))
    with light_database.begin() as connection:
        ann, bob = unmerged_persons(connection)
        verbs.confirm_face(connection, faces_of_person(connection, ann)[0], ann, STAMP)
        verbs.confirm_face(connection, faces_of_person(connection, bob)[0], ann, STAMP)
    both = [Shot("both", [near(one, 0.85, rng), near(two, 0.85, rng)])]
    settled(light_database, gallery, enroll(light_database, gallery, both, night=1))
    apply(light_database, gallery)
    assert settled(light_database, gallery).conflicts == 0


def test_somebody_forgotten_since_the_plan_stays_so(light_database: Database) -> None:
    """The rest of the plan is carried out."""
    gallery = catalogue(light_database)
    _, two, _ = misplace(light_database)
    change = plan(light_database, gallery)
    forget_person(light_database, as_engine(gallery), two, STAMP, gallery="catalog")
    assert apply_recluster(light_database, change, STAMP).moved == 0
    assert two.person_id not in who_is_who(light_database).values()

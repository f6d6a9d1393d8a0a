"""Assignment of people after each scan."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select, update

from catalog.domain.errors import EngineError
from catalog.domain.faces import BoundingBox
from catalog.domain.people import AssignedBy
from catalog.identities.assignment.neighbor_searches import plan_searches
from catalog.identities.decisions.log import DecisionStamp
from catalog.identities.decisions.verbs import reject_face, set_birth_date
from catalog.store.assignments import assign
from catalog.store.catalogued_faces import faces_of_person
from catalog.store.database import Database
from catalog.store.people import add_persons, find_person
from catalog.store.person_index import all_persons
from catalog.store.tables import assignments, charges, faces, matches, persons, photos, searches
from tests.identities.assigned_catalogue import album, fresh_database, groups, settled, who_is_who
from tests.identities.made_library import (
    NOW,
    RULES,
    LendingGallery,
    Shot,
    VectorGallery,
    boxes_for,
    digest,
    enroll,
    people,
    vector_near,
)


@pytest.mark.parametrize("make", [LendingGallery, VectorGallery])
def test_every_seed_face_gets_a_person_single_faces_included(
    database: Database, make: type[VectorGallery], rng: np.random.Generator
) -> None:
    gallery = make()
    scan_id = enroll(database, gallery, album(rng))
    result = settled(database, gallery, scan_id)
    assert None not in who_is_who(database).values()
    assert result.persons_new == 8
    assert (result.persons_deleted, result.churn, result.conflicts) == (0, 0, 0)


def test_a_second_assignment_changes_nothing_and_searches_nothing(
    light_database: Database, rng: np.random.Generator
) -> None:
    gallery = VectorGallery()
    settled(light_database, gallery, enroll(light_database, gallery, album(rng)))
    before, calls = who_is_who(light_database), gallery.calls
    again = settled(light_database, gallery)
    assert (again.faces_assigned, again.persons_new, again.searches) == (0, 0, 0)
    assert who_is_who(light_database) == before
    assert gallery.calls == calls


@given(seed=st.integers(0, 10_000), nights=st.integers(2, 5), lending=st.booleans())
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_faces_of_one_person_stay_together_and_no_id_is_deleted(
    seed: int, nights: int, lending: bool, sqlite_template: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Over several scans in any order."""
    with fresh_database(sqlite_template, tmp_path_factory) as database:
        rng = np.random.default_rng(seed)
        gallery: VectorGallery = LendingGallery() if lending else VectorGallery()
        shots = album(rng, count=6, photos=24)
        before: set[frozenset[str]] = set()
        ids: set[str] = set()
        for night in range(nights):
            part = shots[night::nights]
            result = settled(database, gallery, enroll(database, gallery, part, night=night))
            now = groups(database)
            assert all(any(old <= new for new in now) for old in before)
            with database.read() as connection:
                existing = set(connection.scalars(select(persons.c.person_id)))
            assert ids <= existing
            assert (result.persons_deleted, result.churn, result.conflicts) == (0, 0, 0)
            before, ids = now, existing


def test_two_faces_of_one_photo_are_two_people(light_database: Database, rng: np.random.Generator) -> None:
    """Also if they are as similar as one person."""
    (center,) = people(1, rng, 128)
    gallery = LendingGallery()
    shots = [Shot("twins.jpg", [vector_near(center, 0.95, rng), vector_near(center, 0.95, rng)])]
    result = settled(light_database, gallery, enroll(light_database, gallery, shots))
    assert result.persons_new == 2
    assert result.conflicts == 0


def test_a_poor_face_joins_a_person_and_starts_none(light_database: Database, rng: np.random.Generator) -> None:
    """A small, blurred face of a stranger stays unassigned."""
    centers = people(2, rng, 128)
    gallery = LendingGallery()
    shots = [
        Shot("good.jpg", [vector_near(centers[0], 0.85, rng)]),
        Shot("poor.jpg", [vector_near(centers[0], 0.85, rng)], poor=[True]),
        Shot("stranger.jpg", [vector_near(centers[1], 0.85, rng)], poor=[True]),
    ]
    result = settled(light_database, gallery, enroll(light_database, gallery, shots))
    assert (result.persons_new, result.faces_assigned) == (1, 2)
    assert list(who_is_who(light_database).values()).count(None) == 1


def test_a_face_between_two_persons_merges_them_and_the_younger_id_redirects(
    light_database: Database, rng: np.random.Generator
) -> None:
    (center,) = people(1, rng, 128)
    away = vector_near(center, 0.0, rng).astype(np.float64)
    tilt = [np.asarray(center * np.cos(a) + away * np.sin(a), dtype=np.float32) for a in (0.0, 1.2, 0.6)]
    gallery = LendingGallery()
    settled(light_database, gallery, enroll(light_database, gallery, [Shot("a", [tilt[0]])], night=0))
    settled(light_database, gallery, enroll(light_database, gallery, [Shot("b", [tilt[1]])], night=1))
    assert len(groups(light_database)) == 2
    result = settled(light_database, gallery, enroll(light_database, gallery, [Shot("c", [tilt[2]])], night=2))
    assert (result.persons_merged, result.persons_deleted) == (1, 0)
    with light_database.read() as connection:
        rows = connection.execute(select(persons).order_by(persons.c.id)).all()
    assert [row.merged_into for row in rows] == [None, rows[0].id]


def test_no_face_is_searched_twice(light_database: Database, rng: np.random.Generator) -> None:
    """Each list is stored with its charge, and there are fewer lists than faces."""
    gallery = VectorGallery()
    shots = album(rng, photos=40)
    first = settled(light_database, gallery, enroll(light_database, gallery, shots[:20]))
    second = settled(light_database, gallery, enroll(light_database, gallery, shots[20:], night=1))
    with light_database.read() as connection:
        kept_person = connection.scalar(select(func.count()).select_from(searches))
        paid = connection.scalar(select(func.sum(charges.c.calls)))
        edges = connection.scalar(select(func.count()).select_from(matches))
        count = connection.scalar(select(func.count()).select_from(faces)) or 0
    assert kept_person == paid == gallery.calls == first.searches + second.searches
    assert gallery.calls < count
    assert edges


def test_a_failed_run_continues_where_it_stopped(light_database: Database, rng: np.random.Generator) -> None:
    """Searches before the failure are stored, and the next run makes the others only."""
    shots = album(rng)

    class Failing(VectorGallery):
        def neighbors(self, face_id: str, threshold: float, limit: int = 4096) -> Any:
            if self.calls == 7:
                raise EngineError("the line is dead")
            return super().neighbors(face_id, threshold, limit)

    failing = Failing()
    scan_id = enroll(light_database, failing, shots)
    with pytest.raises(EngineError):
        settled(light_database, failing, scan_id)
    with light_database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(searches)) == 7
    revived = VectorGallery(vectors=failing.vectors, sha256=failing.sha256)
    result = settled(light_database, revived, scan_id)
    whole = VectorGallery(vectors=failing.vectors, sha256=failing.sha256)
    assert result.searches == revived.calls
    assert None not in who_is_who(light_database).values()
    assert revived.calls + 7 <= len(whole.vectors)


def test_covered_faces_get_the_same_persons_as_if_all_were_searched(
    light_database: Database, tmp_path_factory: pytest.TempPathFactory, sqlite_template: Any, rng: np.random.Generator
) -> None:
    shots = album(rng, photos=60)
    spared, everybody = VectorGallery(), VectorGallery()
    settled(light_database, spared, enroll(light_database, spared, shots))
    with fresh_database(sqlite_template, tmp_path_factory) as second:
        rules = replace(RULES.search, covered_similarity=100.1)
        settled(second, everybody, enroll(second, everybody, shots), search=rules)
        assert groups(light_database) == groups(second)
    assert spared.calls < everybody.calls == len(everybody.vectors)


def test_siblings_with_one_searched_face_each_stay_two(
    light_database: Database, tmp_path_factory: pytest.TempPathFactory, sqlite_template: Any
) -> None:
    """If all faces are searched, a first run has no merge margin, and they are similar enough to merge."""
    first = np.eye(128)[0]
    second = 0.45 * first + np.sqrt(1 - 0.45**2) * np.eye(128)[1]
    shots = [
        Shot(f"{name}{number}.jpg", [(face + 0.001 * np.eye(128)[2 + number]).astype(np.float32)])
        for name, face in (("one", first), ("other", second))
        for number in range(6)
    ]
    spared, everybody = VectorGallery(), VectorGallery()
    assert settled(light_database, spared, enroll(light_database, spared, shots)).persons_new == 2
    assert spared.calls == 2
    with fresh_database(sqlite_template, tmp_path_factory) as other_database:
        rules = replace(RULES.search, covered_similarity=100.1)
        assert (
            settled(other_database, everybody, enroll(other_database, everybody, shots), search=rules).persons_new == 1
        )


def test_the_plan_counts_searches_in_advance(light_database: Database, rng: np.random.Generator) -> None:
    """Faces without a search are counted exactly; searches of new photos are estimated."""
    gallery = VectorGallery()
    scan_id = enroll(light_database, gallery, album(rng))

    def plan(new_photos: int) -> Any:
        with light_database.read() as connection:
            return plan_searches(connection, engine="rekognition", gallery="catalog", new_photos=new_photos)

    assert plan(0).at_most == len(gallery.vectors)
    settled(light_database, gallery, scan_id)
    assert (plan(0).at_most, plan(0).expected) == (0, 0)
    assert 0 < plan(10).expected <= plan(10).at_most


def test_no_face_before_the_birth_date_is_assigned(light_database: Database, rng: np.random.Generator) -> None:
    """Older photos of a lookalike become another person."""
    (center,) = people(1, rng, 128)
    gallery = LendingGallery()

    def shots(year: int) -> list[Shot]:
        when = datetime(year, 1, 2, tzinfo=UTC)
        return [Shot(f"{year}-{n}", [vector_near(center, 0.85, rng)], taken_at=when) for n in range(3)]

    settled(light_database, gallery, enroll(light_database, gallery, shots(2010)))
    with light_database.begin() as connection:
        (person,) = all_persons(connection)
        set_birth_date(connection, person, date(2005, 1, 1), DecisionStamp("tester", NOW))
    settled(light_database, gallery, enroll(light_database, gallery, shots(2000), night=1))
    settled(light_database, gallery, enroll(light_database, gallery, shots(2015), night=2))
    assert sorted(len(group) for group in groups(light_database)) == [3, 6]


def test_a_decision_made_while_faces_are_clustered_holds(light_database: Database, rng: np.random.Generator) -> None:
    """A face confirmed meanwhile keeps its person, and a deleted face is not assigned."""

    class Meanwhile(LendingGallery):
        def neighbor_edges(self, face_ids: Any, *, per_face: int, floor: float) -> Any:
            with light_database.begin() as connection:
                (person,) = add_persons(connection, 1, NOW)
                rows = connection.scalars(select(faces.c.id).order_by(faces.c.id).limit(2)).all()
                assign(connection, [(rows[0], None)], person.id, AssignedBy.HUMAN, "x")
                connection.execute(delete(faces).where(faces.c.id == rows[1]))
            return super().neighbor_edges(face_ids, per_face=per_face, floor=floor)

    gallery = Meanwhile()
    scan_id = enroll(light_database, gallery, album(rng, photos=6))
    result = settled(light_database, gallery, scan_id)
    assert result.faces_assigned == len(gallery.vectors) - 2
    assert None not in who_is_who(light_database).values()


def test_two_persons_on_one_photo_of_another_gallery_are_not_merged(light_database: Database) -> None:
    """They look like one person to the engine that did not see that photo."""
    rng = np.random.default_rng(5)
    first, second = people(2, rng, 128)
    lending, listing = LendingGallery(), VectorGallery()
    box, drawn_otherwise = BoundingBox(0.30, 0.30, 0.20, 0.30), BoundingBox(0.31, 0.29, 0.21, 0.30)
    alone = [
        Shot(f"{center}{n}", [vector_near((first, second)[center], 0.85, rng)], [box])
        for center in range(2)
        for n in range(2)
    ]
    pair = Shot("pair", [vector_near(first, 0.85, rng), vector_near(second, 0.85, rng)], boxes_for(2))
    settled(light_database, lending, enroll(light_database, lending, [*alone, pair]))
    (lookalike,) = people(1, rng, 128)
    shown = [Shot(shot.name, [vector_near(lookalike, 0.93, rng)], [drawn_otherwise]) for shot in alone]
    result = settled(light_database, listing, enroll(light_database, listing, shown, night=1))
    assert (result.persons_merged, settled(light_database, lending).conflicts) == (0, 0)


def test_persons_separated_in_another_gallery_are_not_merged(light_database: Database) -> None:
    """The rejected face is not in this gallery."""
    rng = np.random.default_rng(5)
    (center,) = people(1, rng, 128)
    lending, listing = LendingGallery(), VectorGallery()
    box, drawn_otherwise = BoundingBox(0.30, 0.30, 0.20, 0.30), BoundingBox(0.31, 0.29, 0.21, 0.30)
    shots = [Shot(f"{n}", [vector_near(center, 0.85, rng)], [box]) for n in range(5)]
    settled(light_database, lending, enroll(light_database, lending, shots))
    stamp = DecisionStamp("tester", NOW)
    with light_database.begin() as connection:
        (ann,) = all_persons(connection)
        face = faces_of_person(connection, ann)[0]
        reject_face(connection, face, ann, stamp)
    settled(light_database, lending)
    second = who_is_who(light_database)[face.face_id]
    twin = Shot("twin", [lending.vectors[face.face_id]], [box])
    settled(light_database, lending, enroll(light_database, lending, [twin], night=1))
    with light_database.begin() as connection:
        row = find_person(connection, second).id
        twin_faces = select(faces.c.id).join(photos).where(photos.c.sha256 == digest("twin"))
        connection.execute(update(assignments).where(assignments.c.face_id.in_(twin_faces)).values(person_id=row))
    shown = [
        Shot(shot.name, [vector_near(center, 0.93, rng)], [drawn_otherwise])
        for shot in [*shots, twin]
        if digest(shot.name) != face.sha256
    ]
    settled(light_database, listing, enroll(light_database, listing, shown, night=2))
    assert who_is_who(light_database)[face.face_id] == second

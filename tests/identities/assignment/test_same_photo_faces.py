"""A person is on a photo once, except for copies of one face; doubtful faces are suggested."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import update

from catalog.identities.assignment.recluster_apply import apply_recluster
from catalog.identities.assignment.recluster_plan import plan_recluster
from catalog.identities.assignment.suggestions import Suggestion, suggest
from catalog.identities.decisions import verbs
from catalog.store.catalogued_faces import faces_of_person
from catalog.store.database import Database
from catalog.store.person_index import PersonRow
from catalog.store.tables import assignments
from tests.identities.assigned_catalogue import as_engine, groups, settled
from tests.identities.decided_catalogue import STAMP, unmerged_persons
from tests.identities.made_library import RULES, LendingGallery, Shot, VectorGallery, enroll, people, vector_near

ENGINES = pytest.mark.parametrize("make", [LendingGallery, VectorGallery], ids=["group means", "searches"])
COPY = 0.99
SHOT = 0.86
"""Cosine to the person: two shots of one person have about 0.74, two copies 0.98."""


def shots_of(center: NDArray[np.float64], name: str, count: int, rng: np.random.Generator) -> list[Shot]:
    return [Shot(f"{name}-{number}", [vector_near(center, SHOT, rng)]) for number in range(count)]


def sheet_of(center: NDArray[np.float64], count: int, cosine: float, rng: np.random.Generator) -> Shot:
    return Shot("sheet", [vector_near(center, cosine, rng) for _ in range(count)])


def questions(database: Database, gallery: VectorGallery) -> list[Suggestion]:
    return suggest(database, as_engine(gallery), RULES, gallery="catalog", limit=20)


def persons_on(database: Database, name: str) -> list[PersonRow]:
    with database.read() as connection:
        return [
            person
            for person in unmerged_persons(connection)
            if any((face.uri or "").endswith(name) for face in faces_of_person(connection, person))
        ]


def sizes(database: Database) -> list[int]:
    return sorted(map(len, groups(database)))


@ENGINES
def test_prints_of_one_portrait_are_one_person_with_the_single_photos(
    database: Database, make: type[VectorGallery], rng: np.random.Generator
) -> None:
    gallery = make()
    (man,) = people(1, rng, 128)
    portrait = vector_near(man, SHOT, rng).astype(np.float64)
    shots = [*shots_of(man, "single", 3, rng), sheet_of(portrait, 3, COPY, rng)]
    result = settled(database, gallery, enroll(database, gallery, shots))
    assert sizes(database) == [6]
    assert (result.persons_new, result.conflicts) == (1, 0)
    assert questions(database, gallery) == []
    again = settled(database, gallery)
    assert (again.faces_assigned, again.conflicts) == (0, 0)


@ENGINES
@pytest.mark.parametrize("is_sheet_first", [True, False])
def test_a_contact_sheet_of_several_shots_separates_no_single_photos(
    database: Database, make: type[VectorGallery], is_sheet_first: bool, rng: np.random.Generator
) -> None:
    """The shots are no copies, so that only one of them joins the person; the others are suggested."""
    gallery = make()
    (man,) = people(1, rng, 128)
    singles, sheet = shots_of(man, "single", 4, rng), sheet_of(man, 3, SHOT, rng)
    nights = [[sheet], singles] if is_sheet_first else [singles, [sheet]]
    for night, shots in enumerate(nights):
        settled(database, gallery, enroll(database, gallery, shots, night=night))
    assert sizes(database) == [1, 1, 5]
    open_questions = questions(database, gallery)
    assert {row.id for question in open_questions for row in (question.person, question.other) if row} == {
        person.id for person in persons_on(database, "sheet")
    }
    assert all(question.same_photo for question in open_questions)


def test_a_yes_to_a_suggestion_on_one_photo_makes_one_person(
    light_database: Database, rng: np.random.Generator
) -> None:
    gallery = LendingGallery()
    (man,) = people(1, rng, 128)
    shots = [*shots_of(man, "single", 4, rng), sheet_of(man, 2, SHOT, rng)]
    settled(light_database, gallery, enroll(light_database, gallery, shots))
    (question,) = questions(light_database, gallery)
    assert question.other is not None
    with light_database.begin() as connection:
        verbs.merge_persons(connection, question.person, question.other, STAMP, same_photo=True)
    assert sizes(light_database) == [6]
    assert settled(light_database, gallery).conflicts == 0
    assert questions(light_database, gallery) == []


def test_a_no_to_a_suggestion_on_one_photo_is_not_asked_again(
    light_database: Database, rng: np.random.Generator
) -> None:
    gallery = LendingGallery()
    (man,) = people(1, rng, 128)
    shots = [*shots_of(man, "single", 4, rng), sheet_of(man, 2, SHOT, rng)]
    settled(light_database, gallery, enroll(light_database, gallery, shots))
    (question,) = questions(light_database, gallery)
    assert question.other is not None
    with light_database.begin() as connection:
        verbs.separate_persons(connection, question.person, question.other, STAMP)
    assert questions(light_database, gallery) == []


@ENGINES
def test_two_who_are_only_as_similar_as_relatives_are_not_suggested(
    light_database: Database, make: type[VectorGallery]
) -> None:
    rng = np.random.default_rng(4)
    gallery = make()
    (first,) = people(1, rng, 128)
    second = vector_near(first, 0.5, rng).astype(np.float64)
    together = [
        Shot(f"both-{number}", [vector_near(first, SHOT, rng), vector_near(second, SHOT, rng)]) for number in range(3)
    ]
    settled(light_database, gallery, enroll(light_database, gallery, together))
    assert sizes(light_database) == [3, 3]
    assert questions(light_database, gallery) == []


@ENGINES
def test_twins_stay_two_on_later_photos_once_a_user_separated_them(
    database: Database, make: type[VectorGallery], rng: np.random.Generator
) -> None:
    """They are near-identical to the engine: it takes them for copies at first."""
    gallery = make()
    (face,) = people(1, rng, 128)
    twins = [vector_near(face, 0.995, rng).astype(np.float64) for _ in range(2)]

    def photo(name: str) -> Shot:
        return Shot(name, [vector_near(twin, COPY, rng) for twin in twins])

    settled(database, gallery, enroll(database, gallery, [photo("first")]))
    assert sizes(database) == [2]
    with database.begin() as connection:
        (person,) = unmerged_persons(connection)
        first, _ = faces_of_person(connection, person)
        verbs.split_person(connection, person, [first], STAMP)
    result = settled(database, gallery, enroll(database, gallery, [photo("second"), photo("third")], night=1))
    assert sizes(database) == [3, 3]
    assert result.conflicts == 0


@ENGINES
def test_two_named_persons_are_not_merged_by_a_photo_of_copies(
    light_database: Database, make: type[VectorGallery], rng: np.random.Generator
) -> None:
    gallery = make()
    (face,) = people(1, rng, 128)
    settled(light_database, gallery, enroll(light_database, gallery, [sheet_of(face, 2, 0.8, rng)]))
    with light_database.begin() as connection:
        for person, name in zip(unmerged_persons(connection), ("Ann", "Bea"), strict=True):
            verbs.name_person(connection, person, name, STAMP)
    for face_id in gallery.vectors:
        gallery.vectors[face_id] = vector_near(face, COPY, rng)
    settled(light_database, gallery, enroll(light_database, gallery, shots_of(face, "single", 1, rng), night=1))
    assert sizes(light_database) == [1, 2]


@ENGINES
def test_persons_of_copies_made_by_an_earlier_version_are_merged_by_the_next_scan(
    light_database: Database, make: type[VectorGallery], rng: np.random.Generator
) -> None:
    gallery = make()
    (face,) = people(1, rng, 128)
    settled(light_database, gallery, enroll(light_database, gallery, [sheet_of(face, 3, COPY, rng)]))
    with light_database.begin() as connection:
        (person,) = unmerged_persons(connection)
        for face_on_sheet in faces_of_person(connection, person)[1:]:
            (second,) = verbs.add_persons(connection, 1, STAMP.now)
            query = update(assignments).where(assignments.c.face_id == face_on_sheet.row)
            connection.execute(query.values(person_id=second.id))
    assert sizes(light_database) == [1, 1, 1]
    result = settled(
        light_database, gallery, enroll(light_database, gallery, shots_of(face, "single", 2, rng), night=1)
    )
    assert sizes(light_database) == [5]
    assert (result.churn, result.conflicts) == (0, 0)


@ENGINES
def test_clustering_from_scratch_keeps_copies_together(
    light_database: Database, make: type[VectorGallery], rng: np.random.Generator
) -> None:
    gallery = make()
    (man,) = people(1, rng, 128)
    shots = [*shots_of(man, "single", 3, rng), sheet_of(vector_near(man, SHOT, rng).astype(np.float64), 3, COPY, rng)]
    settled(light_database, gallery, enroll(light_database, gallery, shots))
    with light_database.begin() as connection:
        (person,) = unmerged_persons(connection)
        verbs.confirm_face(connection, faces_of_person(connection, person)[0], person, STAMP)
        copies = [face for face in faces_of_person(connection, person) if "sheet" in (face.uri or "")]
        (second,) = verbs.add_persons(connection, 1, STAMP.now)
        query = update(assignments).where(assignments.c.face_id == copies[-1].row)
        connection.execute(query.values(person_id=second.id))
    plan = plan_recluster(light_database, as_engine(gallery), RULES, gallery="catalog")
    assert plan.moved == 1
    assert apply_recluster(light_database, plan, STAMP).moved == 1
    assert sizes(light_database) == [6]
    assert settled(light_database, gallery).conflicts == 0


def test_an_unassigned_face_beside_its_person_can_be_confirmed_too(
    light_database: Database, rng: np.random.Generator
) -> None:
    """A poor print is no copy, makes no person and is suggested; a yes keeps the other face of the photo."""
    gallery = LendingGallery()
    (man,) = people(1, rng, 128)
    sheet = Shot("sheet", [vector_near(man, SHOT, rng), vector_near(man, SHOT, rng)], poor=[False, True])
    shots = [*shots_of(man, "single", 3, rng), sheet]
    settled(light_database, gallery, enroll(light_database, gallery, shots))
    (question,) = questions(light_database, gallery)
    assert question.face is not None
    assert question.same_photo
    with light_database.begin() as connection:
        verbs.confirm_beside(connection, question.face, question.person, STAMP)
    assert sizes(light_database) == [5]
    assert settled(light_database, gallery).conflicts == 0

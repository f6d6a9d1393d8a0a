"""Suggestions: open questions only, the most useful first."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from catalog.domain.errors import PersonError
from catalog.identities.assignment.explain import explain
from catalog.identities.assignment.suggestions import Suggestion, suggest
from catalog.identities.clustering.similarity_graph import Linkage
from catalog.identities.decisions import verbs
from catalog.identities.decisions.undo import undo
from catalog.store.catalogued_faces import faces_of_person, find_face
from catalog.store.database import Database
from tests.identities.assigned_catalogue import as_engine, settled, who_is_who
from tests.identities.decided_catalogue import STAMP, unmerged_persons
from tests.identities.made_library import RULES, LendingGallery, Shot, VectorGallery, enroll, people, vector_near


def suggestions_of(database: Database, gallery: VectorGallery, limit: int = 20) -> list[Suggestion]:
    return suggest(database, as_engine(gallery), RULES, gallery="catalog", limit=limit)


def lookalikes(database: Database, gallery: VectorGallery, *, together: bool = False) -> None:
    """Two people whose faces are at about 0.36 of one another, each on four photos, and two strangers."""
    rng = np.random.default_rng(4)
    first, stranger = people(2, rng, 128)
    second = vector_near(first, 0.5, rng).astype(np.float64)
    shots = [
        Shot(f"{name}-{n}", [vector_near(center, 0.86, rng)])
        for name, center in (("a", first), ("b", second))
        for n in range(4)
    ]
    shots += [Shot(f"c-{n}", [vector_near(stranger, 0.86, rng)]) for n in range(2)]
    if together:
        shots.append(Shot("both", [vector_near(first, 0.9, rng), vector_near(second, 0.9, rng)]))
    settled(database, gallery, enroll(database, gallery, shots))


@pytest.mark.parametrize("make", [LendingGallery, VectorGallery])
def test_similar_persons_are_suggested(light_database: Database, make: type[VectorGallery]) -> None:
    """The two lookalikes are the only question; it decides four faces and needs no search."""
    gallery = make()
    lookalikes(light_database, gallery)
    calls = gallery.calls
    (question,) = suggestions_of(light_database, gallery)
    assert question.other is not None
    assert question.faces == 4
    assert gallery.calls == calls


def test_two_persons_on_one_photo_are_not_suggested(light_database: Database) -> None:
    gallery = LendingGallery()
    lookalikes(light_database, gallery, together=True)
    assert suggestions_of(light_database, gallery) == []


@pytest.mark.parametrize("answer", ["split", "reject", "names", "hide"])
def test_a_decided_pair_is_not_suggested(light_database: Database, answer: str) -> None:
    gallery = LendingGallery()
    lookalikes(light_database, gallery)
    (question,) = suggestions_of(light_database, gallery)
    assert question.other is not None
    with light_database.begin() as connection:
        if answer == "split":
            number = verbs.merge_persons(connection, question.person, question.other, STAMP)
            assert number == 1
            shown = [f for f in faces_of_person(connection, question.person) if "/b-" in (f.uri or "")]
            verbs.split_person(connection, question.person, shown, STAMP)
        elif answer == "reject":
            for face in faces_of_person(connection, question.other):
                verbs.reject_face(connection, face, question.person, STAMP)
        elif answer == "names":
            verbs.name_person(connection, question.person, "Ann", STAMP)
            verbs.name_person(connection, question.other, "Bea", STAMP)
        else:
            verbs.set_hidden(connection, question.other, True, STAMP)
    assert suggestions_of(light_database, gallery) == []


@pytest.mark.parametrize("make", [LendingGallery, VectorGallery])
def test_an_explanation_has_neighbors_and_decisions(light_database: Database, make: type[VectorGallery]) -> None:
    """The nearest faces are the person's own. A paid engine is not called."""
    gallery = make()
    lookalikes(light_database, gallery)
    with light_database.begin() as connection:
        person = unmerged_persons(connection)[0]
        shown = faces_of_person(connection, person)[0]
        verbs.confirm_face(connection, shown, person, STAMP)
    with light_database.read() as connection:
        face = find_face(connection, shown.face_id[:13], engine=gallery.name, gallery="catalog")
    calls = gallery.calls
    result = explain(light_database, as_engine(gallery), RULES, face, limit=3)
    assert result.neighbors[0].same
    assert [row.similarity for row in result.neighbors] == sorted(
        (n.similarity for n in result.neighbors), reverse=True
    )
    assert [row.verb for row in result.decisions] == ["confirm"]
    assert gallery.calls == calls or isinstance(gallery, LendingGallery)


def test_a_child_and_the_adult_are_suggested_by_way_of_the_years_between(light_database: Database) -> None:
    """The face changes a little every year; the ends are too dissimilar to merge."""
    rng = np.random.default_rng(6)
    (child,) = people(1, rng, 128)
    adult = vector_near(child, 0.0, rng).astype(np.float64)
    gallery = LendingGallery()
    shots = []
    for number, year in enumerate([*range(2000, 2006), *range(2009, 2015)]):
        turn = np.pi / 2 * (year - 2000) / 18
        grown = child * np.cos(turn) + adult * np.sin(turn)
        when = datetime(year, 5, 1, tzinfo=UTC)
        shots += [Shot(f"{number}-{n}", [vector_near(grown, 0.78, rng)], taken_at=when) for n in range(3)]
    settled(light_database, gallery, enroll(light_database, gallery, shots), mean_linkage=Linkage(0.5, 0.0, 0.1))
    assert len(set(who_is_who(light_database).values())) == 2
    (question,) = suggestions_of(light_database, gallery)
    assert question.other is not None
    assert question.faces >= 15


def test_a_no_is_one_decision_until_it_is_undone(light_database: Database) -> None:
    gallery = LendingGallery()
    lookalikes(light_database, gallery)
    (question,) = suggestions_of(light_database, gallery)
    assert question.other is not None
    with light_database.begin() as connection:
        verbs.separate_persons(connection, question.person, question.other, STAMP)
        with pytest.raises(PersonError, match="one person"):
            verbs.separate_persons(connection, question.person, question.person, STAMP)
    assert suggestions_of(light_database, gallery) == []
    with light_database.begin() as connection:
        undo(connection, None, STAMP)
    assert len(suggestions_of(light_database, gallery)) == 1

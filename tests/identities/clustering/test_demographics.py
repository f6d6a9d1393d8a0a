"""Demographics: similar relatives are suggested, not merged."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.identities.assignment.assign_people import assign_people
from catalog.identities.assignment.explain import explain
from catalog.identities.assignment.gallery_clustering import GroupingRules
from catalog.identities.assignment.recluster_plan import plan_recluster
from catalog.identities.assignment.suggestions import Suggestion, suggest
from catalog.identities.clustering.average_linkage import cluster_edges
from catalog.identities.clustering.constraints import Constraints
from catalog.identities.clustering.demographics import Demographics, DemographicThresholds
from catalog.identities.clustering.similarity_graph import Linkage, SearchCoverage
from catalog.identities.decisions import verbs
from catalog.store.catalogued_faces import faces_of_person
from catalog.store.database import Database
from catalog.store.person_index import PersonRow
from tests.identities.assigned_catalogue import as_engine, groups
from tests.identities.decided_catalogue import STAMP, unmerged_persons
from tests.identities.made_library import (
    NOW,
    RULES,
    LendingGallery,
    Shot,
    VectorGallery,
    edges_of,
    enroll,
    people,
    vector_near,
)

BARS = DemographicThresholds(birth_years=12.0, gender=95.0)
CAREFUL = replace(RULES, demographics=BARS)
MADE = [LendingGallery, VectorGallery]


def family(
    gallery: VectorGallery,
    database: Database,
    *,
    ages: tuple[tuple[int, int] | None, tuple[int, int] | None] = ((7, 11), (34, 46)),
    genders: tuple[tuple[str, float] | None, tuple[str, float] | None] = (None, None),
    dates: tuple[datetime | None, datetime | None] = (datetime(2015, 5, 1, tzinfo=UTC),) * 2,
    rules: GroupingRules = CAREFUL,
) -> None:
    """Two people similar enough to merge, on three photos each."""
    rng = np.random.default_rng(4)
    (first,) = people(1, rng, 128)
    second = vector_near(first, 0.8, rng).astype(np.float64)
    shots = [
        Shot(
            f"{name}-{n}",
            [vector_near(center, 0.9, rng)],
            taken_at=when,
            ages=[age] if age else [],
            genders=[gender] if gender else [],
        )
        for name, center, when, age, gender in zip("ab", (first, second), dates, ages, genders, strict=True)
        for n in range(3)
    ]
    place(database, gallery, enroll(database, gallery, shots), rules)


def apparent(days: list[str], age: tuple[float, float]) -> Demographics:
    """Faces of one apparent age on photos of these days; their gender is unknown."""
    low, high = (np.full(len(days), years) for years in age)
    unknown = np.full(len(days), np.nan)
    return Demographics.of_faces(days, (low, high), ([None] * len(days), unknown), BARS)


def test_gender_counts_from_thirteen_years_and_is_never_certain() -> None:
    """A face without an age, of a child, or without a gender is no evidence; 100 % counts as 99.9 %."""
    low, high = np.array([20.0, 12.0, np.nan, 20.0, 20.0]), np.array([30.0, 16.0, np.nan, 30.0, 30.0])
    genders: list[str | None] = ["Male", "Male", "Male", None, "Female"]
    confidence = np.array([100.0, 99.0, 99.0, np.nan, 40.0])
    faces = Demographics.of_faces([""] * 5, (low, high), (genders, confidence), BARS)
    assert faces.has_evidence(np.arange(5)).tolist() == [True, False, False, False, True]
    assert faces.sums[:, 4] == pytest.approx([np.log(999.0), 0.0, 0.0, 0.0, 0.0])


def place(
    database: Database, gallery: VectorGallery, scan_id: int | None = None, rules: GroupingRules = CAREFUL
) -> None:
    assign_people(database, as_engine(gallery), rules, gallery="catalog", scan_id=scan_id, now=NOW)


def suggestions_of(database: Database, gallery: VectorGallery) -> list[Suggestion]:
    return suggest(database, as_engine(gallery), CAREFUL, gallery="catalog", limit=9)


def persons(database: Database) -> list[PersonRow]:
    with database.read() as connection:
        return [row for row in unmerged_persons(connection) if row.merged_into is None]


@pytest.mark.parametrize("make", MADE)
def test_a_child_and_a_parent_are_suggested_instead_of_merged(
    light_database: Database, make: type[VectorGallery]
) -> None:
    """On photos of one day their apparent births are around 2006 and around 1975."""
    gallery = make()
    family(gallery, light_database)
    assert sorted(map(len, groups(light_database))) == [3, 3]
    (question,) = suggestions_of(light_database, gallery)
    assert question.kept_apart == "they look born from 2003 to 2008 and from 1968 to 1981" or (
        question.kept_apart == "they look born from 1968 to 1981 and from 2003 to 2008"
    )


@pytest.mark.parametrize("make", MADE)
def test_a_child_that_grew_is_one_person(light_database: Database, make: type[VectorGallery]) -> None:
    """Different ages on photos of different years fit one birth."""
    grown = (datetime(2015, 5, 1, tzinfo=UTC), datetime(2042, 5, 1, tzinfo=UTC))
    family(make(), light_database, dates=grown)
    assert sorted(map(len, groups(light_database))) == [6]


@pytest.mark.parametrize(
    "changes",
    [
        {"dates": (datetime(2015, 5, 1, tzinfo=UTC), None)},
        {"dates": (datetime(2015, 5, 1, tzinfo=UTC), datetime(2000, 1, 1, 0, 3, tzinfo=UTC))},
        {"ages": ((7, 11), None)},
        {"ages": ((7, 24), (34, 46))},
        {"genders": (("Male", 99.0), ("Female", 93.0)), "ages": ((20, 30), (20, 30))},
        {"genders": (("Male", 99.0), ("Female", 99.0)), "ages": ((2, 6), (2, 6))},
        {"genders": (("Male", 99.0), ("Female", 99.0)), "ages": (None, None)},
        {"rules": RULES},
    ],
    ids=["no date", "clock without battery", "no age", "ranges near", "unsure", "small child", "ages off", "rule off"],
)
def test_without_certain_evidence_the_similarity_decides(light_database: Database, changes: dict[str, object]) -> None:
    family(LendingGallery(), light_database, **changes)  # type: ignore[arg-type]
    assert sorted(map(len, groups(light_database))) == [6]


@pytest.mark.parametrize("make", MADE)
def test_a_man_and_a_woman_are_suggested_instead_of_merged(light_database: Database, make: type[VectorGallery]) -> None:
    """Both are adults, and both genders are certain."""
    gallery = make()
    family(gallery, light_database, ages=((20, 30), (20, 30)), genders=(("Male", 99.0), ("Female", 97.0)))
    assert sorted(map(len, groups(light_database))) == [3, 3]
    assert [question.kept_apart for question in suggestions_of(light_database, gallery)] == [
        "they appear to be of different gender"
    ]


def test_a_photo_of_which_the_year_is_known_is_evidence() -> None:
    """Its first day is no first of January, which a clock that was never set shows."""
    faces = apparent(["1948", "1948-01", "1948-01-01"], (20, 24))
    assert faces.has_evidence(np.arange(3)).tolist() == [True, True, False]


def test_a_merge_by_a_user_holds(light_database: Database) -> None:
    """Later faces join the person at either apparent age, because its own faces conflict."""
    gallery = LendingGallery()
    family(gallery, light_database, ages=((7, 11), (64, 76)))
    first, second = persons(light_database)
    with light_database.begin() as connection:
        verbs.merge_persons(connection, first, second, STAMP)
    rng = np.random.default_rng(9)
    child = next(vector for vector in gallery.vectors.values()).astype(np.float64)
    later_shots = [
        Shot(f"later-{n}", [vector_near(child, 0.95, rng)], taken_at=datetime(2015, 6, 1, tzinfo=UTC), ages=[age])
        for n, age in enumerate([(7, 11), (64, 76)])
    ]
    place(light_database, gallery, enroll(light_database, gallery, later_shots, night=1))
    assert sorted(map(len, groups(light_database))) == [8]
    assert plan_recluster(light_database, as_engine(gallery), CAREFUL, gallery="catalog").moved == 0
    assert suggestions_of(light_database, gallery) == []


def test_an_entered_birth_date_replaces_the_apparent_births(light_database: Database) -> None:
    """The adult is entered as born in 2005."""
    gallery = LendingGallery()
    family(gallery, light_database, rules=replace(CAREFUL, mean_linkage=Linkage(2.0, 0.0)))
    assert sorted(map(len, groups(light_database))) == [1] * 6
    with light_database.begin() as connection:
        for person in unmerged_persons(connection):
            verbs.set_birth_date(connection, person, date(2005, 3, 1), STAMP)
            verbs.set_birth_date(connection, person, None, STAMP)
        adult = next(
            row for row in unmerged_persons(connection) if "/b-0" in (faces_of_person(connection, row)[0].uri or "")
        )
        verbs.set_birth_date(connection, adult, date(2005, 3, 1), STAMP)
    with light_database.read() as connection:
        results = apparent(["2015-05-01"], (34, 46)).with_persons(np.array([adult.id]), {adult.id: 2005})
    assert results.births(np.array([0])) == (np.array([2005.0]), np.array([2005.0]))


@pytest.mark.parametrize("make", MADE)
def test_an_explanation_gives_the_reason_that_separates_two_persons(
    light_database: Database, make: type[VectorGallery]
) -> None:
    """The neighbor is as similar as the person's own faces."""
    gallery = make()
    family(gallery, light_database)
    first, second = persons(light_database)
    with light_database.read() as connection:
        face = faces_of_person(connection, first)[0]
    result = explain(light_database, as_engine(gallery), CAREFUL, face, limit=9)
    results = {neighbor.kept_apart for neighbor in result.neighbors if neighbor.face.person_id == second.person_id}
    assert [text is not None and text.startswith("they look born") for text in results] == [True]
    assert {neighbor.kept_apart for neighbor in result.neighbors if neighbor.same} == {None}


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_no_group_contains_faces_in_conflict(data: st.DataObject) -> None:
    """Also by way of faces without a date, and if several join in one round."""
    count = data.draw(st.integers(3, 9))
    births = data.draw(st.lists(st.sampled_from([None, 1970, 2010]), min_size=count, max_size=count))
    taken_at = ["" if year is None else f"{year}-06-01" for year in births]
    demographics = apparent(taken_at, (0, 2))
    pairs = [(a, b, data.draw(st.floats(0.5, 1.0))) for a in range(count) for b in range(a + 1, count)]
    lists = SearchCoverage(np.ones(count, dtype=bool), np.zeros(count, dtype=np.int64))
    linkage = Linkage(0.42, 0.06)
    labels = cluster_edges(
        lists, edges_of(pairs), linkage, floor=0.3, constraints=Constraints(demographics=demographics)
    )
    for label in set(labels.tolist()):
        assert len({year for year, of in zip(births, labels.tolist(), strict=True) if of == label} - {None}) <= 1
    assert len(set(labels.tolist())) <= 2

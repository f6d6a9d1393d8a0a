"""Of equally similar faces, those further apart in time are the better question."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from catalog.identities.assignment.review_queue import yes_chance
from catalog.identities.assignment.suggestions import Suggestion, suggest
from catalog.identities.clustering.demographics import Demographics, DemographicThresholds
from catalog.identities.clustering.years_apart import odds_of_years, years_apart
from catalog.store.database import Database
from tests.identities.assigned_catalogue import as_engine, settled
from tests.identities.made_library import RULES, LendingGallery, Shot, enroll, people, vector_near

THRESHOLDS = DemographicThresholds(birth_years=12.0, gender=95.0)
UNKNOWN = (None, None)


def measured(days, ages):
    low, high = np.array(ages, dtype=float).T
    demographics = Demographics.of_faces(days, (low, high), ([None] * len(days), low), THRESHOLDS)
    node = np.arange(len(days))
    return years_apart(days, demographics, node, np.array([0]), np.array([1])).tolist()


def test_years_count_only_if_births_are_known_and_do_not_conflict():
    """A child of 2003 and a woman of 2021 look born in one year; a child of 2021 does not."""
    assert measured(["2003-05-01", "2021-07"], [(4, 8), (20, 26)]) == [18.0]
    assert measured(["2003-05-01", "2021-07-02"], [(4, 8), UNKNOWN]) == [0.0]
    assert measured(["2003-05-01", ""], [(4, 8), (20, 26)]) == [0.0]
    assert measured(["2003-05-01", "2021-07-02"], [(4, 8), (4, 8)]) == [0.0]


def test_no_pairs_have_no_years():
    """An empty gallery gives an empty array."""
    nothing = np.zeros(0)
    demographics = Demographics.of_faces([], (nothing, nothing), ([], nothing), THRESHOLDS)
    none = np.zeros(0, np.int64)
    assert years_apart([], demographics, none, none, none).shape == (0,)


def test_more_years_are_worth_more_up_to_a_limit():
    """The chance of a yes grows with the years and never shrinks; 0 years change nothing."""
    assert odds_of_years(0) == 0
    assert odds_of_years(5) < odds_of_years(20) < odds_of_years(40) == odds_of_years(90)
    assert yes_chance(85.0) == yes_chance(85.0, 0.0) < yes_chance(85.0, 10.0) < yes_chance(85.0, 30.0)


def pair_of_persons(name, first, second, years, ages, rng):
    """Shots of two persons with four photos each, in two years."""
    return [
        Shot(
            f"{name}-{end}-{n}",
            [vector_near(center, 0.86, rng)],
            taken_at=datetime(year, 5, 2 + n, tzinfo=UTC),
            ages=[age],
        )
        for end, center, year, age in zip("ab", (first, second), years, ages, strict=True)
        for n in range(4)
    ]


def questions_of(database: Database, years: tuple[int, int], ages: list[tuple[int, int]]) -> list[Suggestion]:
    """Questions about two pairs of lookalikes: one of 2010 and 2011 and a little more similar, one of ``years``."""
    rng = np.random.default_rng(4)
    near, far = people(2, rng, 128)
    rules = replace(RULES, demographics=THRESHOLDS)
    gallery = LendingGallery()
    near_other, far_other = (
        vector_near(center, value, rng).astype(float) for center, value in ((near, 0.5), (far, 0.45))
    )
    shots = pair_of_persons("near", near, near_other, (2010, 2011), [(30, 34), (31, 35)], rng)
    shots += pair_of_persons("far", far, far_other, years, ages, rng)
    settled(database, gallery, enroll(database, gallery, shots))
    return suggest(database, as_engine(gallery), rules, gallery="catalog", limit=10)


@pytest.mark.parametrize(
    ("years", "ages", "is_first"),
    [
        ((1990, 2015), [(4, 8), (28, 34)], True),
        ((2010, 2011), [(30, 34), (31, 35)], False),
    ],
)
def test_the_pair_further_apart_is_asked_first(light_database: Database, years, ages, is_first):
    """A child of 1990 and an adult of 2015 come before adults of two years who are a little more similar."""
    questions = questions_of(light_database, years, ages)
    assert len(questions) == 2
    near, far = sorted(questions, key=lambda question: -question.similarity)
    assert near.similarity - far.similarity > 1
    assert (questions[0] is far) == is_first

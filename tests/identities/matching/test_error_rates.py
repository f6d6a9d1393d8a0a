"""Error rates by apparent group, from the user's own confirmed faces."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from catalog.identities.decisions import verbs
from catalog.identities.matching.error_rates import THRESHOLDS, Evaluation, evaluate
from catalog.store.catalogued_faces import faces_of_person
from catalog.store.database import Database
from tests.identities.assigned_catalogue import as_engine
from tests.identities.decided_catalogue import STAMP, catalogue, unmerged_persons
from tests.identities.made_library import RULES


@pytest.fixture
def evaluation(light_database: Database) -> Evaluation:
    """Twelve persons with four confirmed faces each: nine women, two men, and one without age and gender."""
    gallery = catalogue(light_database, count=12, photos=4)
    with light_database.begin() as connection:
        for index, person in enumerate(unmerged_persons(connection)):
            for face in faces_of_person(connection, person):
                verbs.confirm_face(connection, face, person, STAMP)
                gender = "Female" if index < 9 else "Male"
                if index < 11:
                    statement = text("UPDATE faces SET gender = :gender, age_low = 30, age_high = 40 WHERE id = :row")
                    connection.execute(statement, {"gender": gender, "row": face.row})
    return evaluate(light_database, as_engine(gallery), RULES.seed_faces, gallery="catalog", named=False)


def test_groups_with_enough_stranger_pairs_are_measured(evaluation: Evaluation):
    """The nine women have 576 pairs of strangers. Two men have too few."""
    (group,) = evaluation.groups
    assert (group.group, group.faces, group.impostor) == ("women under 65", 36, 576)
    assert len(group.false_match) == len(THRESHOLDS)
    assert all(0 <= rate <= 1 for rate in group.false_match)
    assert list(group.false_match) == sorted(group.false_match, reverse=True)


def test_a_threshold_that_holds_in_every_group(evaluation: Evaluation):
    """It is never below the threshold for all pairs, and absent where a group has too few pairs for the rate."""
    first, *others = evaluation.recommended
    assert first.threshold is not None
    assert first.worst_group_threshold is not None
    assert first.worst_group_threshold >= first.threshold
    assert [advice.worst_group_threshold for advice in others] == [None, None, None]

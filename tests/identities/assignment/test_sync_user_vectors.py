"""Faces behind the user vectors of an engine."""

from __future__ import annotations

from catalog.domain.user_vectors import UserMatch
from catalog.identities.assignment.sync_user_vectors import faces_of_users
from catalog.identities.decisions.verbs import merge_persons
from catalog.store.database import Database
from tests.identities.decided_catalogue import STAMP, catalogue, unmerged_persons


def similarity_by_face(database: Database, *matches: UserMatch) -> dict[str, float]:
    answers = list(faces_of_users(database, matches, engine="local", gallery="catalog"))
    assert len(dict(answers)) == len(answers), "a face is listed twice"
    return dict(answers)


def test_the_user_vector_of_a_merged_person_means_the_canonical_person(light_database: Database) -> None:
    """Until the next sync both user vectors mean all faces, and the higher similarity counts."""
    catalogue(light_database)
    with light_database.begin() as connection:
        canonical, merged = unmerged_persons(connection)[:2]
        merge_persons(connection, canonical, merged, STAMP)
    own = similarity_by_face(light_database, UserMatch(canonical.person_id, 97.0))
    assert len(own) == 8
    assert similarity_by_face(light_database, UserMatch(merged.person_id, 97.0)) == own
    together = similarity_by_face(
        light_database, UserMatch(merged.person_id, 99.0), UserMatch(canonical.person_id, 97.0)
    )
    assert together == dict.fromkeys(own, 99.0)


def test_the_user_vector_of_a_forgotten_person_means_no_face(light_database: Database) -> None:
    catalogue(light_database, count=1)
    assert similarity_by_face(light_database, UserMatch("pgone", 99.0)) == {}
    assert similarity_by_face(light_database) == {}

"""Which faces the users of an engine stand for."""

from __future__ import annotations

from catalog.domain.user_vectors import UserMatch
from catalog.identities.assignment.sync_user_vectors import faces_of_users
from catalog.identities.decisions.verbs import merge_persons
from catalog.store.database import Database
from tests.identities.decided_catalogue import STAMP, catalogue, unmerged_persons


def found(database: Database, *matches: UserMatch) -> dict[str, float]:
    answers = list(faces_of_users(database, matches, engine="local", gallery="catalog"))
    assert len(dict(answers)) == len(answers), "a face is told twice"
    return dict(answers)


def test_the_user_of_somebody_who_was_merged_stands_for_whom_the_id_leads_to(light_database: Database) -> None:
    """The collection hears of it at the next scan only; until then both users mean all faces, and the nearer counts."""
    catalogue(light_database)
    with light_database.begin() as connection:
        kept, gone = unmerged_persons(connection)[:2]
        merge_persons(connection, kept, gone, STAMP)
    own = found(light_database, UserMatch(kept.person_id, 97.0))
    assert len(own) == 8
    assert found(light_database, UserMatch(gone.person_id, 97.0)) == own
    both = found(light_database, UserMatch(gone.person_id, 99.0), UserMatch(kept.person_id, 97.0))
    assert both == dict.fromkeys(own, 99.0)


def test_the_user_of_somebody_who_was_forgotten_stands_for_nobody(light_database: Database) -> None:
    """The user goes at the next scan."""
    catalogue(light_database, count=1)
    assert found(light_database, UserMatch("pgone", 99.0)) == {}
    assert found(light_database) == {}

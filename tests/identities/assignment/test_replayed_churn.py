"""A replay that takes a face from the person that a user chose is counted as churn."""

from __future__ import annotations

from catalog.domain.decisions import FacePayload, Verb
from catalog.identities.decisions import verbs
from catalog.identities.decisions.log import append
from catalog.store.catalogued_faces import faces_of_person
from catalog.store.database import Database
from tests.identities.assigned_catalogue import settled
from tests.identities.decided_catalogue import STAMP, catalogue, unmerged_persons


def test_a_face_that_a_replay_takes_from_its_person_is_churn(database: Database) -> None:
    """The log says something else than the assignments, as after an error in an earlier version."""
    gallery = catalogue(database)
    with database.begin() as connection:
        person, other, *_ = unmerged_persons(connection)
        face = faces_of_person(connection, person)[0]
        verbs.confirm_face(connection, face, person, STAMP)
        append(connection, Verb.CONFIRM, STAMP, person_id=other.person_id, face=face.place, payload=FacePayload())
    assert settled(database, gallery).churn == 1
    assert settled(database, gallery).churn == 0


def test_decisions_that_agree_with_the_assignments_are_no_churn(database: Database) -> None:
    """Confirmed, rejected and merged faces are where the user put them."""
    gallery = catalogue(database)
    with database.begin() as connection:
        first, second, third, fourth = unmerged_persons(connection)
        verbs.confirm_face(connection, faces_of_person(connection, first)[0], second, STAMP)
        verbs.reject_face(connection, faces_of_person(connection, third)[0], third, STAMP)
        verbs.merge_persons(connection, third, fourth, STAMP)
    assert settled(database, gallery).churn == 0

"""Effective decisions: the latest decision on a face wins."""

from __future__ import annotations

from dataclasses import replace

import pytest

from catalog.domain.decisions import FacesPayload
from catalog.domain.errors import PersonError
from catalog.identities.assignment.recluster_plan import plan_recluster
from catalog.identities.decisions import verbs
from catalog.identities.decisions.effective import effective_decisions
from catalog.identities.decisions.log import read_decision, read_decisions
from catalog.identities.decisions.undo import undo
from catalog.store.catalogued_faces import faces_of_person
from catalog.store.database import Database
from catalog.store.decision_rows import replace_payload
from catalog.store.people import find_person
from tests.identities.assigned_catalogue import as_engine, settled, who_is_who
from tests.identities.decided_catalogue import STAMP, catalogue, rows, unmerged_persons
from tests.identities.made_library import RULES


def test_a_rejection_after_a_merge_ends_the_confirmation_before_it(light_database: Database) -> None:
    """The face is confirmed as Ann, Ann is merged into Kate, and the face is rejected as Kate."""
    gallery = catalogue(light_database)
    with light_database.begin() as connection:
        kate, ann = unmerged_persons(connection)[:2]
        face = faces_of_person(connection, ann)[0]
        verbs.confirm_face(connection, face, ann, STAMP)
        verbs.merge_persons(connection, kate, ann, STAMP)
        verbs.reject_face(connection, face, kate, STAMP)
    settled(light_database, gallery)
    assert who_is_who(light_database)[face.face_id] != kate.person_id


def test_a_confirmed_box_that_is_not_a_face_is_unassigned(light_database: Database) -> None:
    """A later confirmation makes it a face again."""
    gallery = catalogue(light_database)
    with light_database.begin() as connection:
        ann, bob = unmerged_persons(connection)[:2]
        face = faces_of_person(connection, ann)[0]
        verbs.confirm_face(connection, face, ann, STAMP)
        verbs.mark_not_a_face(connection, face, STAMP)
    settled(light_database, gallery)
    assert face.face_id not in who_is_who(light_database)
    with light_database.begin() as connection:
        verbs.confirm_face(connection, face, bob, STAMP)
        assert effective_decisions(read_decisions(connection)).not_faces == []
    settled(light_database, gallery)
    assert who_is_who(light_database)[face.face_id] == bob.person_id


def test_a_face_that_was_split_off_and_rejected_is_a_third_person(light_database: Database) -> None:
    """A split rejects its faces as the first person."""
    gallery = catalogue(light_database)
    with light_database.begin() as connection:
        ann = unmerged_persons(connection)[0]
        parted = faces_of_person(connection, ann)[:2]
        _, new_person = verbs.split_person(connection, ann, parted, STAMP)
        verbs.reject_face(connection, parted[0], new_person, STAMP)
    settled(light_database, gallery)
    assert who_is_who(light_database)[parted[0].face_id] not in (ann.person_id, new_person.person_id)


def test_a_merge_ends_the_rejections_of_an_earlier_split(light_database: Database) -> None:
    """No rejection contradicts a confirmation."""
    gallery = catalogue(light_database)
    with light_database.begin() as connection:
        ann = unmerged_persons(connection)[0]
        _, new_person = verbs.split_person(connection, ann, faces_of_person(connection, ann)[:2], STAMP)
        verbs.merge_persons(connection, ann, new_person, STAMP)
        assert effective_decisions(read_decisions(connection)).rejected == []
    assert settled(light_database, gallery).churn == 0
    change = plan_recluster(light_database, as_engine(gallery), RULES, gallery="catalog")
    assert change.moves == ()


def test_a_decision_on_a_removed_person_is_refused(light_database: Database) -> None:
    """The split that created the person was undone since the person was read."""
    catalogue(light_database)
    with light_database.begin() as connection:
        ann = unmerged_persons(connection)[0]
        number, new_person = verbs.split_person(connection, ann, faces_of_person(connection, ann)[:1], STAMP)
        undo(connection, number, STAMP)
        with pytest.raises(PersonError, match=new_person.person_id):
            verbs.name_person(connection, new_person, "Nobody", STAMP)
        assert find_person(connection, ann.person_id).id == ann.id


@pytest.mark.parametrize("rejected_in", ["kept", "merged"])
def test_a_merge_ends_earlier_rejections_of_its_faces(database: Database, rejected_in: str) -> None:
    """First "not Kate", then "Kate and Ann are one": the scan and the re-clustering leave Ann's face with Kate."""
    gallery = catalogue(database)
    with database.begin() as connection:
        kate, ann = unmerged_persons(connection)[:2]
        holder, second_person = (ann, kate) if rejected_in == "merged" else (kate, ann)
        face = faces_of_person(connection, holder)[0]
        verbs.reject_face(connection, face, second_person, STAMP)
        before = rows(connection)
        number = verbs.merge_persons(connection, kate, ann, STAMP)
        undo(connection, number, STAMP)
        assert rows(connection) == before
        verbs.merge_persons(connection, kate, ann, STAMP)
    result = settled(database, gallery)
    assert result.churn == 0
    assert who_is_who(database)[face.face_id] == kate.person_id
    assert plan_recluster(database, as_engine(gallery), RULES, gallery="catalog").moves == ()


def test_a_merge_of_an_earlier_version_ends_rejections_of_the_merged_faces(light_database: Database) -> None:
    """Its payload does not list the faces; the prior state does."""
    gallery = catalogue(light_database)
    with light_database.begin() as connection:
        kate, ann = unmerged_persons(connection)[:2]
        face = faces_of_person(connection, ann)[0]
        verbs.reject_face(connection, face, kate, STAMP)
        number = verbs.merge_persons(connection, kate, ann, STAMP)
        merge = read_decision(connection, number)
        assert merge is not None
        assert isinstance(merge.payload, FacesPayload)
        replace_payload(connection, number, replace(merge.payload, faces=()))
        assert effective_decisions(read_decisions(connection)).rejected == []
    settled(light_database, gallery)
    assert who_is_who(light_database)[face.face_id] == kate.person_id


def test_a_rejection_after_the_merge_is_in_force(light_database: Database) -> None:
    """The later decision wins, whichever it is."""
    gallery = catalogue(light_database)
    with light_database.begin() as connection:
        kate, ann = unmerged_persons(connection)[:2]
        face = faces_of_person(connection, ann)[0]
        verbs.merge_persons(connection, kate, ann, STAMP)
        verbs.reject_face(connection, face, kate, STAMP)
    settled(light_database, gallery)
    assert who_is_who(light_database)[face.face_id] != kate.person_id

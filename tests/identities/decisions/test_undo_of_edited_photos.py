"""Undo and redo of a decision whose photo was edited in the meantime: the edited photo follows."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, select

from catalog.domain.decisions import Verb
from catalog.identities.decisions import verbs
from catalog.identities.decisions.effective import effective_decisions
from catalog.identities.decisions.log import read_decisions
from catalog.identities.decisions.undo import redo, undo
from catalog.store.catalogued_faces import CataloguedFace, faces_of_person
from catalog.store.database import Database
from catalog.store.edited_photos import CarriedDecisions, carry_decisions_over, revert_carried
from catalog.store.person_index import PersonRow
from catalog.store.tables import photos
from tests.identities.decided_catalogue import STAMP, catalogue, unmerged_persons
from tests.identities.made_library import Shot, VectorGallery, digest, enroll


def person_and_face(connection: Connection) -> tuple[PersonRow, CataloguedFace]:
    person = unmerged_persons(connection)[0]
    return person, faces_of_person(connection, person)[0]


def edit(database: Database, gallery: VectorGallery, face: CataloguedFace) -> tuple[str, CarriedDecisions]:
    """Enroll another file with the same faces, as its edit. Returns the edited content's hash."""
    edited = Shot("edited", [gallery.vectors[face.face_id]], [face.place.box])
    enroll(database, gallery, [edited], night=1)
    with database.begin() as connection:
        rows = dict(connection.execute(select(photos.c.sha256, photos.c.id)).all())
        carried = carry_decisions_over(connection, rows[face.sha256], rows[digest(edited.name)])
    assert carried is not None
    return digest(edited.name), carried


def contents_in_force(connection: Connection, verb: Verb) -> set[str]:
    return {
        key.sha256
        for decision in read_decisions(connection, verbs=[verb])
        if decision.undone_by is None
        for key in decision.faces
    }


@pytest.mark.parametrize("is_edited_while_undone", [True, False])
def test_the_edited_photo_follows_undo_and_redo(database: Database, is_edited_while_undone: bool) -> None:
    """A rejection that is undone, or in force, when the photo is edited: both photos agree after each undo and redo."""
    gallery = catalogue(database)
    with database.begin() as connection:
        person, face = person_and_face(connection)
        verbs.reject_face(connection, face, person, STAMP)
        undo(connection, None, STAMP)
        if not is_edited_while_undone:
            redo(connection, STAMP)
    edited, _ = edit(database, gallery, face)
    both = {face.sha256, edited}
    with database.begin() as connection:
        if is_edited_while_undone:
            assert contents_in_force(connection, Verb.REJECT) == set()
            redo(connection, STAMP)
        assert contents_in_force(connection, Verb.REJECT) == both
        undo(connection, None, STAMP)
        assert contents_in_force(connection, Verb.REJECT) == set()
        redo(connection, STAMP)
        assert contents_in_force(connection, Verb.REJECT) == both
        assert len(effective_decisions(read_decisions(connection)).rejected) == 2


def test_undone_copies_leave_with_a_photo_that_is_no_edit(database: Database) -> None:
    """Only the decision on the first photo and its undo stay."""
    gallery = catalogue(database)
    with database.begin() as connection:
        person, face = person_and_face(connection)
        verbs.reject_face(connection, face, person, STAMP)
        undo(connection, None, STAMP)
    _, carried = edit(database, gallery, face)
    with database.begin() as connection:
        revert_carried(connection, carried)
        assert [decision.verb for decision in read_decisions(connection)] == [Verb.REJECT, Verb.UNDO]
        redo(connection, STAMP)
        assert contents_in_force(connection, Verb.REJECT) == {face.sha256}

"""Forgetting: nothing is left, and nothing brings it back."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import MetaData, func, select

from catalog.errors import PersonError, UsageError
from catalog.identities import decisions
from catalog.identities.forget import forget_person
from catalog.identities.undo import undo
from catalog.store.appearances import appearances_of
from catalog.store.database import Database
from catalog.store.people import find_person
from catalog.store.tables import faces, matches, removals, tombstones
from tests.identities.made import LendingGallery, VectorGallery, enroll
from tests.identities.test_decisions import STAMP, catalogue, everybody
from tests.identities.test_replay import BOX, SHIFTED, photos
from tests.identities.test_settle import as_engine, settled, who_is_who


def every_text(database: Database) -> str:
    """Everything the database holds, as one text."""
    held = MetaData()
    with database.read() as connection:
        held.reflect(connection)
        return "\n".join(
            json.dumps([str(value) for value in row])
            for table in held.sorted_tables
            for row in connection.execute(table.select())
        )


def test_nothing_of_a_forgotten_person_is_left(database: Database) -> None:
    """Name, faces, decisions and face ids are gone from every table and from the gallery, and the receipt says so."""
    gallery = catalogue(database)
    with database.begin() as connection:
        one, two, three = everybody(connection)[:3]
        decisions.name_person(connection, one, "Secret Name", STAMP)
        decisions.merge_persons(connection, find_person(connection, "Secret Name"), two, STAMP)
        face = appearances_of(connection, find_person(connection, "Secret Name"))[0]
        decisions.confirm_face(connection, face, three, STAMP)
        decisions.confirm_face(connection, face, one, STAMP)
        person = find_person(connection, "Secret Name")
        held = [face.face_id for face in appearances_of(connection, person)]
    receipt = forget_person(database, as_engine(gallery), person, STAMP, gallery="catalog")
    assert (receipt.faces, receipt.removed, receipt.verified, receipt.owed) == (8, 8, True, 0)
    assert not set(held) & set(gallery.vectors)
    text = every_text(database)
    for secret in ["Secret Name", two.person_id, *held]:
        assert secret not in text
    with database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(tombstones)) == 8
        assert connection.scalar(select(func.count()).select_from(removals)) == 0
        with pytest.raises(PersonError):
            find_person(connection, one.person_id)
    with database.begin() as connection, pytest.raises(UsageError):
        undo(connection, None, STAMP)


def test_no_scan_and_no_other_engine_brings_a_forgotten_face_back(light_database: Database) -> None:
    """The same photos scanned again, and by another engine with boxes a little off, enroll everybody but them."""
    ours = LendingGallery()
    settled(light_database, ours, enroll(light_database, ours, photos(BOX, 1)))
    with light_database.read() as connection:
        person = everybody(connection)[0]
        names = {face.uri.rpartition("/")[2] for face in appearances_of(connection, person) if face.uri}
    forget_person(light_database, as_engine(ours), person, STAMP, gallery="catalog")
    again = [shot for shot in photos(BOX, 1) if shot.name in names]
    settled(light_database, ours, enroll(light_database, ours, again, night=1))
    assert len(ours.vectors) == 12
    theirs = VectorGallery()
    settled(light_database, theirs, enroll(light_database, theirs, photos(SHIFTED, 2), night=2))
    assert len(theirs.vectors) == 12
    assert len(who_is_who(light_database)) == 24


def test_what_was_bought_about_a_person_is_forgotten_too(light_database: Database) -> None:
    """Edges to other people go with the faces."""
    gallery = VectorGallery()
    settled(light_database, gallery, enroll(light_database, gallery, photos(BOX, 1)))
    with light_database.read() as connection:
        person = everybody(connection)[0]
        before = connection.scalar(select(func.count()).select_from(matches)) or 0
    forget_person(light_database, as_engine(gallery), person, STAMP, gallery="catalog")
    with light_database.read() as connection:
        assert (connection.scalar(select(func.count()).select_from(matches)) or 0) < before
        assert connection.scalar(select(func.count()).select_from(faces)) == 12

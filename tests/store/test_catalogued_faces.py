"""The faces of a person in the orders in which a review card shows them."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from catalog.domain.errors import PersonError
from catalog.store import tables
from catalog.store.catalogued_faces import faces_of_person, find_face
from catalog.store.face_order import FaceOrder, ordered_faces
from catalog.store.people import find_person
from tests.reports.made_catalog import fill, person_id

GALLERY = {"engine": "local", "gallery": "default"}


@pytest.fixture
def filled(database):
    """A catalogue of 600 faces; the first person has many."""
    fill(database, photo_count=300, face_count=600, person_count=20)
    return database


def ordered(database, order, limit=8, **options):
    with database.read() as connection:
        return ordered_faces(connection, find_person(connection, person_id(1)), order, limit, **GALLERY, **options)


def test_every_order_gives_the_same_faces(filled):
    """Without the detections that a user marked as no face."""
    with filled.read() as connection:
        everything = faces_of_person(connection, find_person(connection, person_id(1)))
    expected = {face.row for face in everything if not face.not_a_face}
    assert len(expected) > 20
    for order in FaceOrder:
        assert {face.row for face in ordered(filled, order, 1000)} == expected


def test_doubtful_faces_are_the_least_similar(filled):
    """Faces that a user confirmed come last."""
    faces = ordered(filled, FaceOrder.DOUBTFUL, 1000)
    machine = [face.similarity for face in faces if face.similarity is not None]
    assert machine == sorted(machine)
    assert [face.similarity is None for face in faces] == sorted(face.similarity is None for face in faces)


def test_faces_are_ordered_by_the_date_of_the_photo(filled):
    """Oldest first and newest first; photos without a date come last."""
    for order, is_reversed in ((FaceOrder.OLDEST, False), (FaceOrder.NEWEST, True)):
        times = [face.taken_at for face in ordered(filled, order, 1000)]
        dated = [time for time in times if time is not None]
        assert 0 < len(dated) < len(times)
        assert times[: len(dated)] == sorted(dated, reverse=is_reversed)


def test_clear_faces_are_sharp(filled):
    """The clearest faces are sharper on average than all faces."""

    def sharpness(faces):
        rows = [face.row for face in faces]
        query = f"SELECT avg(sharpness) FROM faces WHERE id IN ({', '.join(map(str, rows))})"
        with filled.read() as connection:
            return connection.exec_driver_sql(query).scalar_one()

    assert sharpness(ordered(filled, FaceOrder.CLEAREST)) > sharpness(ordered(filled, FaceOrder.CLEAREST, 1000)) + 10


def test_a_page_shows_no_face_of_the_page_before(filled):
    """The second page begins after the first one."""
    first = ordered(filled, FaceOrder.CLEAREST)
    second = ordered(filled, FaceOrder.CLEAREST, offset=len(first))
    assert not {face.row for face in first} & {face.row for face in second}
    assert len(second) == 8


def test_a_whole_id_is_found_beside_longer_ones(filled):
    """Two longer ids that begin with it come first in the table."""
    with filled.begin() as connection:
        for number, face_id in ((1, "same-1"), (2, "same-2"), (3, "same")):
            connection.execute(
                update(tables.faces).where(tables.faces.c.id == number).values(face_id=face_id, **GALLERY)
            )
    with filled.read() as connection:
        assert find_face(connection, "same", **GALLERY).row == 3
        with pytest.raises(PersonError, match="Several faces"):
            find_face(connection, "same-", **GALLERY)

"""Names from other programs that must not be confirmed in bulk."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from sqlalchemy import insert

from catalog.domain.faces import BoundingBox
from catalog.identities.assignment.doubtful_names import DECIDED, FAR_APART, doubtful_names
from catalog.store.database import Database
from catalog.store.tables import assignments, faces, matches, persons, photos, searches

NOW = "2026-01-01T00:00:00.000000Z"
BOX = BoundingBox(0.1, 0.1, 0.2, 0.2)
THRESHOLD = 0.37


class Vectors:
    """Group means of faces with known vectors: the first letter of a face id is the person."""

    def group_vectors(self, face_ids: Sequence[str]) -> np.ndarray:
        axes = {"a": (1.0, 0.0, 0.0), "b": (0.0, 1.0, 0.0), "c": (0.6, 0.0, 0.8)}
        return np.array([axes[face_id[0]] for face_id in face_ids], dtype=np.float32)

    def neighbor_edges(self, *args: object) -> None:
        raise AssertionError

    def similarities(self, values: Sequence[float]) -> list[float]:
        return [100.0 * value for value in values]


@pytest.fixture
def add_face(light_database: Database):
    """Returns a function that adds a face and, if given, its person. Returns the row of the face."""

    def add(face_id: str, person: int | None, *, by: str = "cluster", name: str | None = None) -> int:
        with light_database.begin() as connection:
            count = connection.exec_driver_sql("SELECT COUNT(*) FROM photos").scalar_one()
            photo = {"sha256": f"{count:064x}", "size": 1, "format": "JPEG", "width": 9, "height": 9, "orientation": 1}
            photo_id = connection.execute(insert(photos).returning(photos.c.id), {**photo, "recorded_at": NOW}).scalar()
            if (
                person is not None
                and not connection.exec_driver_sql(f"SELECT COUNT(*) FROM persons WHERE id = {person}").scalar()
            ):
                row = {"id": person, "person_id": f"p{person}", "name": name, "hidden": False, "created_at": NOW}
                connection.execute(insert(persons), row)
            face = {
                "face_id": face_id,
                "photo_id": photo_id,
                "engine": "local",
                "gallery": "g",
                "model": "m",
                "box_left": 0.1,
                "box_top": 0.1,
                "box_width": 0.2,
                "box_height": 0.2,
                "confidence": 99.0,
                "not_a_face": False,
                "enrolled_at": NOW,
            }
            face_row = connection.execute(insert(faces).returning(faces.c.id), face).scalar_one()
            if person is not None:
                row = {"face_id": face_row, "person_id": person, "by": by, "assigned_at": NOW}
                connection.execute(insert(assignments), row)
        return int(face_row)

    return add


def reasons(database: Database, name_by_row: dict[int, str], *, lends_means: bool = True) -> dict[int, str]:
    with database.read() as connection:
        return doubtful_names(
            connection, Vectors if lends_means else None, THRESHOLD, name_by_row, engine="local", gallery="g"
        )


def test_similar_groups_of_one_name_are_not_doubtful(light_database, add_face):
    """The machine split one person; the name unites it."""
    rows = [add_face("a1", 1), add_face("a2", 1), add_face("c1", 2)]
    assert reasons(light_database, dict.fromkeys(rows, "Ann")) == {}


def test_the_smaller_of_two_groups_that_are_far_apart_is_doubtful(light_database, add_face):
    """The name fits the larger group."""
    rows = [add_face("a1", 1), add_face("a2", 1), add_face("b1", 2)]
    assert reasons(light_database, dict.fromkeys(rows, "Ann")) == {rows[2]: FAR_APART}


def test_two_equal_groups_that_are_far_apart_are_both_doubtful(light_database, add_face):
    """There is no evidence which one the name fits."""
    rows = [add_face("a1", 1), add_face("b1", 2)]
    assert reasons(light_database, dict.fromkeys(rows, "Ann")) == dict.fromkeys(rows, FAR_APART)


def test_confirmed_faces_of_the_name_are_the_reference(light_database, add_face):
    """Also if the new group is larger."""
    add_face("a1", 1, by="human", name="Ann")
    rows = [add_face("b1", 2), add_face("b2", 2)]
    assert reasons(light_database, dict.fromkeys(rows, "Ann")) == dict.fromkeys(rows, FAR_APART)


def test_a_face_that_a_user_confirmed_as_another_person_is_doubtful(light_database, add_face):
    """A file does not override a decision."""
    row = add_face("a1", 1, by="human", name="Bob")
    assert reasons(light_database, {row: "Ann"}) == {row: DECIDED}
    assert reasons(light_database, {row: "Bob"}) == {}


def test_without_group_means_stored_matches_are_the_evidence(light_database, add_face):
    """No match in a complete search means far apart. Without a search there is no evidence."""
    rows = [add_face("a1", 1), add_face("a2", 1), add_face("b1", 2)]
    names = dict.fromkeys(rows, "Ann")
    assert reasons(light_database, names, lends_means=False) == {}
    with light_database.begin() as connection:
        search = {"face_id": rows[2], "threshold": 80.0, "complete": True, "searched_at": NOW}
        connection.execute(insert(searches), search)
    assert reasons(light_database, names, lends_means=False) == {rows[2]: FAR_APART}
    with light_database.begin() as connection:
        connection.execute(insert(matches), {"face_a": rows[0], "face_b": rows[2], "similarity": 90.0})
    assert reasons(light_database, names, lends_means=False) == {}

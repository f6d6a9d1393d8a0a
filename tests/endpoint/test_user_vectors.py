"""A user's vector: the mean of the user's faces, as long as they are."""

from __future__ import annotations

import numpy as np
import pytest

from catalog.endpoint.user_vectors import user_vector


@pytest.fixture
def faces() -> np.ndarray:
    rng = np.random.default_rng(3)
    center = rng.standard_normal(128)
    near = center + 0.8 * rng.standard_normal((5, 128))
    return (0.7 * near / np.linalg.norm(near, axis=1, keepdims=True)).astype(np.float32)


def test_it_points_where_the_faces_point_on_the_average(faces):
    vector = user_vector(faces)
    mean = faces.mean(axis=0)
    assert vector @ mean == pytest.approx(float(np.linalg.norm(vector) * np.linalg.norm(mean)), rel=1e-5)


def test_it_is_as_long_as_the_faces(faces):
    """A child's vectors are shorter than an adult's; at length 1 a child's user would match other children."""
    assert np.linalg.norm(user_vector(faces)) == pytest.approx(0.7, rel=1e-5)


def test_of_one_face_it_is_that_face(faces):
    np.testing.assert_allclose(user_vector(faces[:1]), faces[0], rtol=1e-5)


def test_of_faces_that_are_nothing_it_is_nothing():
    np.testing.assert_allclose(user_vector(np.zeros((2, 128), np.float32)), 0)

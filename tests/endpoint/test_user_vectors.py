"""A user vector is the mean of the user's face vectors, with their mean length."""

from __future__ import annotations

import numpy as np
import pytest

from catalog.endpoint.user_vectors import user_vector


@pytest.fixture
def faces() -> np.ndarray:
    rng = np.random.default_rng(3)
    center = rng.standard_normal(128)
    vectors = center + 0.8 * rng.standard_normal((5, 128))
    return (0.7 * vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def test_the_user_vector_has_the_direction_of_the_mean(faces):
    vector = user_vector(faces)
    mean = faces.mean(axis=0)
    assert vector @ mean == pytest.approx(float(np.linalg.norm(vector) * np.linalg.norm(mean)), rel=1e-5)


def test_the_user_vector_has_the_mean_length(faces):
    """Vectors of children are shorter than those of adults. With length 1 a child's user would match other children."""
    assert np.linalg.norm(user_vector(faces)) == pytest.approx(0.7, rel=1e-5)


def test_the_user_vector_of_one_face_is_its_vector(faces):
    np.testing.assert_allclose(user_vector(faces[:1]), faces[0], rtol=1e-5)


def test_the_user_vector_of_zero_vectors_is_zero():
    np.testing.assert_allclose(user_vector(np.zeros((2, 128), np.float32)), 0)

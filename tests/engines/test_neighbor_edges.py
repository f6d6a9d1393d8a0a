"""Neighbor edges equal those of a comparison of all pairs."""

from __future__ import annotations

import numpy as np
import pytest

from catalog.domain.nearest_lists import BUCKET, MAX_FACES
from catalog.engines import neighbor_edges as neighbor_edges_module
from catalog.engines.neighbor_edges import FaceLists, neighbor_edges


def tuples(vectors: np.ndarray, *, per_face: int, floor: float) -> list[tuple[int, int, float]]:
    """The edges as rows."""
    return list(
        zip(*(column.tolist() for column in neighbor_edges(vectors, per_face=per_face, floor=floor)), strict=True)
    )


FACES = BUCKET + 900
"""More than one bucket and several tiles."""


def unit_vectors(values: np.ndarray) -> np.ndarray:
    """Rows of norm 1."""
    return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)


def nearest_by_all_pairs(vectors: np.ndarray, per_face: int, floor: float) -> dict[tuple[int, int], float]:
    """The expected edges, from all products at once."""
    dots = vectors @ vectors.T
    np.fill_diagonal(dots, -np.inf)
    nearest = np.argpartition(-dots, per_face, axis=1)[:, :per_face]
    faces = np.repeat(np.arange(len(vectors)), per_face)
    pairs = zip(faces.tolist(), nearest.ravel().tolist(), dots[faces, nearest.ravel()].tolist(), strict=True)
    return {(min(face, other), max(face, other)): dot for face, other, dot in pairs if dot >= floor}


@pytest.mark.parametrize("floor", [0.3, 0.85])
def test_the_nearest_of_each_face_are_given_once(floor: float) -> None:
    """The edges are the union of every face's nearest at or above the floor. Some faces have fewer than seven."""
    vectors = unit_vectors(np.random.default_rng(0).standard_normal((FACES, 16)))
    expected = nearest_by_all_pairs(vectors, 7, floor)
    edges = tuples(vectors, per_face=7, floor=floor)
    assert {(low, high) for low, high, _ in edges} == set(expected)
    assert len(edges) == len(expected)
    assert [edge[:2] for edge in edges] == sorted(expected)
    assert all(value == pytest.approx(expected[low, high], abs=1e-6) for low, high, value in edges)


def test_many_faces_of_one_person_keep_full_lists() -> None:
    """All pairs reach the floor, and candidates are left out between tiles, never one of the nearest."""
    vectors = unit_vectors(1.0 + 0.2 * np.random.default_rng(1).standard_normal((FACES, 32)))
    expected = nearest_by_all_pairs(vectors, 5, 0.3)
    assert len(expected) > 2 * FACES
    assert {(low, high) for low, high, _ in tuples(vectors, per_face=5, floor=0.3)} == set(expected)


def test_equal_faces_keep_the_lowest_neighbors() -> None:
    """Copies of one photo are equally near: the result depends on their numbers, never on the order of tiles."""
    vectors = unit_vectors(np.ones((FACES, 8)))
    expected = {(low, high) for high in range(FACES) for low in range(3) if low < high} | {(0, 3), (1, 3), (2, 3)}
    assert {(low, high) for low, high, _ in tuples(vectors, per_face=3, floor=0.3)} == expected


def test_fewer_than_two_faces_have_no_edges() -> None:
    """No face and one face give no pair."""
    for count in (0, 1):
        assert tuples(np.ones((count, 4), np.float32), per_face=5, floor=0.1) == []


def test_an_error_in_one_tile_ends_the_computation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tiles are computed by several threads; the error reaches the caller."""

    def fail(*_: object) -> None:
        raise MemoryError("no memory for a tile")

    monkeypatch.setattr(neighbor_edges_module, "compare_rows", fail)
    with pytest.raises(MemoryError, match="no memory for a tile"):
        neighbor_edges(np.eye(4, dtype=np.float32), per_face=2, floor=0.3)


def test_too_many_faces_are_refused() -> None:
    with pytest.raises(ValueError, match="more than 134,217,728 faces"):
        FaceLists((0, MAX_FACES + 1), 50, 0.3)

"""Neighbor edges equal those of a comparison of all pairs."""

from __future__ import annotations

import numpy as np
import pytest

from catalog.engines import neighbor_edges as neighbor_edges_module
from catalog.engines.neighbor_edges import neighbor_edges


def tuples(vectors: np.ndarray, *, per_face: int, floor: float) -> list[tuple[int, int, float]]:
    """The edges as rows."""
    return list(
        zip(*(column.tolist() for column in neighbor_edges(vectors, per_face=per_face, floor=floor)), strict=True)
    )


@pytest.mark.parametrize("candidates", [1 << 22, 1_000])
@pytest.mark.parametrize("cells", [1 << 25, 5_000])
def test_the_nearest_of_each_face_are_given_once(cells: int, candidates: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The edges are the union of every face's nearest at or above the floor, in one block or in many."""
    monkeypatch.setattr(neighbor_edges_module, "_CELLS", cells)
    monkeypatch.setattr(neighbor_edges_module, "_MIN_CANDIDATES", candidates)
    rng = np.random.default_rng(0)
    values = rng.standard_normal((300, 16))
    vectors = (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)
    dots = vectors @ vectors.T
    np.fill_diagonal(dots, -np.inf)
    expected = {
        (min(face, neighbor), max(face, neighbor))
        for face in range(300)
        for neighbor in np.argsort(-dots[face])[:7].tolist()
        if dots[face, neighbor] >= 0.3
    }
    edges = tuples(vectors, per_face=7, floor=0.3)
    assert {(low, high) for low, high, _ in edges} == expected
    assert len(edges) == len(expected)
    assert all(value == pytest.approx(float(dots[low, high]), abs=1e-6) for low, high, value in edges)


@pytest.mark.parametrize("cells", [1 << 25, 2_000])
def test_many_faces_of_one_person_keep_full_lists(cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """All pairs reach the floor, and candidates are left out between blocks, never one of the nearest."""
    monkeypatch.setattr(neighbor_edges_module, "_CELLS", cells)
    monkeypatch.setattr(neighbor_edges_module, "_MIN_CANDIDATES", 0)
    rng = np.random.default_rng(1)
    values = 1.0 + 0.3 * rng.standard_normal((200, 32))
    vectors = (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)
    dots = (vectors @ vectors.T).astype(np.float64)
    np.fill_diagonal(dots, -np.inf)
    assert np.sort(dots, axis=1)[:, 1:].min() > 0.3
    nearest = np.argsort(-dots, axis=1)[:, :5]
    expected = {(min(face, other), max(face, other)) for face in range(200) for other in nearest[face].tolist()}
    assert {(low, high) for low, high, _ in tuples(vectors, per_face=5, floor=0.3)} == expected


def test_fewer_than_two_faces_have_no_edges() -> None:
    """No face and one face give no pair."""
    for count in (0, 1):
        assert tuples(np.ones((count, 4), np.float32), per_face=5, floor=0.1) == []


def test_an_error_in_one_block_ends_the_computation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks are computed by several threads; the error reaches the caller."""

    def fail(*_: object) -> None:
        raise MemoryError("no memory for a block")

    monkeypatch.setattr(neighbor_edges_module, "_pairs_of_block", fail)
    with pytest.raises(MemoryError, match="no memory for a block"):
        neighbor_edges(np.eye(4, dtype=np.float32), per_face=2, floor=0.3)

"""Lists keep the nearest candidates of each face, whatever their order."""

from __future__ import annotations

import numpy as np
import pytest

from catalog.domain.nearest_lists import NearestLists, reversed_keys, split_keys

FACES, PER_FACE = 20, 3


def candidates() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Faces, neighbors and dot products, among them equal ones, -1 and slightly more than 1."""
    rng = np.random.default_rng(0)
    faces = rng.integers(0, FACES, 4000)
    neighbors = rng.permutation(4000)
    dots = rng.choice(np.float32([-1.0, 0.1, 0.25, 0.5, 0.75, 1.0, 1.0000001]), 4000)
    return faces, neighbors, dots


def nearest(parts: int, seed: int) -> list[tuple[int, int, float]]:
    """What the lists keep of the candidates in a random order, added in parts."""
    faces, neighbors, dots = candidates()
    lists = NearestLists(FACES, PER_FACE, -1.0)
    for part in np.array_split(np.random.default_rng(seed).permutation(len(faces)), parts):
        lists.add(faces[part], neighbors[part], dots[part])
    return list(zip(*(column.tolist() for column in split_keys(lists.keys())), strict=True))


def test_the_nearest_are_kept() -> None:
    """Of equally near candidates those with the lowest numbers; a product beyond 1 by rounding counts as 1."""
    faces, neighbors, dots = candidates()
    expected = []
    for face in range(FACES):
        own = np.flatnonzero(faces == face)
        order = sorted(own.tolist(), key=lambda index: (-min(float(dots[index]), 1.0), neighbors[index]))
        expected += [(face, int(neighbors[index]), min(float(dots[index]), 1.0)) for index in order[:PER_FACE]]
    assert nearest(parts=1, seed=0) == expected


@pytest.mark.parametrize("parts", [1, 7, 400])
def test_order_and_parts_do_not_matter(parts: int) -> None:
    assert nearest(parts, seed=parts) == nearest(parts=1, seed=0)


def test_a_full_list_takes_nearer_candidates_only() -> None:
    """The lowest value that any face takes is known, so that others need not be offered."""
    lists = NearestLists(1, 2, 0.3)
    assert lists.least == 0.3
    lists.add(np.array([0, 0, 0]), np.array([5, 6, 7]), np.float32([0.5, 0.75, 0.4]))
    lists.keys()
    assert 0.4999 < lists.least < 0.5
    lists.add(np.array([0, 0]), np.array([8, 9]), np.float32([0.5, 0.625]))
    assert split_keys(lists.keys())[1].tolist() == [6, 9]


def test_bounds_of_another_computation_leave_candidates_out() -> None:
    lists = NearestLists(1, 2, 0.3)
    lists.add(np.array([0, 0]), np.array([5, 6]), np.float32([0.5, 0.75]))
    lists.keys()
    others = NearestLists(1, 2, 0.3, lists.bounds)
    others.add(np.array([0, 0, 0]), np.array([1, 8, 9]), np.float32([0.49, 0.5, 0.625]))
    assert split_keys(others.keys())[1].tolist() == [9]


def test_a_pair_is_the_same_from_both_sides() -> None:
    """The key that the neighbor's list would hold has the same distance."""
    lists = NearestLists(2, 4, 0.0)
    lists.add(np.array([0, 1]), np.array([9_000, 4_097]), np.float32([0.3, 0.9]))
    neighbors, keys = reversed_keys(lists.keys(), first_face=8192)
    assert neighbors.tolist() == [9_000, 4_097]
    faces, others, dots = split_keys(keys)
    assert faces.tolist() == [9_000 - 8192, 1]
    assert others.tolist() == [8192, 8193]
    assert dots == pytest.approx([0.3, 0.9], abs=1e-6)

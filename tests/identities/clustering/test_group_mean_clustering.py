"""Persons near one another are found by their mean vectors, in many tiles as by all products at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from catalog.domain.near_pairs import TILE_COLUMNS, TILE_ROWS
from catalog.identities.clustering.demographics import NEVER, Demographics
from catalog.identities.clustering.face_table import FaceTable
from catalog.identities.clustering.group_mean_clustering import nearby_persons

PERSONS, UNASSIGNED, NEAREST = TILE_COLUMNS + 300, TILE_ROWS + 50, 8
COUNT = PERSONS + UNASSIGNED
FLOOR = 0.45


class Vectors:
    """Lends the vectors of faces, whose ids are their numbers."""

    def __init__(self) -> None:
        values = np.random.default_rng(2).standard_normal((COUNT, 24))
        self.values = (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)

    def group_vectors(self, face_ids: Sequence[str]) -> NDArray[np.float32]:
        return self.values[[int(face_id) for face_id in face_ids]]


def table() -> FaceTable:
    """Persons of one face each, and faces without a person."""
    numbers, yes = np.arange(COUNT), np.ones(COUNT, dtype=bool)
    return FaceTable(
        row_ids=numbers,
        face_ids=[str(number) for number in numbers],
        photo=numbers,
        person=np.where(numbers < PERSONS, numbers + 1, -1),
        is_human=~yes,
        is_named=~yes,
        is_seed=yes,
        is_complete=yes,
        is_searched=yes,
        epoch=numbers,
        quality=np.ones(COUNT),
        taken_at=[""] * COUNT,
        last_day=[""] * COUNT,
        demographics=Demographics(np.zeros((COUNT, 5)), NEVER),
    )


def test_each_face_and_person_has_its_nearest_persons() -> None:
    """A pair occurs once, and nothing is near itself. Faces without a person are near persons only."""
    vectors = Vectors()
    dots = vectors.values @ vectors.values[:PERSONS].T
    dots[np.arange(PERSONS), np.arange(PERSONS)] = -1.0
    nearest = np.argpartition(-dots, NEAREST, axis=1)[:, :NEAREST]
    expected = {
        (min(face, person), max(face, person))
        for face in range(COUNT)
        for person in nearest[face].tolist()
        if dots[face, person] >= FLOOR
    }
    first, second, similarity = nearby_persons(vectors, table(), FLOOR)
    pairs = list(zip(first.tolist(), second.tolist(), strict=True))
    assert set(pairs) == expected
    assert len(pairs) == len(expected) > COUNT
    products = np.einsum("ij,ij->i", vectors.values[first], vectors.values[second])
    assert np.allclose(similarity, products, atol=1e-6)

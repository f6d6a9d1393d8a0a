"""Neighbor searches: every paid answer is stored."""

from __future__ import annotations

import itertools
import threading
from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import delete, func, select

from catalog.domain.errors import LimitReached
from catalog.domain.faces import NeighborList
from catalog.store.database import Database
from catalog.store.tables import charges, faces, searches
from tests.identities.assigned_catalogue import settled
from tests.identities.made_library import RULES, Shot, VectorGallery, enroll, people, vector_near

FOUR = replace(RULES.search, workers=4)


class FailingFirstSearch(VectorGallery):
    """The first search of the first wave reaches the spending limit; the others answer."""

    def __init__(self, workers: int) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._others = threading.Barrier(workers)

    def neighbors(self, face_id: str, threshold: float, limit: int = 4096) -> NeighborList:
        with self._lock:
            number = next(self._numbers)
            answer = None if number == 0 else super().neighbors(face_id, threshold, limit)
        self._others.wait(5)
        if answer is None:
            raise LimitReached("The limit of 3 paid calls is reached.")
        return answer


def paid_and_kept(database: Database) -> tuple[int, int]:
    """Charged calls, and stored neighbor lists."""
    with database.read() as connection:
        paid = connection.scalar(select(func.coalesce(func.sum(charges.c.calls), 0))) or 0
        return int(paid), connection.scalar(select(func.count()).select_from(searches)) or 0


def six_strangers(database: Database, gallery: VectorGallery, rng: np.random.Generator) -> None:
    shots = [Shot(f"{number}.jpg", [vector_near(center, 0.9, rng)]) for number, center in enumerate(people(6, rng))]
    enroll(database, gallery, shots)


def test_searches_beside_one_that_reaches_the_limit_are_stored(
    light_database: Database, rng: np.random.Generator
) -> None:
    gallery = FailingFirstSearch(4)
    six_strangers(light_database, gallery, rng)
    with pytest.raises(LimitReached):
        settled(light_database, gallery, search=FOUR)
    assert gallery.calls == 3
    assert paid_and_kept(light_database) == (3, 3)


class FaceDeletingGallery(VectorGallery):
    """Another process deletes a face while its neighbors are searched."""

    database: Database

    def neighbors(self, face_id: str, threshold: float, limit: int = 4096) -> NeighborList:
        if not self.calls:
            with self.database.begin() as connection:
                connection.execute(delete(faces).where(faces.c.face_id == face_id))
        return super().neighbors(face_id, threshold, limit)


def test_a_search_for_a_face_that_is_deleted_meanwhile_is_charged(database: Database, rng: np.random.Generator) -> None:
    """The other faces get their persons."""
    gallery = FaceDeletingGallery()
    gallery.database = database
    six_strangers(database, gallery, rng)
    done = settled(database, gallery)
    assert (done.persons_new, done.searches) == (5, 6)
    assert paid_and_kept(database) == (6, 5)

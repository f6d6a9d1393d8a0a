"""Searches that cost money: every answer that was paid for is kept."""

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
from tests.identities.made_library import RULES, Shot, VectorGallery, enroll, near, people

FOUR = replace(RULES.search, workers=4)


class Dear(VectorGallery):
    """Answers all searches of the first wave but the first, which finds the budget used up."""

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
    """Calls in the ledger, and lists of neighbors that are kept."""
    with database.read() as connection:
        paid = connection.scalar(select(func.coalesce(func.sum(charges.c.calls), 0))) or 0
        return int(paid), connection.scalar(select(func.count()).select_from(searches)) or 0


def six_strangers(database: Database, gallery: VectorGallery, rng: np.random.Generator) -> None:
    shots = [Shot(f"{number}.jpg", [near(who, 0.9, rng)]) for number, who in enumerate(people(6, rng))]
    enroll(database, gallery, shots)


def test_searches_paid_beside_one_that_the_budget_refuses_are_kept(
    light_database: Database, rng: np.random.Generator
) -> None:
    """Each list that was bought is kept with its charge, whatever happened to the others of its wave."""
    gallery = Dear(4)
    six_strangers(light_database, gallery, rng)
    with pytest.raises(LimitReached):
        settled(light_database, gallery, search=FOUR)
    assert gallery.calls == 3
    assert paid_and_kept(light_database) == (3, 3)


class Losing(VectorGallery):
    """Somebody takes a face out while its neighbors are searched."""

    database: Database

    def neighbors(self, face_id: str, threshold: float, limit: int = 4096) -> NeighborList:
        if not self.calls:
            with self.database.begin() as connection:
                connection.execute(delete(faces).where(faces.c.face_id == face_id))
        return super().neighbors(face_id, threshold, limit)


def test_a_search_for_a_face_that_is_taken_out_meanwhile_is_in_the_ledger(
    database: Database, rng: np.random.Generator
) -> None:
    """What it brought has no row any more, but it was paid for; the others get their persons."""
    gallery = Losing()
    gallery.database = database
    six_strangers(database, gallery, rng)
    done = settled(database, gallery)
    assert (done.persons_new, done.searches) == (5, 6)
    assert paid_and_kept(database) == (6, 5)

"""A small catalogue on which tests make decisions, and the rows that decisions change."""

from __future__ import annotations

from typing import Any

import numpy as np
from sqlalchemy import Connection, select

from catalog.domain.faces import BoundingBox
from catalog.identities.decisions.log import DecisionStamp
from catalog.store.database import Database
from catalog.store.person_index import PersonRow, all_persons
from catalog.store.tables import assignments, faces, persons
from tests.identities.assigned_catalogue import settled
from tests.identities.made_library import NOW, LendingGallery, Shot, enroll, people, vector_near

BOX = BoundingBox(0.30, 0.30, 0.20, 0.30)
SHIFTED = BoundingBox(0.31, 0.29, 0.21, 0.30)
STAMP = DecisionStamp("tester", NOW)


def catalogue(database: Database, count: int = 4, photos: int = 4) -> LendingGallery:
    """Scan ``photos`` photos of each of ``count`` persons, who are alone on them."""
    rng = np.random.default_rng(3)
    centers = people(count, rng, 128)
    shots = [
        Shot(f"{center}-{n}", [vector_near(centers[center], 0.85, rng)])
        for center in range(count)
        for n in range(photos)
    ]
    gallery = LendingGallery()
    settled(database, gallery, enroll(database, gallery, shots))
    return gallery


def unmerged_persons(connection: Connection) -> list[PersonRow]:
    return [row for row in all_persons(connection) if row.merged_into is None]


def rows(connection: Connection) -> Any:
    """Return all rows that a decision can change."""
    return [
        connection.execute(select(table).order_by(*table.primary_key.columns)).all()
        for table in (persons, assignments, faces)
    ]


def photos(box: BoundingBox, seed: int, count: int = 4, per_person: int = 4) -> list[Shot]:
    rng = np.random.default_rng(seed)
    centers = people(count, np.random.default_rng(seed), 128)
    return [
        Shot(f"{center}-{n}", [vector_near(centers[center], 0.85, rng)], [box])
        for center in range(count)
        for n in range(per_person)
    ]

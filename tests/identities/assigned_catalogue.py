"""Catalogues in which people are assigned, and the assignments read back."""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from catalog.domain.engine import Engine
from catalog.identities.assignment.assign_people import AssignmentResult, assign_people
from catalog.store.database import Database, open_database
from catalog.store.tables import assignments, faces, persons
from tests.identities.made_library import (
    NOW,
    RULES,
    Shot,
    VectorGallery,
    people,
    vector_near,
)


def settled(database: Database, gallery: VectorGallery, scan_id: int | None = None, **changed: Any) -> AssignmentResult:
    rules = replace(RULES, **changed)
    return assign_people(database, as_engine(gallery), rules, gallery="catalog", scan_id=scan_id, now=NOW)


def as_engine(gallery: VectorGallery) -> Engine:
    return gallery


def who_is_who(database: Database) -> dict[str, str | None]:
    """Public id of the person of each face."""
    query = (
        select(faces.c.face_id, persons.c.person_id)
        .select_from(faces.outerjoin(assignments, assignments.c.face_id == faces.c.id).outerjoin(persons))
        .where(faces.c.not_a_face.is_(False))
    )
    with database.read() as connection:
        return {row.face_id: row.person_id for row in connection.execute(query)}


def groups(database: Database) -> set[frozenset[str]]:
    result: dict[str | None, set[str]] = {}
    for face, person in who_is_who(database).items():
        result.setdefault(person, set()).add(face)
    return {frozenset(members) for person, members in result.items() if person is not None}


def fresh_database(template: Any, factory: pytest.TempPathFactory) -> Any:
    """Another empty catalogue, for a test that needs several."""
    path = factory.mktemp("night") / "catalog.sqlite3"
    shutil.copyfile(template, path)
    return contextlib.closing(open_database(str(path)))


def album(rng: np.random.Generator, count: int = 8, photos: int = 30, start: int = 0) -> list[Shot]:
    """Photos of one to three different people each."""
    centers = people(count, np.random.default_rng(77), 128)
    shots = []
    for number in range(start, start + photos):
        shown = rng.choice(count, size=int(rng.integers(1, 4)), replace=False)
        shots.append(Shot(f"{number}.jpg", [vector_near(centers[center], 0.83, rng) for center in shown]))
    return shots

"""Persons, and the source of an assignment."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Person:
    """A human being as held by the catalogue. ``person_id`` is public and kept for ever; a merged one redirects."""

    person_id: str
    name: str | None
    hidden: bool
    faces: int
    photos: int


class AssignedBy(StrEnum):
    """Who decided that a face belongs to a person. What a human decided is never overruled."""

    CLUSTER = "cluster"
    HUMAN = "human"

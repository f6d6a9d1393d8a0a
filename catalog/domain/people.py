"""Persons, and the source of an assignment."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Person:
    """A human being as the catalogue holds it.

    ``person_id`` is permanent; the id of a merged person redirects. ``birth_date`` is ``YYYY-MM-DD``; lists leave it
    None. ``faces`` counts the faces of all galleries.
    """

    person_id: str
    name: str | None
    hidden: bool
    faces: int
    photos: int
    birth_date: str | None = None

    def __str__(self) -> str:
        return f'"{self.name}" ({self.person_id})' if self.name else self.person_id


class AssignedBy(StrEnum):
    """Who decided that a face belongs to a person. What a human decided is never overruled."""

    CLUSTER = "cluster"
    HUMAN = "human"

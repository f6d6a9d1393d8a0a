"""Values of the review: cards, answers and their results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from catalog.domain.errors import UsageError
from catalog.store.catalogued_faces import CataloguedFace
from catalog.store.review_rows import PersonSummary

Kind = Literal["group", "pair", "grid"]


@dataclass(frozen=True, slots=True)
class Tile:
    """One face, or a person's group of faces, that belongs to a card."""

    question: int
    similarity: float
    chance: float
    faces: int
    face: CataloguedFace
    person_id: str | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """One question as a user sees it. ``worth`` is expected faces decided per second."""

    id: str
    kind: Kind
    person: PersonSummary
    worth: float
    chance: float
    settles: float
    """Expected faces that get a name."""
    other: PersonSummary | None = None
    tiles: tuple[Tile, ...] = ()
    reason: str | None = None
    seen: int = 0
    """Number of the latest decision when the card was made."""


@dataclass(frozen=True, slots=True)
class ReviewStatus:
    """Faces with a person, faces with a name, and the forecast after ``answers`` further answers."""

    faces: int
    named: int
    hidden: int
    unnamed_persons: int
    answers: int
    forecast: int


@dataclass(frozen=True, slots=True)
class Choice:
    """An action on one face or person of a card. ``target`` is a face id or a person id."""

    target: str
    action: Literal["reject", "not_a_face", "confirm", "merge", "separate", "hide"]


@dataclass(frozen=True, slots=True)
class ReviewAnswer:
    """An answer to a card about ``person``.

    ``name``: a new name. ``into``: the id of a named person that ``person`` is merged into. ``choices`` are
    applied before the name. ``same_photo`` allows a merge of persons on one photo. ``seen`` is that of the card.
    """

    key: str
    person: str
    seen: int
    name: str | None = None
    into: str | None = None
    choices: tuple[Choice, ...] = ()
    same_photo: bool = False
    faces_seen: int | None = None


@dataclass(frozen=True, slots=True)
class ReviewResult:
    """``group`` is the group of decisions, None if the answer made none. ``is_repeat``: the key was used before."""

    group: int | None
    is_repeat: bool = False


class ReviewConflictError(UsageError):
    """A person of the card was changed since the card was shown."""

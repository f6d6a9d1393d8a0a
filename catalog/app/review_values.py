"""Values of the review: cards, answers and their results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from catalog.domain.decisions import Decision
from catalog.domain.errors import UsageError
from catalog.store.catalogued_faces import CataloguedFace
from catalog.store.person_summaries import PersonSummary

Kind = Literal["group", "pair", "grid"]


@dataclass(frozen=True, slots=True)
class Tile:
    """One face, or a person's group of faces, that belongs to a card. ``name`` is the name of that person."""

    question: int
    similarity: float
    chance: float
    faces: int
    face: CataloguedFace
    person_id: str | None = None
    name: str | None = None


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

    @property
    def is_about_person(self) -> bool:
        """True if ``target`` is a person."""
        return self.action in ("merge", "separate", "hide")


@dataclass(frozen=True, slots=True)
class ReviewAnswer:
    """An answer to a card about ``person``.

    ``name``: a new name. ``into``: the id of a named person that ``person`` is merged into. ``choices`` are
    applied before the name. ``same_photo`` allows a merge of persons on one photo, ``same_name`` a second person of the
    same name. ``seen`` is that of the card.
    """

    key: str
    person: str
    seen: int
    name: str | None = None
    into: str | None = None
    choices: tuple[Choice, ...] = ()
    same_photo: bool = False
    same_name: bool = False
    faces_seen: int | None = None


@dataclass(frozen=True, slots=True)
class Repair:
    """A change outside a card. ``seen`` is the number of the latest decision when the page was made.

    ``move`` confirms ``faces`` as the person ``into`` or as a new person ``name``; their old person keeps its name.
    ``split`` makes ``faces`` of ``person`` a person without a name. ``not_a_face`` marks ``faces``. ``rename`` gives
    ``person`` the ``name``, or none. ``merge`` joins ``person`` into ``into``. ``hide`` and ``unhide`` are of
    ``person``.
    """

    key: str
    seen: int
    action: Literal["move", "split", "not_a_face", "rename", "merge", "hide", "unhide"]
    person: str | None = None
    faces: tuple[str, ...] = ()
    name: str | None = None
    into: str | None = None
    same_photo: bool = False
    same_name: bool = False


@dataclass(frozen=True, slots=True)
class ReviewResult:
    """``group`` is the group of decisions, None if the answer made none. ``is_repeat``: the key was used before."""

    group: int | None
    is_repeat: bool = False


class ReviewConflictError(UsageError):
    """A person of the card was changed since the card was shown."""


class SameNameError(UsageError):
    """Another person has the name; ``person`` is its id. A user may insist on two persons of one name."""

    def __init__(self, message: str, person: str) -> None:
        super().__init__(message, remedy="Join the two, or keep two people of one name.")
        self.person = person


class BlockedUndoError(UsageError):
    """Later decisions build on a decision. ``groups`` are all groups that would be undone, it and the later ones."""

    def __init__(self, message: str, groups: Sequence[int]) -> None:
        super().__init__(message, remedy=f"Undo all {len(groups)}.")
        self.groups = tuple(groups)


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """A group of decisions. ``group`` is the number that undo takes. ``texts`` has one sentence per decision.

    ``decisions`` have no prior state. ``undone_by`` is the number of the undo in force, None while one of them is in
    force.
    """

    group: int
    decided_at: datetime
    decided_by: str
    text: str
    decisions: tuple[Decision, ...]
    texts: tuple[str, ...]
    undone_by: int | None
    can_undo: bool

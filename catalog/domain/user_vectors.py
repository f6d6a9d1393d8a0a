"""What an engine may learn about persons: the contract between the catalogue and an engine's users.

A *user* is a person as an engine knows it: several faces of which the engine makes one, and finds the person more
surely than by any single face. Only Amazon Rekognition has them so far.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from catalog.domain.charges import Charge
from catalog.domain.faces import BoundingBox, Face
from catalog.domain.opened_photo import OpenedPhoto


@dataclass(frozen=True, slots=True)
class UserMatch:
    """A person whose user is similar to a face; 0 to 100."""

    person_id: str
    similarity: float


@dataclass(frozen=True, slots=True)
class UserSearch:
    """Persons by their users, most similar first. ``probe`` is None where the photo shows no face to search for."""

    probe: Face | None
    matches: tuple[UserMatch, ...]
    charges: tuple[Charge, ...]


@dataclass(frozen=True, slots=True)
class UserChanges:
    """What :meth:`UserVectors.match` did. ``refused`` are faces that the engine would not take for their user."""

    created: int
    deleted: int
    associated: int
    disassociated: int
    refused: tuple[str, ...]


@runtime_checkable
class Teachable(Protocol):
    """An engine that can learn persons."""

    def users(self) -> UserVectors:
        """The users of its gallery; they share its connection, pace and budget."""


class UserVectors(Protocol):
    """The users of one gallery."""

    def search_image(
        self, photo: OpenedPhoto, threshold: float, limit: int = 10, box: BoundingBox | None = None
    ) -> UserSearch:
        """Persons like the face of a photo at ``box``, else like its largest."""

    def search_face(self, face_id: str, threshold: float, limit: int = 10) -> UserSearch:
        """Persons like an enrolled face. Raises ``KeyError`` for one that the gallery does not hold."""

    def taught(self) -> dict[str, tuple[str, ...]]:
        """The faces that each person's user was made of, by person id. Free."""

    def match(self, wanted: Mapping[str, Sequence[str]], pay: Callable[[Charge], None]) -> UserChanges:
        """Make the users those of ``wanted``: face ids by person id, the best ones first.

        ``pay`` is told of each paid call once it is answered, so that what was paid is known whatever comes next.
        Asking for the same again changes and costs nothing. Raises ``EngineError``.
        """

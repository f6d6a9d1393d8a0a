"""The contract of user vectors: one vector of a gallery for each person, made of several confirmed faces.

A search by user vectors finds a person more reliably than a search by any single face.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from catalog.domain.charges import Charge
    from catalog.domain.faces import BoundingBox, Face
    from catalog.domain.opened_photo import OpenedPhoto


@dataclass(frozen=True, slots=True)
class UserVectorRules:
    """Which persons get a user vector, and which search comes first.

    A person has one from ``min_faces`` confirmed faces on; it is made of at most ``max_faces``. New faces are searched
    by user vectors first where ``search_first`` is set: a single match at or above ``certain_similarity`` (0 to 100)
    then replaces the neighbor search.
    """

    min_faces: int
    max_faces: int
    search_first: bool = False
    certain_similarity: float = 100.0


@dataclass(frozen=True, slots=True)
class UserMatch:
    """A person whose user vector is similar to a face; 0 to 100."""

    person_id: str
    similarity: float


@dataclass(frozen=True, slots=True)
class UserSearch:
    """Persons by their user vectors, most similar first. ``probe`` is None where the photo shows no face."""

    probe: Face | None
    matches: tuple[UserMatch, ...]
    charges: tuple[Charge, ...]


@dataclass(frozen=True, slots=True)
class UserChanges:
    """Counts of :meth:`UserVectors.match`. ``refused`` are faces that the engine did not accept for their person."""

    created: int
    deleted: int
    associated: int
    disassociated: int
    refused: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UserVectorCalls:
    """Paid calls of one :meth:`UserVectors.match`, and of the removals before it. ``users``: there are user vectors."""

    associate: int = 0
    disassociate: int = 0
    users: bool = False


class UserVectors(Protocol):
    """The user vectors of one gallery."""

    @property
    def rules(self) -> UserVectorRules:
        """Rules from the engine's options."""

    def search_image(
        self, photo: OpenedPhoto, threshold: float, limit: int = 10, box: BoundingBox | None = None
    ) -> UserSearch:
        """Persons similar to the face of a photo at ``box``, else to its largest face."""

    def search_face(self, face_id: str, threshold: float, limit: int = 10) -> UserSearch:
        """Persons similar to an enrolled face. Raises ``KeyError`` for one that the gallery does not hold."""

    def associated(self) -> dict[str, tuple[str, ...]]:
        """Face ids of each user vector, by person id. Free of charge."""

    def match(self, wanted: Mapping[str, Sequence[str]], on_charge: Callable[[Charge], None]) -> UserChanges:
        """Make the user vectors equal to ``wanted``: face ids by person id, the best ones first.

        ``on_charge`` is called after each paid call, so that no charge is lost when a later call fails. A second call
        with the same faces changes and costs nothing. Raises ``EngineError``.
        """

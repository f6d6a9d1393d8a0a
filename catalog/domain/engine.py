"""The contract between the catalogue and whatever sees faces.

Terms
    *photo*     an ``OpenedPhoto``: upright pixels, perhaps reduced, and the file's bytes.
    *gallery*   the set of enrolled faces that one search runs against; each engine is opened on exactly one.
    *face id*   a lower-case UUID, given by the gallery, never reused.
    *sha256*    64 hex digits, the digest of the photo's bytes: the identity of content.
    *similarity*  0 to 100. 80 means about one false match in 1,000 pairs of strangers, 99 about one in 100,000.

Rules
    - Every method may be called from several threads at once.
    - Every answer that was paid for carries its charges; the caller stores them in the same transaction as the answer.
    - ``PhotoError`` blames the photo, ``EngineError`` the engine: after the
      first the next photo may be tried, after the second it may not.
    - An engine keeps vectors to itself. Clustering sees edges, and, where an engine can lend them,
      :class:`GroupMeans`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol, runtime_checkable

from catalog.domain.charges import Charge, Operation
from catalog.domain.faces import (
    Analysis,
    BoundingBox,
    Comparison,
    EnrolledFace,
    Enrollment,
    NeighborList,
    SearchResult,
)
from catalog.domain.opened_photo import OpenedPhoto

MAX_FACES = 100
"""Faces looked at in one photo, the largest first, as Amazon Rekognition does."""

MAX_MATCHES = 4096
"""The longest list of matches that one search gives."""


class Engine(Protocol):
    """Finds faces, enrolls them in a gallery and compares them."""

    @property
    def name(self) -> str:
        """``local`` or ``rekognition``."""

    @property
    def model(self) -> str:
        """Which networks in which version; stored with every face, and never mixed in one gallery."""

    def analyze(self, photo: OpenedPhoto) -> Analysis:
        """The faces of a photo, largest first, with all attributes. Nothing is kept. (DetectFaces)"""

    def enroll(self, photo: OpenedPhoto, sha256: str) -> Enrollment:
        """Put a photo's faces in the gallery. (IndexFaces)

        Idempotent on ``sha256``: asking twice enrolls once and gives the same face ids.
        A photo without a face is a success with no faces.
        """

    def neighbors(self, face_id: str, threshold: float, limit: int = MAX_MATCHES) -> NeighborList:
        """Gallery faces similar to an enrolled one, itself left out. (SearchFaces)

        Raises ``KeyError`` for a face id that the gallery does not hold.
        """

    def search(
        self, photo: OpenedPhoto, threshold: float, limit: int = MAX_MATCHES, box: BoundingBox | None = None
    ) -> SearchResult:
        """Gallery faces similar to one face of a photo: the one at ``box``, else the largest. (SearchFacesByImage)

        Raises ``NoFaceError``.
        """

    def compare(self, source: OpenedPhoto, target: OpenedPhoto, threshold: float) -> Comparison:
        """The source's largest face against every face of the target. (CompareFaces)

        Raises ``NoFaceError`` when the source or the target shows no face.
        """

    def remove(self, face_ids: Iterable[str]) -> set[str]:
        """Take faces out of the gallery; returns the ids that were there. Free. (DeleteFaces)"""

    def enrolled(self) -> Iterator[EnrolledFace]:
        """Every face of the gallery, in no promised order. Free. (ListFaces)"""

    def price(self, operation: Operation, calls: int) -> Charge:
        """What so many further calls would cost; zero dollars for the local engine."""

    def close(self) -> None:
        """Give back connections, threads and memory."""


@runtime_checkable
class GroupMeans(Protocol):
    """What an engine that holds vectors may lend clustering: exact mean similarities between groups of faces.

    Values are on the clustering scale, where two vectors' dot product is their similarity: -1 to 1.
    """

    def neighbor_edges(
        self, face_ids: Sequence[str], *, per_face: int, floor: float
    ) -> Iterator[tuple[int, int, float]]:
        """Pairs of positions in ``face_ids`` (first below second) that are near one another.

        For each face the ``per_face`` nearest at or above ``floor``; the union is given, each pair once.
        """

    def group_vectors(self, face_ids: Sequence[str]) -> object:
        """An array of shape (len(face_ids), dimension), float32 vectors no longer than 1, for sums of groups only.

        The caller may add rows and take dot products of sums; it may not store or print them.
        """

    def similarities(self, values: Sequence[float]) -> list[float]:
        """Values of the clustering scale as similarities, 0 to 100, for people to read."""


@runtime_checkable
class Metered(Protocol):
    """An engine that is paid by the call, over a network where answers may be lost.

    A call whose answer was lost may be billed, so it counts: the charges of the next answer of its operation include
    it. What no answer included is told here.
    """

    def take_unreported_charges(self) -> tuple[Charge, ...]:
        """The charges of lost calls that no answer carries; each is told once."""

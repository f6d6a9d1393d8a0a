"""The contract between the catalogue and an engine, which finds, enrolls and compares faces.

Terms
    *photo*     an ``OpenedPhoto``: upright pixels, perhaps reduced, and the file's bytes.
    *gallery*   the set of enrolled faces that one search runs against. An engine is opened on exactly one.
    *face id*   a lower-case UUID that the gallery assigns and never reuses.
    *sha256*    the content hash of the photo, 64 lower-case hex digits.
    *similarity*  0 to 100. 80 is about one false match in 1,000 pairs of different people, 99 one in 100,000.

Rules
    - Every method may be called from several threads at once.
    - Every result of a paid call carries its charges. The caller stores them in the transaction of the result.
    - ``PhotoError`` means that this photo failed: the next one may be tried. ``EngineError`` means that the engine
      failed: no further photo is tried.
    - Face vectors stay inside the engine. Clustering reads a similarity graph, and :class:`GroupMeans` where an engine
      lends them.
    - Callers ask ``capabilities``, ``group_means`` and ``user_vectors``, never the type or the name of an engine.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:  # an engine is described without the classes of its results
    import numpy as np
    from numpy.typing import NDArray

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
    from catalog.domain.prepared_photo import PreparedPhoto
    from catalog.domain.stranger_rates import WorstGroupRates
    from catalog.domain.user_vectors import UserVectors

MAX_FACES = 100
"""Faces analyzed in one photo, the largest first, as Amazon Rekognition does."""

MAX_MATCHES = 4096
"""Longest list of matches that one search returns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineCapabilities:
    """Declares the abilities of an engine, before it is opened."""

    is_paid: bool = False
    """Calls are charged: quotes, price notes, the prefilter and the dry run's costs apply."""
    lends_group_means: bool = False
    """Persons are clustered from exact group means, and no neighbor search is run."""
    has_user_vectors: bool = False
    """Persons with confirmed faces are kept as user vectors of the gallery."""
    shares_gallery: bool = False
    """Other catalogues may enroll in the same gallery: faces of unknown photos are left alone."""
    gallery_in_catalogue: bool = False
    """The gallery is in the catalogue's database: `analyze` and `compare` can run without a catalogue."""
    creates_gallery: bool = False
    """The gallery is a resource of its own, which `catalog check --make-collection` can create."""
    waits_on_network: bool = False
    """A call waits for another machine: more calls than processors may run at once."""
    reads_s3_directly: bool = False
    """The engine reads a photo from S3 by its address."""
    separable_enrollment: bool = False
    """Faces may be computed on another machine and enrolled here."""
    worst_group: WorstGroupRates | None = None
    """Share of stranger pairs of the most affected groups that reach a similarity; None if it was not measured."""


class Engine(Protocol):
    """Finds faces, enrolls them in a gallery and compares them."""

    @property
    def capabilities(self) -> EngineCapabilities:
        """Abilities of this engine under its options."""

    @property
    def name(self) -> str:
        """Name of the engine in the registry. Stored with every face and shown, never compared."""

    @property
    def model(self) -> str:
        """Name and version of the networks. Stored with every face; one gallery holds faces of one model."""

    @property
    def group_means(self) -> GroupMeans | None:
        """Exact group means; None for an engine that keeps its vectors to itself."""

    @property
    def user_vectors(self) -> UserVectors | None:
        """User vectors of the gallery; None for an engine without them, and where its options switch them off."""

    def analyze(self, photo: OpenedPhoto) -> Analysis:
        """Return the faces of a photo, largest first, with all attributes. Nothing is stored. (DetectFaces)"""

    def enroll(self, photo: OpenedPhoto, sha256: str) -> Enrollment:
        """Store a photo's faces in the gallery. (IndexFaces)

        Idempotent on ``sha256``: a second call enrolls nothing and returns the same face ids.
        A photo without a face is a success with no faces.
        """

    def enroll_prepared(self, prepared: PreparedPhoto, sha256: str) -> Enrollment:
        """Do as :meth:`enroll` with a photo that the engine's preparer has prepared, perhaps on another machine.

        Only engines whose specification has ``open_preparer`` are asked.
        """

    def neighbors(self, face_id: str, threshold: float, limit: int = MAX_MATCHES) -> NeighborList:
        """Return the gallery faces similar to an enrolled one, without that face. (SearchFaces)

        Raises ``KeyError`` for a face id that the gallery does not hold.
        """

    def search(
        self, photo: OpenedPhoto, threshold: float, limit: int = MAX_MATCHES, box: BoundingBox | None = None
    ) -> SearchResult:
        """Return the gallery faces similar to one face of a photo. (SearchFacesByImage)

        The face is the one at ``box``, else the largest. Raises ``NoFaceError``.
        """

    def compare(self, source: OpenedPhoto, target: OpenedPhoto, threshold: float) -> Comparison:
        """Compare the source's largest face with every face of the target. (CompareFaces)

        Raises ``NoFaceError`` when the source or the target shows no face.
        """

    def remove(self, face_ids: Iterable[str]) -> set[str]:
        """Delete faces from the gallery. Returns the ids that it held. Free of charge. (DeleteFaces)"""

    def enrolled(self) -> Iterator[EnrolledFace]:
        """Every face of the gallery, in no promised order. Free of charge. (ListFaces)"""

    def quote(self, operation: Operation, calls: int) -> Charge:
        """Dollars that further calls would cost now. Zero for an engine that is not paid."""

    def take_unreported_charges(self) -> tuple[Charge, ...]:
        """Charges of billed calls whose response was lost, as far as no result carries them. Returned once.

        A lost call is added to the charges of the next result of its operation. The rest is returned here.
        """

    def close(self) -> None:
        """Release connections, threads and memory."""


class NeighborEdges(NamedTuple):
    """Pairs of faces as three columns of one length, in ascending order of both indexes."""

    first: NDArray[np.int32]
    """The lower index."""
    second: NDArray[np.int32]
    similarity: NDArray[np.float32]


class GroupMeans(Protocol):
    """Exact mean similarities between groups of faces, on the linkage scale (-1 to 1)."""

    def neighbor_edges(self, face_ids: Sequence[str], *, per_face: int, floor: float) -> NeighborEdges:
        """Pairs of indexes into ``face_ids`` with their similarity.

        A pair occurs once, when one of its faces is among the ``per_face`` nearest of the other and the similarity is
        at or above ``floor``. Raises ``KeyError`` for a face that the gallery does not hold.
        """

    def group_vectors(self, face_ids: Sequence[str]) -> NDArray[np.float32]:
        """One row for each face, in order: shape (len(face_ids), dimension), norm at most 1.

        The dot product of the sums of two groups is the sum of the similarities of all pairs between them. For groups
        of one face it is that pair's similarity. Rows may be added and multiplied; they are never stored or printed.
        Raises ``KeyError`` for a face that the gallery does not hold.
        """

    def similarities(self, values: Sequence[float]) -> list[float]:
        """Values of the linkage scale as similarities, 0 to 100."""

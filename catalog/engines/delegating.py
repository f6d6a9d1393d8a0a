"""An engine around another one: what a subclass does not do otherwise, the inner engine does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from catalog.domain.charges import Charge, Operation
from catalog.domain.engine import MAX_MATCHES, Engine, Metered
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


class DelegatingEngine:
    """Implements ``Engine`` and ``Metered``."""

    def __init__(self, inner: Engine) -> None:
        self.name = inner.name
        self.inner = inner
        """For what goes beyond the contract of engines."""

    @property
    def model(self) -> str:
        return self.inner.model

    def analyze(self, photo: OpenedPhoto) -> Analysis:
        return self.inner.analyze(photo)

    def enroll(self, photo: OpenedPhoto, sha256: str) -> Enrollment:
        return self.inner.enroll(photo, sha256)

    def neighbors(self, face_id: str, threshold: float, limit: int = MAX_MATCHES) -> NeighborList:
        return self.inner.neighbors(face_id, threshold, limit)

    def search(
        self, photo: OpenedPhoto, threshold: float, limit: int = MAX_MATCHES, box: BoundingBox | None = None
    ) -> SearchResult:
        return self.inner.search(photo, threshold, limit, box)

    def compare(self, source: OpenedPhoto, target: OpenedPhoto, threshold: float) -> Comparison:
        return self.inner.compare(source, target, threshold)

    def remove(self, face_ids: Iterable[str]) -> set[str]:
        return self.inner.remove(face_ids)

    def enrolled(self) -> Iterator[EnrolledFace]:
        return self.inner.enrolled()

    def price(self, operation: Operation, calls: int) -> Charge:
        return self.inner.price(operation, calls)

    def take_unreported_charges(self) -> tuple[Charge, ...]:
        return self.inner.take_unreported_charges() if isinstance(self.inner, Metered) else ()

    def close(self) -> None:
        """Nothing: the inner engine belongs to who made it."""

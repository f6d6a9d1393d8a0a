"""Base class for engines that wrap another engine. Forwards every call and capability."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from catalog.domain.charges import Charge, Operation
from catalog.domain.engine import MAX_MATCHES, Engine, EngineCapabilities, GroupMeans
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
from catalog.domain.user_vectors import UserVectors


class DelegatingEngine:
    """Implements ``Engine`` by the inner engine."""

    def __init__(self, inner: Engine) -> None:
        self.inner = inner

    @property
    def capabilities(self) -> EngineCapabilities:
        return self.inner.capabilities

    @property
    def name(self) -> str:
        return self.inner.name

    @property
    def model(self) -> str:
        return self.inner.model

    @property
    def group_means(self) -> GroupMeans | None:
        return self.inner.group_means

    @property
    def user_vectors(self) -> UserVectors | None:
        return self.inner.user_vectors

    def analyze(self, photo: OpenedPhoto) -> Analysis:
        return self.inner.analyze(photo)

    def enroll(self, photo: OpenedPhoto, sha256: str) -> Enrollment:
        return self.inner.enroll(photo, sha256)

    def enroll_prepared(self, prepared: PreparedPhoto, sha256: str) -> Enrollment:
        return self.inner.enroll_prepared(prepared, sha256)

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

    def quote(self, operation: Operation, calls: int) -> Charge:
        return self.inner.quote(operation, calls)

    def take_unreported_charges(self) -> tuple[Charge, ...]:
        return self.inner.take_unreported_charges()

    def close(self) -> None:
        """Do nothing: the caller that opened the inner engine closes it."""

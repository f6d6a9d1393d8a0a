"""The local engine: faces are found, described, enrolled and compared on this machine; no account, no network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine as Database

from catalog.domain.charges import Charge, Operation
from catalog.domain.engine import MAX_MATCHES
from catalog.domain.errors import NoFaceError
from catalog.domain.faces import (
    Analysis,
    BoundingBox,
    ComparedFace,
    Comparison,
    EnrolledFace,
    Enrollment,
    FaceRecord,
    Match,
    NeighborList,
    QualityFilter,
    RejectedFace,
    SearchResult,
)
from catalog.domain.opened_photo import OpenedPhoto
from catalog.engines.local.face_pipeline import FacePipeline, PipelineFace
from catalog.engines.local.gallery import LocalGallery, NewFace
from catalog.engines.local.neighbor_edges import neighbor_edges


class LocalEngine:
    """Implements ``Engine`` and ``GroupMeans``.

    Making one is cheap: networks are loaded at the first photo, the gallery at the first search.

    ``enrolling`` is the same database by connections whose commits need not outlive a power cut until the caller has
    committed what it records of them: a face of which the catalogue knows nothing is enrolled again, for nothing.
    """

    name = "local"

    def __init__(
        self,
        database: Database,
        *,
        enrolling: Database | None = None,
        collection: str = "catalog",
        quality_filter: QualityFilter = QualityFilter.AUTO,
        attributes: Literal["all", "none"] = "all",
        mirrored: bool = False,
    ) -> None:
        self.sight = FacePipeline(attributes=attributes, mirrored=mirrored)
        self.model = self.sight.model
        self.gallery = LocalGallery(database, collection, self.model, enrolling=enrolling)
        self._quality_filter = quality_filter

    # ------------------------------------------------------------------------------------------------ contract

    def analyze(self, photo: OpenedPhoto) -> Analysis:
        return Analysis(tuple(seen.face for seen in self.sight.look(photo, described=True)))

    def enroll(self, photo: OpenedPhoto, sha256: str) -> Enrollment:
        kept: list[PipelineFace] = []
        rejected: list[RejectedFace] = []
        for seen in self.sight.look(photo, described=True):
            flaws = seen.flaws(self._quality_filter)
            if flaws:
                rejected.append(RejectedFace(seen.face, flaws))
            else:
                kept.append(seen)
        vectors = self.sight.vectors(kept)
        new = [NewFace(s.face.box, s.face.confidence, v) for s, v in zip(kept, vectors, strict=True)]
        ids = self.gallery.enroll(sha256, new)
        records = tuple(FaceRecord(face_id, seen.face) for face_id, seen in zip(ids, kept, strict=True))
        return Enrollment(records, tuple(rejected))

    def neighbors(self, face_id: str, threshold: float, limit: int = MAX_MATCHES) -> NeighborList:
        probe = self.gallery.vector(face_id)
        # One more than asked for tells whether the list was cut.
        matches = self._matches(probe, threshold, limit + 1, without=face_id)
        return NeighborList(face_id, matches[:limit], complete=len(matches) <= limit)

    def search(
        self, photo: OpenedPhoto, threshold: float, limit: int = MAX_MATCHES, box: BoundingBox | None = None
    ) -> SearchResult:
        seen = self.sight.look(photo)
        if not seen:
            raise NoFaceError("The photo shows no face to search for.")
        chosen = seen[0] if box is None else max(seen, key=lambda s: s.face.box.iou(box))
        if box is not None and chosen.face.box.iou(box) <= 0:
            raise NoFaceError("The photo shows no face at the place that was asked for.")
        (probe,) = self.sight.probes([chosen])
        return SearchResult(chosen.face, self._matches(probe, threshold, limit))

    def compare(self, source: OpenedPhoto, target: OpenedPhoto, threshold: float) -> Comparison:
        ours, theirs = self.sight.look(source), self.sight.look(target)
        if not ours:
            raise NoFaceError("The source photo shows no face.")
        if not theirs:
            raise NoFaceError("The target photo shows no face.")
        (probe,) = self.sight.probes(ours[:1])
        similarities = self.sight.calibration.similarity(self.sight.probes(theirs) @ probe)
        compared = [ComparedFace(seen.face, float(s)) for seen, s in zip(theirs, similarities, strict=True)]
        matches = sorted((c for c in compared if c.similarity >= threshold), key=lambda c: -c.similarity)
        unmatched = tuple(c.face for c in compared if c.similarity < threshold)
        return Comparison(ours[0].face, tuple(matches), unmatched)

    def remove(self, face_ids: Iterable[str]) -> set[str]:
        return self.gallery.remove(face_ids)

    def enrolled(self) -> Iterator[EnrolledFace]:
        return self.gallery.faces()

    def price(self, operation: Operation, calls: int) -> Charge:
        return Charge(operation, calls, Decimal(0))

    def close(self) -> None:
        self.gallery.forget_rows()

    # ------------------------------------------------------------------------------------------------ group means

    def neighbor_edges(
        self, face_ids: Sequence[str], *, per_face: int, floor: float
    ) -> Iterator[tuple[int, int, float]]:
        return neighbor_edges(self.gallery.vectors(face_ids), per_face=per_face, floor=floor)

    def group_vectors(self, face_ids: Sequence[str]) -> NDArray[np.float32]:
        return self.gallery.vectors(face_ids)

    def similarities(self, values: Sequence[float]) -> list[float]:
        return [float(each) for each in self.sight.calibration.similarity(np.asarray(values, np.float64))]

    # ------------------------------------------------------------------------------------------------ inside

    def _matches(
        self, probe: NDArray[np.float32], threshold: float, limit: int, without: str | None = None
    ) -> tuple[Match, ...]:
        found = self.gallery.nearest(probe, self.sight.calibration.cosine(threshold), limit, without)
        return tuple(Match(face_id, float(self.sight.calibration.similarity(cosine))) for face_id, cosine in found)

"""The local engine finds, describes, enrolls and compares faces on this machine, without account or network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine as Database

from catalog.domain.charges import Charge, Operation
from catalog.domain.engine import MAX_MATCHES, GroupMeans, NeighborEdges
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
    SearchResult,
)
from catalog.domain.opened_photo import OpenedPhoto
from catalog.domain.prepared_photo import PreparedPhoto
from catalog.domain.user_vectors import UserVectors
from catalog.engines.local.compared_photos import ComparedPhoto, ComparedPhotos
from catalog.engines.local.face_pipeline import FacePipeline
from catalog.engines.local.face_preparer import LocalPreparer, vectors_of
from catalog.engines.local.gallery import LocalGallery, NewFace
from catalog.engines.local.spec import CAPABILITIES
from catalog.engines.neighbor_edges import neighbor_edges


class LocalEngine:
    """Implements ``Engine`` and ``GroupMeans``.

    The constructor is cheap: networks are loaded at the first photo, the gallery at the first search.

    ``enrolling``: optional second connection pool to the same database, with commits that may be lost in a power cut.
    A lost enrollment is repeated by the next scan, free of charge. ``search_folder``: see :class:`LocalGallery`.
    """

    name = "local"
    capabilities = CAPABILITIES

    def __init__(
        self,
        database: Database,
        *,
        enrolling: Database | None = None,
        collection: str = "catalog",
        quality_filter: QualityFilter = QualityFilter.AUTO,
        attributes: Literal["all", "none"] = "all",
        mirrored: bool = False,
        search_folder: Path | None = None,
    ) -> None:
        self.pipeline = FacePipeline(attributes=attributes, mirrored=mirrored)
        self.model = self.pipeline.model
        self.gallery = LocalGallery(database, collection, self.model, enrolling=enrolling, search_folder=search_folder)
        self._preparer = LocalPreparer(self.pipeline, quality_filter=quality_filter)
        self._compared = ComparedPhotos(self._analyze_to_compare)

    # ------------------------------------------------------------------------------------------------ contract

    @property
    def group_means(self) -> GroupMeans:
        return self

    @property
    def user_vectors(self) -> UserVectors | None:
        return None

    def analyze(self, photo: OpenedPhoto) -> Analysis:
        return Analysis(tuple(face.face for face in self.pipeline.find_faces(photo, with_attributes=True)))

    def enroll(self, photo: OpenedPhoto, sha256: str) -> Enrollment:
        return self.enroll_prepared(self._preparer.prepare(photo), sha256)

    def enroll_prepared(self, prepared: PreparedPhoto, sha256: str) -> Enrollment:
        vectors = vectors_of(prepared)
        new_faces = [
            NewFace(face.box, face.confidence, vector) for face, vector in zip(prepared.faces, vectors, strict=True)
        ]
        ids = self.gallery.enroll(sha256, new_faces)
        records = tuple(FaceRecord(face_id, face) for face_id, face in zip(ids, prepared.faces, strict=True))
        return Enrollment(records, prepared.rejected)

    def neighbors(self, face_id: str, threshold: float, limit: int = MAX_MATCHES) -> NeighborList:
        probe = self.gallery.vector(face_id)
        # One match above the limit shows that the list is incomplete.
        matches = self._matches(probe, threshold, limit + 1, without=face_id)
        return NeighborList(face_id, matches[:limit], complete=len(matches) <= limit)

    def search(
        self, photo: OpenedPhoto, threshold: float, limit: int = MAX_MATCHES, box: BoundingBox | None = None
    ) -> SearchResult:
        faces = self.pipeline.find_faces(photo)
        if not faces:
            raise NoFaceError("The photo shows no face to search for.")
        chosen = faces[0] if box is None else max(faces, key=lambda face: face.face.box.iou(box))
        if box is not None and chosen.face.box.iou(box) <= 0:
            raise NoFaceError("The photo shows no face in the requested box.")
        (probe,) = self.pipeline.probes([chosen])
        return SearchResult(chosen.face, self._matches(probe, threshold, limit))

    def compare(self, source: OpenedPhoto, target: OpenedPhoto, threshold: float) -> Comparison:
        source_faces, target_faces = self._compared.get(source), self._compared.get(target)
        if not source_faces.faces:
            raise NoFaceError("The source photo shows no face.")
        if not target_faces.faces:
            raise NoFaceError("The target photo shows no face.")
        similarities = self.pipeline.calibration.similarity(target_faces.probes @ source_faces.probes[0])
        compared = [ComparedFace(face, float(s)) for face, s in zip(target_faces.faces, similarities, strict=True)]
        matches = sorted((c for c in compared if c.similarity >= threshold), key=lambda c: -c.similarity)
        unmatched = tuple(c.face for c in compared if c.similarity < threshold)
        return Comparison(source_faces.faces[0], tuple(matches), unmatched)

    def remove(self, face_ids: Iterable[str]) -> set[str]:
        return self.gallery.remove(face_ids)

    def enrolled(self) -> Iterator[EnrolledFace]:
        return self.gallery.faces()

    def quote(self, operation: Operation, calls: int) -> Charge:
        return Charge(operation, calls, Decimal(0))

    def take_unreported_charges(self) -> tuple[Charge, ...]:
        return ()

    def close(self) -> None:
        self.gallery.release_rows()

    # ------------------------------------------------------------------------------------------------ group means

    def neighbor_edges(self, face_ids: Sequence[str], *, per_face: int, floor: float) -> NeighborEdges:
        return neighbor_edges(self.gallery.vectors(face_ids), per_face=per_face, floor=floor)

    def group_vectors(self, face_ids: Sequence[str]) -> NDArray[np.float32]:
        return self.gallery.vectors(face_ids)

    def similarities(self, values: Sequence[float]) -> list[float]:
        return [float(s) for s in self.pipeline.calibration.similarity(np.asarray(values, np.float64))]

    # ------------------------------------------------------------------------------------------------ private

    def _analyze_to_compare(self, photo: OpenedPhoto) -> ComparedPhoto:
        faces = self.pipeline.find_faces(photo)
        return ComparedPhoto(tuple(face.face for face in faces), self.pipeline.probes(faces))

    def _matches(
        self, probe: NDArray[np.float32], threshold: float, limit: int, without: str | None = None
    ) -> tuple[Match, ...]:
        pairs = self.gallery.nearest(probe, self.pipeline.calibration.cosine(threshold), limit, without)
        return tuple(Match(face_id, float(self.pipeline.calibration.similarity(cosine))) for face_id, cosine in pairs)

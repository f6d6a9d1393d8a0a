"""The local engine's face pipeline, as the operations use it: faces, rejection reasons, vectors, similarity.

The only file of ``endpoint`` that reaches inside :class:`LocalEngine`.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine as Database

from catalog.domain.faces import Face, QualityFilter, RejectionReason
from catalog.domain.opened_photo import OpenedPhoto
from catalog.endpoint.fair_semaphore import FairSemaphore
from catalog.engines.local.engine import LocalEngine
from catalog.engines.local.provider_choice import choose_provider
from catalog.engines.local.quality import rejection_reasons

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class RequestFace:
    """One face of an image. ``pipeline_face`` is the pipeline's own record, needed to compute the vector."""

    face: Face
    side: float
    pipeline_face: Any

    def rejection_reasons(self, quality_filter: str) -> tuple[RejectionReason, ...]:
        """The reasons for which a QualityFilter (Amazon's name) rejects the face; empty if it accepts the face."""
        assert self.face.quality is not None
        assert self.face.pose is not None
        return rejection_reasons(
            QualityFilter[quality_filter],
            confidence=self.face.confidence,
            side=self.side,
            quality=self.face.quality,
            pose=self.face.pose,
        )


class LocalEngineAccess:
    """Runs the local engine's networks on images, at most one image per processor at a time."""

    def __init__(self, database: Database, provider: str = "cpu") -> None:
        """``provider``: value of ``engine.provider``. Raises SettingsError and EngineError if it cannot be used."""
        choose_provider(provider)
        self._engine = LocalEngine(database)
        self._calibration = self._engine.pipeline.calibration
        self._processors = FairSemaphore(os.cpu_count() or 1)

    @property
    def model(self) -> str:
        return self._engine.model

    def faces(self, photo: OpenedPhoto, attributes: Collection[str] = ()) -> list[RequestFace]:
        """The faces of an image, largest first, at most 100. With all attributes if any beyond DEFAULT is requested."""
        described = bool(set(attributes) - {"DEFAULT"})
        with self._processors:
            return [
                RequestFace(face.face, face.side, face)
                for face in self._engine.pipeline.find_faces(photo, with_attributes=described)
            ]

    def vectors(self, faces: Sequence[RequestFace]) -> Floats:
        """Unit vectors, float32 (n, 128), for enrolling."""
        with self._processors:
            return self._engine.pipeline.vectors([face.pipeline_face for face in faces])

    def probes(self, faces: Sequence[RequestFace]) -> Floats:
        """Vectors with common components removed, float32 (n, 128), for comparing."""
        with self._processors:
            return self._engine.pipeline.probes([face.pipeline_face for face in faces])

    def similarity(self, cosine: float) -> float:
        """Similarity, 0 to 100, of two vectors with this dot product."""
        return float(self._calibration.similarity(cosine))

    def cosine(self, similarity: float) -> float:
        """The lowest dot product that has this similarity."""
        return self._calibration.cosine(similarity)

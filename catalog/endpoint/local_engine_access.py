"""What the local engine sees in one picture, in the parts that the operations need: faces, flaws, vectors, likeness.

The only file of this room that reaches inside :class:`LocalEngine`.
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
from catalog.engines.local.quality import find_flaws

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class RequestFace:
    """One face of a picture; ``inside`` is what the engine needs to make its vector."""

    face: Face
    side: float
    inside: Any

    def flaws(self, quality_filter: str) -> tuple[RejectionReason, ...]:
        """Why a QualityFilter (Amazon's name for it) keeps the face out; empty when it does not."""
        assert self.face.quality is not None
        assert self.face.pose is not None
        return find_flaws(
            QualityFilter[quality_filter],
            confidence=self.face.confidence,
            side=self.side,
            quality=self.face.quality,
            pose=self.face.pose,
        )


class LocalEngineAccess:
    """Looks at pictures with the local engine's networks; as many at a time as there are processors."""

    def __init__(self, database: Database) -> None:
        self._engine = LocalEngine(database)
        self._calibration = self._engine.sight.calibration
        self._places = FairSemaphore(os.cpu_count() or 1)

    @property
    def model(self) -> str:
        return self._engine.model

    def faces(self, photo: OpenedPhoto, attributes: Collection[str] = ()) -> list[RequestFace]:
        """The faces of a picture, largest first, at most 100; with all attributes if any is asked for."""
        described = bool(set(attributes) - {"DEFAULT"})
        with self._places:
            return [
                RequestFace(seen.face, seen.side, seen) for seen in self._engine.sight.look(photo, described=described)
            ]

    def vectors(self, faces: Sequence[RequestFace]) -> Floats:
        """Unit vectors, float32 (n, 128), for enrolling."""
        with self._places:
            return self._engine.sight.vectors([face.inside for face in faces])

    def probes(self, faces: Sequence[RequestFace]) -> Floats:
        """What sets the faces apart, float32 (n, 128), for comparing."""
        with self._places:
            return self._engine.sight.probes([face.inside for face in faces])

    def similarity(self, cosine: float) -> float:
        """0 to 100."""
        return float(self._calibration.similarity(cosine))

    def cosine(self, similarity: float) -> float:
        """The least dot product that a similarity stands for."""
        return self._calibration.cosine(similarity)

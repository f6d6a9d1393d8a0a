"""Computes a photo's faces and vectors without a gallery, on this machine or another one."""

from __future__ import annotations

import hashlib
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from catalog.domain.errors import EngineError
from catalog.domain.faces import QualityFilter, RejectedFace
from catalog.domain.opened_photo import OpenedPhoto
from catalog.domain.prepared_photo import PreparedPhoto, without_pixels
from catalog.engines.local.embed import DIMENSION
from catalog.engines.local.face_pipeline import FacePipeline, PipelineFace
from catalog.engines.local.networks import WEIGHTS

_DTYPE = "<f4"


class LocalPreparer:
    """Implements ``Preparer``. ``data`` holds one unit vector of the network for each face, float32."""

    def __init__(
        self,
        pipeline: FacePipeline | None = None,
        *,
        quality_filter: QualityFilter = QualityFilter.AUTO,
        attributes: Literal["all", "none"] = "all",
    ) -> None:
        """``attributes`` is for a preparer without a pipeline, which makes its own."""
        self._pipeline = pipeline or FacePipeline(attributes=attributes)
        self._quality_filter = quality_filter

    @property
    def weights(self) -> str:
        """The model, and a hash of the weight files' hashes. Each file is checked when it is loaded."""
        try:
            manifest = (WEIGHTS / "manifest.json").read_bytes()
        except OSError as error:
            raise EngineError(f"The list of weight files cannot be read: {error}.") from error
        return f"{self._pipeline.model} {hashlib.sha256(manifest).hexdigest()[:16]}"

    def prepare(self, photo: OpenedPhoto) -> PreparedPhoto:
        accepted: list[PipelineFace] = []
        rejected: list[RejectedFace] = []
        for face in self._pipeline.find_faces(photo, with_attributes=True):
            reasons = face.rejection_reasons(self._quality_filter)
            if reasons:
                rejected.append(RejectedFace(face.face, reasons))
            else:
                accepted.append(face)
        vectors = self._pipeline.vectors(accepted).astype(_DTYPE).tobytes()
        faces = tuple(face.face for face in accepted)
        return PreparedPhoto(without_pixels(photo), faces, tuple(rejected), vectors)


def vectors_of(prepared: PreparedPhoto) -> NDArray[np.float32]:
    """The vectors of the faces to enroll, float32 (n, 128). Raises ValueError for bytes of another size."""
    vectors = np.frombuffer(prepared.data, _DTYPE).astype(np.float32)
    return vectors.reshape(len(prepared.faces), DIMENSION)

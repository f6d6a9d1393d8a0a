"""Face pipeline: from a photo to its faces with landmarks, pose, quality, attributes and vectors.

Stages in order: detect, refine the landmarks, align, measure quality. With attributes, all faces are embedded and
attributes are read, partly from feature maps of the embedding network. Without attributes, faces are embedded on
request only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from catalog.domain.engine import MAX_FACES
from catalog.domain.faces import BoundingBox, Face, FaceAttributes, Landmark, QualityFilter, RejectionReason
from catalog.domain.opened_photo import OpenedPhoto
from catalog.engines.local.align import SIDE, align_faces
from catalog.engines.local.attributes import AttributeReader, AttributeReading
from catalog.engines.local.common_component_removal import remove_common_components
from catalog.engines.local.detect import DetectedFace, detect_faces
from catalog.engines.local.embed import DIMENSION, embed_faces, embed_with_maps
from catalog.engines.local.gallery_model import MODEL
from catalog.engines.local.landmark_refinement import FIVE, refine_landmarks
from catalog.engines.local.pose import estimate_pose
from catalog.engines.local.quality import measure_quality, rejection_reasons
from catalog.engines.local.similarity import MIRRORED, PLAIN

_BOX_WIDTH, _BOX_HEIGHT = 1.03, 1.06
"""Scale from YuNet's boxes to Amazon's, which are a little larger: mean over Amazon's four boxes of data/seed."""


@dataclass(frozen=True, slots=True, eq=False)
class PipelineFace:
    """A face as callers receive it, with its aligned pixels for the embedding."""

    face: Face
    aligned: NDArray[np.uint8]
    side: float
    """Geometric mean of the box's sides in pixels of the original photo."""
    vector: NDArray[np.float32] | None = None
    """None if the face is not embedded yet."""

    def rejection_reasons(self, quality_filter: QualityFilter) -> tuple[RejectionReason, ...]:
        """Return the reasons for which a quality filter rejects the face; empty if the filter accepts it."""
        assert self.face.quality is not None
        assert self.face.pose is not None
        return rejection_reasons(
            quality_filter,
            confidence=self.face.confidence,
            side=self.side,
            quality=self.face.quality,
            pose=self.face.pose,
        )


class FacePipeline:
    """Finds faces and computes their vectors. Safe for several threads. Stores nothing."""

    def __init__(self, *, attributes: Literal["all", "none"] = "all", mirrored: bool = False) -> None:
        self.model = f"{MODEL}{'/mirrored' if mirrored else ''}"
        self.calibration = MIRRORED if mirrored else PLAIN
        self._reader = AttributeReader() if attributes == "all" else None
        self._mirrored = mirrored

    def find_faces(self, photo: OpenedPhoto, *, with_attributes: bool = False) -> list[PipelineFace]:
        """Return the photo's faces, largest first, at most :data:`MAX_FACES`."""
        pixels = photo.pixels
        detected, meshes = refine_landmarks(pixels, detect_faces(pixels)[:MAX_FACES])
        aligned = align_faces(pixels, [face.landmarks for face in detected])
        readings: list[AttributeReading | None] = [None] * len(detected)
        vectors: list[NDArray[np.float32] | None] = [None] * len(detected)
        if with_attributes and self._reader is not None:
            embedded = embed_with_maps(aligned, mirrored=self._mirrored)
            readings = [*self._reader.read(pixels, detected, meshes, embedded)]
            vectors = [*embedded.vectors]
        enlargement = photo.width / pixels.shape[1]
        return [
            PipelineFace(
                face=_describe(face, square, reading, pixels.shape[1], pixels.shape[0]),
                aligned=square,
                side=face.size * enlargement,
                vector=vector,
            )
            for face, square, reading, vector in zip(detected, aligned, readings, vectors, strict=True)
        ]

    def vectors(self, faces: Sequence[PipelineFace]) -> NDArray[np.float32]:
        """Return the network's unit vectors, float32 (n, 128), for enrollment."""
        missing = [face.aligned for face in faces if face.vector is None]
        aligned = np.stack(missing) if missing else np.zeros((0, SIDE, SIDE, 3), np.uint8)
        computed = iter(embed_faces(aligned, mirrored=self._mirrored))
        vectors = [next(computed) if face.vector is None else face.vector for face in faces]
        return np.stack(vectors) if vectors else np.zeros((0, DIMENSION), np.float32)

    def probes(self, faces: Sequence[PipelineFace]) -> NDArray[np.float32]:
        """Return vectors without common components, float32 (n, 128). ``calibration`` takes their dot products."""
        return remove_common_components(self.vectors(faces))


def _describe(
    detected: DetectedFace, aligned: NDArray[np.uint8], reading: AttributeReading | None, width: int, height: int
) -> Face:
    left, top, across, down = detected.box
    wider, taller = across * _BOX_WIDTH, down * _BOX_HEIGHT
    points = dict(zip(FIVE, detected.landmarks.tolist(), strict=True))
    if reading is not None:
        points |= reading.landmarks
    return Face(
        box=BoundingBox(
            left=(left - (wider - across) / 2) / width,
            top=(top - (taller - down) / 2) / height,
            width=wider / width,
            height=taller / height,
        ),
        confidence=detected.confidence,
        landmarks=tuple(Landmark(name, x / width, y / height) for name, (x, y) in points.items()),
        pose=(reading and reading.pose) or estimate_pose(detected.landmarks),
        quality=measure_quality(aligned),
        attributes=reading.attributes if reading is not None else FaceAttributes(),
    )

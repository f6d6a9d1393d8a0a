"""What there is to see in one photo: its faces with landmarks, pose, quality and attributes, and their vectors.

The stages in order: detect, put the landmarks right, align, measure quality; for attributes, embed and read, partly
off the embedding network's own maps; else embed only the faces that somebody wants to compare.
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
from catalog.engines.local.landmark_refinement import FIVE, place_landmarks
from catalog.engines.local.pose import estimate_pose
from catalog.engines.local.quality import find_flaws, measure_quality
from catalog.engines.local.similarity import MIRRORED, PLAIN

MODEL = "yunet-2023mar/facemesh/sface-2021dec"
"""One name for SFace in single precision and in integers: a face's two vectors lie at a cosine of .998 on the average,
so galleries of both may be searched together."""
_BOX_WIDTH, _BOX_HEIGHT = 1.03, 1.06
"""YuNet's boxes are a little smaller than Amazon's: mean of Amazon's four boxes of data/seed, about the same centre."""


@dataclass(frozen=True, slots=True, eq=False)
class PipelineFace:
    """A face as told to callers, and cut out for the embedding."""

    face: Face
    aligned: NDArray[np.uint8]
    side: float
    """Geometric mean of the box's sides in pixels of the original photo."""
    vector: NDArray[np.float32] | None = None
    """Where the face was embedded already, because its attributes were read."""

    def flaws(self, quality_filter: QualityFilter) -> tuple[RejectionReason, ...]:
        """Why a quality filter keeps the face out; empty when it does not."""
        assert self.face.quality is not None
        assert self.face.pose is not None
        return find_flaws(
            quality_filter,
            confidence=self.face.confidence,
            side=self.side,
            quality=self.face.quality,
            pose=self.face.pose,
        )


class FacePipeline:
    """Sees faces and makes their vectors. May be used from several threads; keeps nothing of what it saw."""

    def __init__(self, *, attributes: Literal["all", "none"] = "all", mirrored: bool = False) -> None:
        self.model = f"{MODEL}{'/mirrored' if mirrored else ''}"
        self.calibration = MIRRORED if mirrored else PLAIN
        self._reader = AttributeReader() if attributes == "all" else None
        self._mirrored = mirrored

    def look(self, photo: OpenedPhoto, *, described: bool = False) -> list[PipelineFace]:
        """The photo's faces, largest first, at most :data:`MAX_FACES`; ``described`` with what each shows."""
        pixels = photo.pixels
        found, meshes = place_landmarks(pixels, detect_faces(pixels)[:MAX_FACES])
        aligned = align_faces(pixels, [face.landmarks for face in found])
        readings: list[AttributeReading | None] = [None] * len(found)
        vectors: list[NDArray[np.float32] | None] = [None] * len(found)
        if described and self._reader is not None:
            embedded = embed_with_maps(aligned, mirrored=self._mirrored)
            readings = [*self._reader.read(pixels, found, meshes, embedded)]
            vectors = [*embedded.vectors]
        enlargement = photo.width / pixels.shape[1]
        return [
            PipelineFace(
                face=_describe(face, square, reading, pixels.shape[1], pixels.shape[0]),
                aligned=square,
                side=face.size * enlargement,
                vector=vector,
            )
            for face, square, reading, vector in zip(found, aligned, readings, vectors, strict=True)
        ]

    def vectors(self, faces: Sequence[PipelineFace]) -> NDArray[np.float32]:
        """Unit vectors, float32 (n, 128), for enrolling."""
        blank = [seen.aligned for seen in faces if seen.vector is None]
        aligned = np.stack(blank) if blank else np.zeros((0, SIDE, SIDE, 3), np.uint8)
        made = iter(embed_faces(aligned, mirrored=self._mirrored))
        vectors = [next(made) if seen.vector is None else seen.vector for seen in faces]
        return np.stack(vectors) if vectors else np.zeros((0, DIMENSION), np.float32)

    def probes(self, faces: Sequence[PipelineFace]) -> NDArray[np.float32]:
        """What sets the faces apart, float32 (n, 128): dot products that ``calibration`` turns into similarities."""
        return remove_common_components(self.vectors(faces))


def _describe(
    found: DetectedFace, aligned: NDArray[np.uint8], reading: AttributeReading | None, width: int, height: int
) -> Face:
    left, top, across, down = found.box
    wider, taller = across * _BOX_WIDTH, down * _BOX_HEIGHT
    points = dict(zip(FIVE, found.landmarks.tolist(), strict=True))
    if reading is not None:
        points |= reading.landmarks
    return Face(
        box=BoundingBox(
            left=(left - (wider - across) / 2) / width,
            top=(top - (taller - down) / 2) / height,
            width=wider / width,
            height=taller / height,
        ),
        confidence=found.confidence,
        landmarks=tuple(Landmark(name, x / width, y / height) for name, (x, y) in points.items()),
        pose=(reading and reading.pose) or estimate_pose(found.landmarks),
        quality=measure_quality(aligned),
        attributes=reading.attributes if reading is not None else FaceAttributes(),
    )

"""Put a face's five landmarks right before it is aligned.

YuNet's landmarks lean towards an upright head: on a head tilted by 20 degrees they show about 4. The face mesh sees the
tilt, and faces aligned by it are recognized better than by any average over views of YuNet's (MODELS.md has the
figures). Where the mesh finds no face in the box, a profile for example, YuNet's landmarks stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from catalog.engines.local.detect import DetectedFace
from catalog.engines.local.mesh import FaceMesh, locate_meshes

FIVE = ("eyeLeft", "eyeRight", "nose", "mouthLeft", "mouthRight")
_POINTS = ((33, 133, 159, 145), (362, 263, 386, 374), (1,), (61,), (291,))
"""Points of the mesh whose means are the five: corners and lids of the eyes, tip of the nose, ends of the mouth."""
_PRESENT = 0.5
"""The mesh network's own odds of a face from which it is believed."""
_BATCH = 4


def place_landmarks(
    pixels: NDArray[np.uint8], faces: Sequence[DetectedFace]
) -> tuple[list[DetectedFace], list[FaceMesh]]:
    """The faces with landmarks taken from their meshes where those are to be believed, and the meshes."""
    meshes: list[FaceMesh] = []
    for start in range(0, len(faces), _BATCH):
        meshes += locate_meshes(pixels, faces[start : start + _BATCH])
    placed = [
        replace(face, landmarks=five_points(mesh)) if mesh.presence >= _PRESENT else face
        for face, mesh in zip(faces, meshes, strict=True)
    ]
    return placed, meshes


def five_points(mesh: FaceMesh) -> NDArray[np.float32]:
    """The five landmarks, (5, 2), in the order of :data:`FIVE`."""
    return np.array([mesh.points[list(group), :2].mean(axis=0) for group in _POINTS], np.float32)

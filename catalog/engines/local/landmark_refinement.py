"""Refine a face's five landmarks with the face mesh before alignment.

YuNet's landmarks are biased to an upright head: on a head tilted by 20 degrees they show about 4. The face mesh
measures the tilt. Faces aligned by the mesh are recognized better than faces aligned by any average of YuNet's
landmarks (MODELS.md has the figures). If the mesh finds no face in the box, for example on a profile, YuNet's landmarks
stay.
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
"""Mesh points whose means are the five landmarks: eye corners and lids, tip of the nose, corners of the mouth."""
_PRESENT = 0.5
"""Lowest face probability of the mesh network at which its landmarks are used."""
_BATCH = 4


def refine_landmarks(
    pixels: NDArray[np.uint8], faces: Sequence[DetectedFace]
) -> tuple[list[DetectedFace], list[FaceMesh]]:
    """Return the faces with landmarks of their meshes where a mesh shows a face, and all meshes."""
    meshes: list[FaceMesh] = []
    for start in range(0, len(faces), _BATCH):
        meshes += locate_meshes(pixels, faces[start : start + _BATCH])
    refined = [
        replace(face, landmarks=five_points(mesh)) if mesh.presence >= _PRESENT else face
        for face, mesh in zip(faces, meshes, strict=True)
    ]
    return refined, meshes


def five_points(mesh: FaceMesh) -> NDArray[np.float32]:
    """Return the five landmarks, (5, 2), in the order of :data:`FIVE`."""
    return np.array([mesh.points[list(group), :2].mean(axis=0) for group in _POINTS], np.float32)

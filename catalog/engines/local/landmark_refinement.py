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
from catalog.engines.local.mesh import FaceMesh, locate_meshes, locate_meshes_at

FIVE = ("eyeLeft", "eyeRight", "nose", "mouthLeft", "mouthRight")
_POINTS = ((33, 133, 159, 145), (362, 263, 386, 374), (1,), (61,), (291,))
"""Mesh points whose means are the five landmarks: eye corners and lids, tip of the nose, corners of the mouth."""
_PRESENT = 0.5
"""Lowest face probability of the mesh network at which its landmarks are used."""
_MAX_TURN = 20.0
"""Degrees between the tilts of YuNet's landmarks and of the mesh above which the mesh is located again, upright."""
_BATCH = 4


def refine_landmarks(
    pixels: NDArray[np.uint8], faces: Sequence[DetectedFace]
) -> tuple[list[DetectedFace], list[FaceMesh]]:
    """Return the faces with landmarks of their meshes where a mesh shows a face, and all meshes."""
    meshes: list[FaceMesh] = []
    for start in range(0, len(faces), _BATCH):
        meshes += _locate(pixels, faces[start : start + _BATCH])
    refined = [
        replace(face, landmarks=five_points(mesh)) if mesh.presence >= _PRESENT else face
        for face, mesh in zip(faces, meshes, strict=True)
    ]
    return refined, meshes


def _locate(pixels: NDArray[np.uint8], faces: Sequence[DetectedFace]) -> list[FaceMesh]:
    """Return the mesh of every face, located a second time where the first mesh shows another tilt than YuNet."""
    meshes = locate_meshes(pixels, faces)
    turned = [
        index
        for index, (face, mesh) in enumerate(zip(faces, meshes, strict=True))
        if mesh.presence >= _PRESENT and _turn_between(face, mesh) > _MAX_TURN
    ]
    second = locate_meshes_at(pixels, [meshes[index].frame_points() for index in turned])
    for index, mesh in zip(turned, second, strict=True):
        if mesh.presence >= _PRESENT:
            meshes[index] = mesh
    return meshes


def _turn_between(face: DetectedFace, mesh: FaceMesh) -> float:
    """Return the angle between the tilts of YuNet's landmarks and of the mesh, in degrees, 0 to 180."""
    eyes, mouth = face.landmarks[:2].mean(axis=0), face.landmarks[3:].mean(axis=0)
    frame = mesh.frame_points()
    by_yunet, by_mesh = mouth - eyes, frame[2:].mean(axis=0) - frame[:2].mean(axis=0)
    cosine = float(by_yunet @ by_mesh) / max(float(np.hypot(*by_yunet) * np.hypot(*by_mesh)), 1e-9)
    return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))


def five_points(mesh: FaceMesh) -> NDArray[np.float32]:
    """Return the five landmarks, (5, 2), in the order of :data:`FIVE`."""
    return np.array([mesh.points[list(group), :2].mean(axis=0) for group in _POINTS], np.float32)

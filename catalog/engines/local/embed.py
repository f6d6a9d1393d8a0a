"""Compute unit vectors of aligned faces. :mod:`.common_component_removal` makes them comparable."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalog.engines.local.networks import SFACE, SFACE_WITH_MAPS

DIMENSION = 128
_BATCH = 2
"""Faces per run. More faces exceed the processor's cache, and the time per face rises."""


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedFaces:
    """Outputs of the embedding network, one row per face: unit vectors (n, 128) and the inputs of attribute heads.

    ``rows`` (n, 7168) holds means over the rows of a middle feature map. ``grid`` (n, 4096) holds means over the
    quarters of the last feature map.
    """

    vectors: NDArray[np.float32]
    rows: NDArray[np.float32]
    grid: NDArray[np.float32]


def embed_faces(faces: NDArray[np.uint8], *, mirrored: bool = True) -> NDArray[np.float32]:
    """Return unit vectors, float32 (n, 128), of aligned faces, uint8 (n, 112, 112, 3).

    With ``mirrored`` a vector is the mean over the face and its mirror image: twice the time, fewer errors.
    """
    if mirrored:
        outputs = _run(np.concatenate([faces, faces[:, :, ::-1]]))
        return unit(unit(outputs[: len(faces)]) + unit(outputs[len(faces) :]))
    return unit(_run(faces))


def embed_with_maps(faces: NDArray[np.uint8], *, mirrored: bool = True) -> EmbeddedFaces:
    """As :func:`embed_faces`, with the map means of the faces (not of their mirror images)."""
    parts = [SFACE_WITH_MAPS.run(faces[i : i + _BATCH]) for i in range(0, len(faces), _BATCH)]
    if not parts:
        empty = (np.zeros((0, size), np.float32) for size in (DIMENSION, 512 * 14, 1024 * 4))
        return EmbeddedFaces(*empty)
    vectors, rows, grid = (np.concatenate(part) for part in zip(*parts, strict=True))
    if mirrored:
        vectors = unit(vectors) + unit(_run(np.ascontiguousarray(faces[:, :, ::-1])))
    return EmbeddedFaces(unit(vectors), rows, grid)


def _run(faces: NDArray[np.uint8]) -> NDArray[np.float32]:
    parts = [SFACE.run(faces[i : i + _BATCH])[0] for i in range(0, len(faces), _BATCH)]
    return np.concatenate(parts) if parts else np.zeros((0, DIMENSION), np.float32)


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the rows scaled to length 1."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), dtype=np.float32)

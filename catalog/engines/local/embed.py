"""Turn aligned faces into unit vectors, which :mod:`.distinctive` makes comparable."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalog.engines.local.networks import SFACE, SFACE_WITH_MAPS

DIMENSION = 128
_BATCH = 2
"""Faces in one run: more do not fit the processor's cache, and each then takes longer."""


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedFaces:
    """Faces as the embedding network saw them, one row each: unit vectors (n, 128), and what attributes are read from.

    ``rows`` (n, 7168) are means over the rows of a map in the network's middle, ``grid`` (n, 4096) means over the
    quarters of its last map.
    """

    vectors: NDArray[np.float32]
    rows: NDArray[np.float32]
    grid: NDArray[np.float32]


def embed_faces(faces: NDArray[np.uint8], *, mirrored: bool = True) -> NDArray[np.float32]:
    """Unit vectors, float32 (n, 128), of aligned faces, uint8 (n, 112, 112, 3).

    With ``mirrored`` each vector is the mean over the face and its mirror image: twice the time, fewer errors.
    """
    if mirrored:
        both = _run(np.concatenate([faces, faces[:, :, ::-1]]))
        return unit(unit(both[: len(faces)]) + unit(both[len(faces) :]))
    return unit(_run(faces))


def embed_with_maps(faces: NDArray[np.uint8], *, mirrored: bool = True) -> EmbeddedFaces:
    """As :func:`embed_faces`, with what the network's maps show of the faces themselves on the way."""
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
    """Rows scaled to length 1."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), dtype=np.float32)

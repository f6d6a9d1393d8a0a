"""What the engine lends clustering: near pairs among faces, exact and without ever holding all pairs at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

_BLOCK = 1024
"""Faces compared with all others at a time: a block of similarities of 100,000 faces takes 400 MB."""


def neighbor_edges(vectors: NDArray[np.float32], *, per_face: int, floor: float) -> Iterator[tuple[int, int, float]]:
    """Pairs (i, j, dot product) with i < j: for each row its ``per_face`` nearest at or above ``floor``, each once."""
    count = len(vectors)
    seen: set[int] = set()
    for start in range(0, count, _BLOCK):
        block = vectors[start : start + _BLOCK] @ vectors.T
        places = np.arange(len(block))
        block[places, start + places] = -np.inf
        if per_face < count - 1:
            nearest = np.argpartition(-block, per_face - 1, axis=1)[:, :per_face]
        else:
            nearest = np.broadcast_to(np.arange(count), block.shape)
        values = np.take_along_axis(block, nearest, axis=1)
        rows, slots = np.nonzero(values >= floor)
        for i, j, value in zip(
            (start + rows).tolist(), nearest[rows, slots].tolist(), values[rows, slots].tolist(), strict=True
        ):
            low, high = (i, j) if i < j else (j, i)
            key = low * count + high
            if key not in seen:
                seen.add(key)
                yield low, high, value

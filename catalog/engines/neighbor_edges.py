"""Exact neighbor pairs among faces for clustering, computed in blocks so that memory stays bounded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

_CELLS = 1 << 25
"""Similarities in memory at a time: 128 MB."""
_CHUNK = 1 << 16


NearPairs = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]
"""Rows, columns and dot products of pairs."""


def neighbor_edges(vectors: NDArray[np.float32], *, per_face: int, floor: float) -> Iterator[tuple[int, int, float]]:
    """Yield pairs (i, j, dot product), i < j: the ``per_face`` nearest of every row at or above ``floor``, once."""
    count = len(vectors)
    parts = (near_rows(vectors, start, length, per_face, floor) for start, length in row_blocks(count))
    return unique_edges(parts, count)


def row_blocks(count: int) -> Iterator[tuple[int, int]]:
    """First row and number of rows of each block, so that a block against all ``count`` rows fits into memory."""
    step = max(1, _CELLS // max(1, count))
    return ((start, min(step, count - start)) for start in range(0, count, step))


def unique_edges(parts: Iterable[NearPairs], count: int) -> Iterator[tuple[int, int, float]]:
    """Pairs of all blocks, the lower number first, each once and in ascending order."""
    keys: list[NDArray[np.int64]] = []
    dots: list[NDArray[np.float32]] = []
    for rows, columns, values in parts:
        keys.append(np.minimum(rows, columns) * count + np.maximum(rows, columns))
        dots.append(values)
    if not keys:
        return
    pairs, first = np.unique(np.concatenate(keys), return_index=True)
    similarities = np.concatenate(dots)[first]
    for start in range(0, len(pairs), _CHUNK):
        part = slice(start, start + _CHUNK)
        low, high = np.divmod(pairs[part], count)
        yield from zip(low.tolist(), high.tolist(), similarities[part].tolist(), strict=True)


def near_rows(vectors: NDArray[np.float32], start: int, length: int, per_face: int, floor: float) -> NearPairs:
    """Return row, column and dot product of the nearest pairs of ``length`` rows from ``start``."""
    count = len(vectors)
    block = vectors[start : start + length] @ vectors.T
    own_rows = np.arange(length)
    block[own_rows, start + own_rows] = -np.inf
    # Few pairs of different people reach the floor: selecting these first is far cheaper than sorting whole rows.
    rows, columns = np.divmod(np.flatnonzero(block.ravel() >= floor), count)
    values = block[rows, columns]
    is_near = np.ones(len(rows), dtype=bool)
    ends = np.cumsum(np.bincount(rows, minlength=length))
    for row in np.flatnonzero(np.diff(ends, prepend=0) > per_face).tolist():
        own = slice(ends[row - 1] if row else 0, ends[row])
        is_near[own] = False
        is_near[own.start + np.argpartition(-values[own], per_face - 1)[:per_face]] = True
    return rows[is_near] + start, columns[is_near], values[is_near]

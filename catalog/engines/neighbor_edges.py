"""Exact neighbor pairs among faces for clustering, computed in blocks so that memory stays bounded.

A product is computed once for each pair: block by block, rows against themselves and the rows behind them. Each pair is
then a candidate for the lists of both faces.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from queue import SimpleQueue

import numpy as np
from numpy.typing import NDArray

from catalog.domain.engine import NeighborEdges

_CELLS = 1 << 25
"""Similarities of a block: 128 MB."""
_THREADS = 4
"""Blocks that are computed at a time, at most. A product uses all processors, but the selection of pairs only one."""
_MIN_CANDIDATES = 1 << 22
"""Candidates that are collected at least before the nearest are chosen: 50 MB."""

_DOT_BITS = 33
_DOT_STEPS = float(1 << 30)
"""Dot products, -1 to 1, are sorted as whole numbers of 33 bits."""

NearPairs = tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]
"""Faces, a neighbor of each, and their dot products."""


def neighbor_edges(vectors: NDArray[np.float32], *, per_face: int, floor: float) -> NeighborEdges:
    """The ``per_face`` nearest rows of every row with a dot product at or above ``floor``; each pair occurs once."""
    count = len(vectors)
    threads = min(os.cpu_count() or 1, _THREADS)
    free: SimpleQueue[_Buffers] = SimpleQueue()
    for _ in range(threads):
        free.put(_Buffers())

    def pairs_of(block: tuple[int, int]) -> NearPairs:
        buffers = free.get()
        try:
            return _pairs_of_block(vectors, *block, floor, buffers)
        finally:
            free.put(buffers)

    with ThreadPoolExecutor(threads, "neighbors") as pool:
        return unique_edges(_in_order(pool, pairs_of, row_blocks(count), threads), count, per_face)


def _in_order(
    pool: ThreadPoolExecutor,
    pairs_of: Callable[[tuple[int, int]], NearPairs],
    blocks: Iterator[tuple[int, int]],
    ahead: int,
) -> Iterator[NearPairs]:
    """The pairs of each block, in order. ``ahead`` blocks are computed at a time."""
    pending = deque(pool.submit(pairs_of, block) for block in islice(blocks, ahead))
    while pending:
        pairs = pending.popleft().result()
        pending.extend(pool.submit(pairs_of, block) for block in islice(blocks, 1))
        yield pairs


def row_blocks(count: int) -> Iterator[tuple[int, int]]:
    """First row and number of rows of each block. A block against itself and the rows behind it fits into memory."""
    start = 0
    while start < count:
        length = min(max(1, _CELLS // (count - start)), count - start)
        yield start, length
        start += length


def near_pairs_of_blocks(
    vectors: NDArray[np.float32], blocks: Sequence[tuple[int, int]], per_face: int, floor: float
) -> list[NearPairs]:
    """For each block, candidates among its rows and all rows behind them, in both directions.

    At most ``per_face`` for each face, at or above ``floor``. Workers of a cluster run this function.
    """
    buffers = _Buffers()
    return [_nearest(_pairs_of_block(vectors, *block, floor, buffers), per_face) for block in blocks]


class _Buffers:
    """Memory for the products of one block after another. New memory for each would cost a quarter of the time."""

    def __init__(self) -> None:
        self._dots = np.empty(0, np.float32)
        self._is_near = np.empty(0, np.bool_)

    def of(self, length: int, width: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Arrays of this shape, for dot products and for truth values. Their content is undefined."""
        cells = length * width
        if cells > len(self._dots):
            self._dots, self._is_near = np.empty(cells, np.float32), np.empty(cells, np.bool_)
        return self._dots[:cells].reshape(length, width), self._is_near[:cells].reshape(length, width)


def _pairs_of_block(
    vectors: NDArray[np.float32], start: int, length: int, floor: float, buffers: _Buffers
) -> NearPairs:
    block, is_near = buffers.of(length, len(vectors) - start)
    np.matmul(vectors[start : start + length], vectors[start:].T, out=block)
    own_rows = np.arange(length)
    block[own_rows, own_rows] = -np.inf
    # Few pairs of different people reach the floor: selecting these first is far cheaper than sorting whole rows.
    positions = np.flatnonzero(np.greater_equal(block, np.float32(floor), out=is_near))
    rows, columns = np.divmod(positions, block.shape[1])
    dots = block.ravel()[positions]
    is_behind = columns >= length  # the block holds pairs of its own rows twice
    faces = np.concatenate((rows, columns[is_behind])).astype(np.int32) + np.int32(start)
    neighbors = np.concatenate((columns, rows[is_behind])).astype(np.int32) + np.int32(start)
    return faces, neighbors, np.concatenate((dots, dots[is_behind]))


def unique_edges(parts: Iterable[NearPairs], count: int, per_face: int) -> NeighborEdges:
    """Pairs of all blocks, each once."""
    faces, neighbors, dots = _nearest_of_parts(parts, count, per_face)
    keys = np.minimum(faces, neighbors) * np.int64(count) + np.maximum(faces, neighbors)
    pairs, first = np.unique(keys, return_index=True)
    low, high = np.divmod(pairs, max(count, 1))
    return NeighborEdges(low, high, dots[first])


def _nearest_of_parts(parts: Iterable[NearPairs], count: int, per_face: int) -> NearPairs:
    """The ``per_face`` nearest of every face. A face whose list is full takes only nearer candidates."""
    most = max(_MIN_CANDIDATES, count * per_face // 2)
    least = np.full(count, -np.inf, dtype=np.float32)
    kept: NearPairs = (np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0, np.float32))
    collected, size = [kept], 0
    for faces, neighbors, dots in parts:
        is_near = dots >= least[faces]
        collected.append((faces[is_near], neighbors[is_near], dots[is_near]))
        size += len(collected[-1][0])
        if size > most:
            kept = _nearest(_joined(collected), per_face)
            lowest = np.full(count, np.inf, dtype=np.float32)
            np.minimum.at(lowest, kept[0], kept[2])
            is_full = np.bincount(kept[0], minlength=count) >= per_face
            least[is_full] = lowest[is_full]
            collected, size = [kept], 0
    return _nearest(_joined(collected), per_face)


def _joined(parts: list[NearPairs]) -> NearPairs:
    faces, neighbors, dots = zip(*parts, strict=True)
    return np.concatenate(faces), np.concatenate(neighbors), np.concatenate(dots)


def _nearest(pairs: NearPairs, per_face: int) -> NearPairs:
    """The ``per_face`` nearest candidates of each face. Of equal ones the first are kept."""
    faces, neighbors, dots = pairs
    is_kept = np.ones(len(faces), dtype=bool)
    crowded = np.flatnonzero((np.bincount(faces) > per_face)[faces]) if len(faces) else np.zeros(0, np.int64)
    if not len(crowded):
        return pairs
    face = faces[crowded].astype(np.uint64)
    distance = ((2.0 - dots[crowded].astype(np.float64)) * _DOT_STEPS).astype(np.uint64)
    crowded = crowded[np.argsort(face << np.uint64(_DOT_BITS) | distance, kind="stable")]
    face_of = faces[crowded]
    starts = np.flatnonzero(np.diff(face_of, prepend=-1))
    rank = np.arange(len(crowded)) - np.repeat(starts, np.diff(starts, append=len(crowded)))
    is_kept[crowded[rank >= per_face]] = False
    return faces[is_kept], neighbors[is_kept], dots[is_kept]

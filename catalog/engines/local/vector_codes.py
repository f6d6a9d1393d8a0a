"""Vectors in one byte per number, for a first pass that reads a quarter of the memory of float32.

Dot products with codes differ from the exact ones by at most a known error. The scan keeps every row that may belong to
the result within this error. The caller computes exact dot products of these rows, so that no match is lost.

One byte was chosen by measurement (``python -m tests.benchmarks.search --convert``): to widen 10 million rows to
float32 takes 0.3 s of processor time from int8, and 3 s from float16.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
_LARGEST_CODE = 127
_ROUNDING = 1e-4
"""Bound of the float32 rounding in a dot product of unit vectors; the largest measured is 3e-6."""
_WIDENED_ROWS = 1024
"""Rows widened to float32 at a time: 512 KiB, which stay in the processor's cache."""
_TASK_BLOCKS = 16
"""Blocks of one task of a thread."""
_MAX_THREADS = 8
_SPARE_CANDIDATES = 1 << 16
"""Candidates above the limit that are collected before the floor is raised."""


class Block(Protocol):
    """Rows in the order in which they were stored. A row of a removed face has the number 0."""

    @property
    def seqs(self) -> NDArray[np.int64]: ...

    @property
    def scales(self) -> Floats: ...

    @property
    def codes(self) -> NDArray[np.int8]: ...

    @property
    def error(self) -> float:
        """Largest distance of a vector of the block from its code, in Euclidean length."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """Codes of vectors: ``vectors`` is about ``scales[:, None] * codes``."""

    scales: Floats
    codes: NDArray[np.int8]
    error: float


def encode(vectors: Floats) -> Encoded:
    """Encode vectors, float32 (n, dimension), with one scale for each row."""
    scales = (np.abs(vectors).max(axis=1, initial=0.0) / _LARGEST_CODE).astype(np.float32)
    divisors = np.where(scales > 0, scales, 1).astype(np.float32)
    codes = np.rint(vectors / divisors[:, None]).astype(np.int8)
    errors = np.linalg.norm(vectors - codes * scales[:, None], axis=1)
    return Encoded(scales, codes, float(errors.max(initial=0.0)))


def candidates(blocks: Sequence[Block], probe: Floats, floor: float, limit: int) -> NDArray[np.int64]:
    """Return row numbers, in no order: all rows among the ``limit`` best at or above ``floor``, and a few others.

    Uses a thread for each processor, at most 8.
    """
    length = float(np.linalg.norm(probe))
    largest_error = max((block.error for block in blocks), default=0.0) * length + _ROUNDING
    tasks = [blocks[start : start + _TASK_BLOCKS] for start in range(0, len(blocks), _TASK_BLOCKS)]
    best = _Best(floor, limit, largest_error)

    def scan(task: Sequence[Block]) -> _Best:
        own = _Best(best.floor, limit, largest_error)
        for seqs, dots in _dots(task, probe):
            own.add(seqs, dots)
        return own

    threads = min(len(tasks), os.cpu_count() or 1, _MAX_THREADS)
    for part in _run(scan, tasks, threads):
        best.add(*part.rows())
    return best.rows()[0]


def _run(scan: Callable[[Sequence[Block]], _Best], tasks: Sequence[Sequence[Block]], threads: int) -> Iterator[_Best]:
    if threads <= 1:
        yield from map(scan, tasks)
        return
    with ThreadPoolExecutor(threads) as executor:
        yield from executor.map(scan, tasks)


def _dots(blocks: Sequence[Block], probe: Floats) -> Iterator[tuple[NDArray[np.int64], Floats]]:
    widened = np.empty((_WIDENED_ROWS, len(probe)), np.float32)
    for block in blocks:
        for start in range(0, len(block.seqs), _WIDENED_ROWS):
            codes = block.codes[start : start + _WIDENED_ROWS]
            rows = widened[: len(codes)]
            np.copyto(rows, codes)
            # vecdot, because BLAS starts threads of its own for a matrix of this size.
            yield (
                block.seqs[start : start + _WIDENED_ROWS],
                np.vecdot(rows, probe) * block.scales[start : start + _WIDENED_ROWS],
            )


class _Best:
    """Rows that may be among the ``limit`` best. Raises its floor when it holds many more rows than the limit."""

    def __init__(self, floor: float, limit: int, error: float) -> None:
        self.floor = floor
        self._limit = max(limit, 1)
        self._error = error
        self._parts: list[tuple[NDArray[np.int64], Floats]] = []
        self._count = 0

    def add(self, seqs: NDArray[np.int64], dots: Floats) -> None:
        (indices,) = np.nonzero(dots >= self.floor - self._error)
        if not indices.size:
            return
        seqs, dots = seqs[indices], dots[indices]
        is_stored = seqs != 0
        self._parts.append((seqs[is_stored], dots[is_stored]))
        self._count += int(is_stored.sum())
        if self._count > self._limit + _SPARE_CANDIDATES:
            self._keep_best()

    def rows(self) -> tuple[NDArray[np.int64], Floats]:
        """Row numbers and their approximate dot products."""
        if self._count > self._limit:
            self._keep_best()
        return _joined(self._parts)

    def _keep_best(self) -> None:
        seqs, dots = _joined(self._parts)
        # At least ``limit`` rows have an exact dot product of this value minus the error. A row that is better than
        # one of them has an approximate value of this value minus twice the error.
        value = float(np.partition(dots, len(dots) - self._limit)[len(dots) - self._limit])
        self.floor = max(self.floor, value - self._error)
        is_near = dots >= self.floor - self._error
        self._parts = [(seqs[is_near], dots[is_near])]
        self._count = int(is_near.sum())


def _joined(parts: Sequence[tuple[NDArray[np.int64], Floats]]) -> tuple[NDArray[np.int64], NDArray[Any]]:
    if not parts:
        return np.zeros(0, np.int64), np.zeros(0, np.float32)
    seqs, dots = zip(*parts, strict=True)
    return np.concatenate(seqs), np.concatenate(dots)

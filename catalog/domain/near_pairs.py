"""Pairs of vectors with a high dot product, computed in tiles that stay in a processor's cache.

Reading and writing whole rows of products in memory takes longer than computing them: tiles are 1.6 times as fast.
Several threads compute tiles, each with one thread of the BLAS library. The library's own threads would wait for each
other after each tile, and while a product is compared with the floor.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from queue import SimpleQueue
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

TILE_ROWS = 1024
TILE_COLUMNS = 4096
"""A tile of products takes 16 MB. Measured: smaller and larger tiles are slower."""
_MAX_THREADS = 16
"""20 MB of memory for each."""

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

NearPairs = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]
"""Rows, columns, and their dot products."""


class _OneThreadProducts:
    """While any thread is inside, the BLAS library computes each product of the process with one thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._limits: threadpool_limits | None = None

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._limits = threadpool_limits(limits=1, user_api="blas")
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside and self._limits is not None:
                self._limits.restore_original_limits()


_ONE_THREAD_PRODUCTS = _OneThreadProducts()


class ProductTile:
    """Memory for one tile after another. New memory for each would cost a quarter of the time."""

    def __init__(self) -> None:
        self._dots = np.empty(TILE_ROWS * TILE_COLUMNS, np.float32)
        self._is_near = np.empty(TILE_ROWS * TILE_COLUMNS, np.bool_)

    def products(self, rows: NDArray[np.float32], columns: NDArray[np.float32]) -> NDArray[np.float32]:
        """Dot products of at most TILE_ROWS rows and TILE_COLUMNS columns, valid until the next call."""
        shape = (len(rows), len(columns))
        return np.matmul(rows, columns.T, out=self._dots[: shape[0] * shape[1]].reshape(shape))

    def near(self, products: NDArray[np.float32], floor: float) -> NearPairs:
        """The products at or above ``floor``. Few pairs reach it: selecting these first is cheaper than any sorting."""
        is_near = self._is_near[: products.size].reshape(products.shape)
        positions = np.flatnonzero(np.greater_equal(products, np.float32(floor), out=is_near))
        rows, columns = np.divmod(positions, max(products.shape[1], 1))
        return rows, columns, products.ravel()[positions]


def tile_spans(start: int, stop: int, step: int) -> Iterator[tuple[int, int]]:
    """First and last row, exclusive, of each tile. Tiles begin at multiples of ``step``, except the first."""
    while start < stop:
        end = min((start // step + 1) * step, stop)
        yield start, end
        start = end


def compute_tiles(compute: Callable[[_Item, ProductTile], _Result], items: Iterable[_Item]) -> Iterator[_Result]:
    """Call a function for each item by several threads. Results come in order, and few are computed ahead.

    Until the last result, products of the whole process use one thread each.
    """
    threads = min(os.cpu_count() or 1, _MAX_THREADS)
    free: SimpleQueue[ProductTile] = SimpleQueue()
    for _ in range(threads):
        free.put(ProductTile())

    def run(item: _Item) -> _Result:
        tile = free.get()
        try:
            return compute(item, tile)
        finally:
            free.put(tile)

    remaining = iter(items)
    with _ONE_THREAD_PRODUCTS, ThreadPoolExecutor(threads, "pairs") as pool:
        pending = deque(pool.submit(run, item) for item in islice(remaining, 2 * threads))
        while pending:
            result = pending.popleft().result()
            pending.extend(pool.submit(run, item) for item in islice(remaining, 1))
            yield result

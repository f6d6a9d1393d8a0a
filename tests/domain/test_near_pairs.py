"""Pairs with a high dot product are found in tiles, by several threads."""

from __future__ import annotations

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from catalog.domain.near_pairs import TILE_COLUMNS, TILE_ROWS, ProductTile, compute_tiles, tile_spans


def blas_threads() -> set[int]:
    """Threads of each BLAS library of this process."""
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


def test_tiles_begin_at_multiples_of_the_step() -> None:
    assert list(tile_spans(5, 23, 8)) == [(5, 8), (8, 16), (16, 23)]
    assert list(tile_spans(8, 8, 8)) == []


def test_pairs_at_or_above_the_floor_are_found() -> None:
    """Rows, columns and values equal those of numpy, for a whole tile and for a part of one."""
    rng = np.random.default_rng(0)
    tile = ProductTile()
    for shape in ((TILE_ROWS, TILE_COLUMNS), (3, 5), (0, 7)):
        rows, columns = (rng.standard_normal((size, 4)).astype(np.float32) for size in shape)
        expected = np.nonzero(rows @ columns.T >= 2.0)
        row, column, dots = tile.near(tile.products(rows, columns), 2.0)
        assert row.tolist() == expected[0].tolist()
        assert column.tolist() == expected[1].tolist()
        assert dots == pytest.approx((rows @ columns.T)[expected], abs=1e-5)


def test_results_come_in_order() -> None:
    assert list(compute_tiles(lambda item, _: item * item, range(50))) == [item * item for item in range(50)]


def test_products_use_one_thread_until_the_last_result() -> None:
    before = blas_threads()
    assert list(compute_tiles(lambda *_: blas_threads(), range(4))) == [{1}] * 4
    assert blas_threads() == before


def test_overlapping_computations_give_the_threads_back() -> None:
    """The first one to end does not end the limit of the other."""
    before = blas_threads()
    first, second = (compute_tiles(lambda *_: blas_threads(), range(10)) for _ in range(2))
    next(first)
    next(second)
    list(first)
    assert blas_threads() == {1}
    list(second)
    assert blas_threads() == before

"""Exact neighbor pairs among faces for clustering, computed in tiles so that memory stays bounded.

A product is computed once for each pair: rows against themselves and the rows behind them. Each pair is then a
candidate for the lists of both faces. A face whose list is full takes only nearer candidates, so that most products are
left out as soon as they are computed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from catalog.domain.engine import NeighborEdges
from catalog.domain.near_pairs import TILE_ROWS, ProductTile, compute_tiles, tile_spans
from catalog.domain.nearest_lists import (
    BUCKET,
    MAX_FACES,
    Keys,
    NearestLists,
    memory_of,
    place_of,
    reversed_keys,
    split_keys,
)

_SPANS_PER_THREAD = 4
_MAX_BUCKETS = 8
"""Buckets of a span, at most: two of them are a billion pairs, which take one core about three seconds."""

Span = tuple[int, int]
"""First and last face, exclusive."""


def neighbor_edges(vectors: NDArray[np.float32], *, per_face: int, floor: float) -> NeighborEdges:
    """The ``per_face`` nearest rows of every row with a dot product at or above ``floor``; each pair occurs once.

    Raises ValueError for more than 2^27 rows.
    """
    lists = FaceLists((0, len(vectors)), per_face, floor)

    def compare(rows: Span, tile: ProductTile) -> None:
        compare_rows(vectors, rows, (rows[0], len(vectors)), lists, lists, tile)

    for _ in compute_tiles(compare, tile_spans(0, len(vectors), TILE_ROWS)):
        pass
    return lists.edges()


def spans_of(count: int, threads: int) -> Iterator[Span]:
    """Spans of whole buckets, for :func:`nearest_of_spans`: enough for all threads of a cluster, but not too small."""
    buckets = min(max(1, count // BUCKET // (_SPANS_PER_THREAD * threads)), _MAX_BUCKETS)
    return tile_spans(0, count, buckets * BUCKET)


def nearest_of_spans(
    vectors: NDArray[np.float32],
    spans: tuple[Span, Span],
    bounds: tuple[Keys, Keys],
    per_face: int,
    floor: float,
) -> list[tuple[int, Keys]]:
    """Compare two spans, the first before the second or equal to it. Returns the nearest faces as keys by bucket.

    ``bounds`` has the bound of each face: candidates beyond are left out. Workers of a cluster run this function.
    """
    rows, columns = spans
    row_lists = FaceLists(rows, per_face, floor, bounds[0])
    column_lists = row_lists if columns == rows else FaceLists(columns, per_face, floor, bounds[1])
    tile = ProductTile()
    for part in tile_spans(*rows, TILE_ROWS):
        compare_rows(vectors, part, columns, row_lists, column_lists, tile)
    return row_lists.nearest() + ([] if column_lists is row_lists else column_lists.nearest())


class FaceLists:
    """The nearest neighbors of consecutive faces, in buckets."""

    def __init__(self, span: Span, per_face: int, floor: float, bounds: Keys | None = None) -> None:
        """The span begins at the first face of a bucket. Raises ValueError for more than 2^27 faces."""
        if span[1] > MAX_FACES:
            raise ValueError(f"more than {MAX_FACES:,} faces to compare")
        self._start, self._stop = span
        self._buckets = []
        # One array: the allocator would keep the memory of many small ones.
        memory = np.empty(memory_of(span[1] - span[0], per_face), np.uint64)
        for start, end in tile_spans(*span, BUCKET):
            own_bounds = None if bounds is None else bounds[start - self._start : end - self._start]
            own, memory = np.split(memory, [memory_of(end - start, per_face)])
            self._buckets.append(NearestLists(end - start, per_face, floor, own_bounds, own))

    def of(self, face: int) -> NearestLists:
        """The lists of a face's bucket."""
        return self._buckets[(face - self._start) // BUCKET]

    def bounds(self, span: Span) -> Keys:
        """The bound of each face of a span: see :class:`NearestLists`."""
        parts = [self.of(start).bounds[start % BUCKET :][: end - start] for start, end in tile_spans(*span, BUCKET)]
        return np.concatenate(parts)

    def add(self, parts: Sequence[tuple[int, Keys]]) -> None:
        """Candidates by bucket: its first face, and keys."""
        for first_face, keys in parts:
            self.of(first_face).add_keys(keys)

    def nearest(self) -> list[tuple[int, Keys]]:
        """The nearest candidates by bucket: its first face, and keys in ascending order."""
        starts = range(self._start, self._stop, BUCKET)
        return [(start, bucket.keys()) for start, bucket in zip(starts, self._buckets, strict=True)]

    def edges(self) -> NeighborEdges:
        """Pairs of all lists, each once. The span begins at face 0."""
        nearest = self.nearest()
        bounds = self.bounds((0, self._stop)) if self._stop else np.zeros(0, np.uint64)
        # Of a pair in both lists, the entry of the lower face is used.
        turned: list[list[Keys]] = [[] for _ in nearest]
        forward = 0
        for start, keys in nearest:
            partners, seen_from_partner = reversed_keys(keys, start)
            is_backward = partners < start + place_of(keys)
            forward += len(keys) - int(is_backward.sum())
            is_turned = is_backward & (seen_from_partner >= bounds[partners])
            partners, seen_from_partner = partners[is_turned], seen_from_partner[is_turned]
            order = np.argsort(partners // BUCKET, kind="stable")
            ends = np.cumsum(np.bincount(partners // BUCKET, minlength=len(nearest)))
            for own, part in zip(turned, np.split(seen_from_partner[order], ends[:-1]), strict=True):
                if len(part):
                    own.append(part)
        count = forward + sum(len(part) for own in turned for part in own)
        first, second, similarity = np.empty(count, np.int32), np.empty(count, np.int32), np.empty(count, np.float32)
        end = 0
        for (start, keys), own in zip(nearest, turned, strict=True):
            faces, neighbors, dots = split_keys(np.concatenate([keys, *own]))
            faces += start
            is_used = neighbors > faces
            faces, neighbors, dots = faces[is_used], neighbors[is_used], dots[is_used]
            order = np.argsort(faces * MAX_FACES + neighbors)
            place = slice(end, end := end + len(order))
            first[place], second[place], similarity[place] = faces[order], neighbors[order], dots[order]
        return NeighborEdges(first, second, similarity)


def compare_rows(
    vectors: NDArray[np.float32],
    rows: Span,
    columns: Span,
    row_lists: FaceLists,
    column_lists: FaceLists,
    tile: ProductTile,
) -> None:
    """Compare at most TILE_ROWS rows with the columns from the first row on. Each pair goes to the lists of both."""
    start, end = rows
    for column, column_end in tile_spans(max(columns[0], start), columns[1], BUCKET):
        products = tile.products(vectors[start:end], vectors[column:column_end])
        row_bucket, column_bucket = row_lists.of(start), column_lists.of(column)
        if column < end:
            own = np.arange(max(start, column), min(end, column_end))
            products[own - start, own - column] = -np.inf
        row, col, dots = tile.near(products, min(row_bucket.least, column_bucket.least))
        row_bucket.add(row + start % BUCKET, col + column, dots)
        # Rows of this tile that are columns too are compared with each other twice.
        is_behind = col + column >= end
        column_bucket.add(col[is_behind] + column % BUCKET, row[is_behind] + start, dots[is_behind])

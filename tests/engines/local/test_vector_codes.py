"""Candidates of the first pass contain every row that an exact search returns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from catalog.engines.local.embed import unit
from catalog.engines.local.vector_codes import Floats, candidates, encode


@dataclass(frozen=True)
class CodedBlock:
    seqs: np.ndarray
    scales: Floats
    codes: np.ndarray
    error: float


def blocks_of(vectors: np.ndarray, size: int = 700) -> list[CodedBlock]:
    """Blocks with row numbers from 1."""
    blocks = []
    for start in range(0, len(vectors), size):
        encoded = encode(vectors[start : start + size])
        seqs = np.arange(start, start + len(encoded.codes)) + 1
        blocks.append(CodedBlock(seqs, encoded.scales, encoded.codes, encoded.error))
    return blocks


@pytest.mark.parametrize(("floor", "limit"), [(0.3, 10), (0.25, 4096), (-1.0, 1), (-1.0, 500), (0.2, 50)])
def test_no_match_is_lost(floor, limit):
    """The rows of an exact search are among the candidates, and few others."""
    random = np.random.default_rng(1)
    vectors = unit(random.standard_normal((60_000, 128)).astype(np.float32))
    vectors[7] = 0  # a vector of length 0 has codes, too
    blocks = blocks_of(vectors)
    for probe in vectors[100:104]:
        exact = vectors @ probe
        best = np.argsort(-exact)[:limit]
        expected = set((best[exact[best] >= floor] + 1).tolist())
        rows = candidates(blocks, probe, floor, limit)
        assert expected <= set(rows.tolist())
        assert len(rows) == len(set(rows.tolist()))
        lowest = max(floor, np.sort(exact)[-limit])
        assert exact[rows - 1].min() >= lowest - 0.06


def test_equal_vectors_are_all_kept():
    """Rows beyond the limit with the same similarity cannot be distinguished by codes."""
    vectors = np.repeat(unit(np.ones((1, 128), np.float32)), 3000, axis=0)
    assert len(candidates(blocks_of(vectors), vectors[0], 0.5, 10)) == 3000


def test_removed_rows_are_left_out():
    vectors = unit(np.random.default_rng(2).standard_normal((50, 128)).astype(np.float32))
    (block,) = blocks_of(vectors)
    removed = CodedBlock(np.where(block.seqs == 5, 0, block.seqs), block.scales, block.codes, block.error)
    rows = candidates([removed], vectors[4], -1.0, 100)
    assert sorted(rows.tolist()) == [seq for seq in range(1, 51) if seq != 5]


def test_no_rows():
    assert candidates([], np.ones(128, np.float32), 0.0, 10).size == 0

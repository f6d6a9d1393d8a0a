"""Slices of long lists of values."""

from __future__ import annotations

import pytest

from catalog.store.upsert import batches, repeated_batches


@pytest.mark.parametrize("count", [0, 1, 7, 255, 256, 257, 1201])
def test_slices_hold_every_item_in_order(count: int) -> None:
    """Both ways of slicing."""
    items = list(range(count))
    for slices in (batches(items), repeated_batches(items)):
        assert [item for part in slices for item in part] == items


def test_repeated_slices_have_few_lengths() -> None:
    """Nine lengths for all numbers of items, so that few different statements are prepared."""
    lengths = {len(part) for count in range(1, 1500) for part in repeated_batches(range(count))}
    assert lengths == {1, 2, 4, 8, 16, 32, 64, 128, 256}

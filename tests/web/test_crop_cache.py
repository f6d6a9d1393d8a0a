"""Crops are kept in a bounded memory and computed once."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from catalog.web.crop_cache import CropCache


def test_an_image_is_computed_once():
    """Also if several threads ask for it at the same time."""
    cache, calls, lock = CropCache(), [], threading.Lock()

    def make():
        with lock:
            calls.append(1)
        time.sleep(0.1)
        return b"image"

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: cache.get(("face", 96), make), range(8))) == {b"image"}
    assert cache.get(("face", 96), make) == b"image"
    assert len(calls) == 1


def test_the_least_recently_used_image_is_dropped():
    """The capacity is in bytes."""
    cache = CropCache(capacity=25)
    for name in ("a", "b"):
        cache.get((name, 96), lambda: bytes(10))
    cache.get(("a", 96), pytest.fail)
    cache.get(("c", 96), lambda: bytes(10))
    cache.get(("a", 96), pytest.fail)
    assert cache.get(("b", 96), lambda: b"again") == b"again"


def test_a_failure_is_not_kept():
    """The next request tries again."""
    cache = CropCache()

    def fail():
        raise ValueError("unreadable")

    with pytest.raises(ValueError, match="unreadable"):
        cache.get(("face", 96), fail)
    assert cache.get(("face", 96), lambda: b"image") == b"image"

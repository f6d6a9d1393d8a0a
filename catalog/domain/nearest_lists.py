"""The nearest neighbors of each face, collected from candidates in any order.

A candidate is one whole number of 64 bits: 12 bits for the face, 25 for the distance, 27 for the neighbor. Sorting
these numbers orders the candidates of each face from the nearest to the farthest, and of equally far ones the lowest
neighbor comes first. The result therefore depends on the candidates only, never on their order.
"""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray

BUCKET = 1 << 12
"""Consecutive faces whose lists are kept together: 12 bits, and as many as a tile has columns."""
MAX_FACES = 1 << 27
_NEIGHBOR_BITS = np.uint64(27)
_NEIGHBOR_MASK = np.uint64(MAX_FACES - 1)
_FACE_SHIFT = np.uint64(52)
_DISTANCE_STEPS = np.float32(1 << 24)
_DISTANCE_MASK = np.uint64((1 << 25) - 1)
_ALL_KEYS = np.uint64((1 << 64) - 1)

Keys = NDArray[np.uint64]


def memory_of(length: int, per_face: int) -> int:
    """Keys that the lists of so many faces need: full lists, and as many candidates."""
    return 2 * max(length, 1) * per_face


class NearestLists:
    """The ``per_face`` nearest candidates of each face of a bucket. Several threads may add candidates."""

    def __init__(
        self, length: int, per_face: int, floor: float, bounds: Keys | None = None, memory: Keys | None = None
    ) -> None:
        """``bounds``, one key for each face: only candidates with a lower key are taken.

        ``memory`` holds the candidates, at least :func:`memory_of` keys.
        """
        self._length = length
        self._per_face = per_face
        self._floor = floor
        self._lock = threading.Lock()
        self._memory = np.empty(memory_of(length, per_face), np.uint64) if memory is None else memory
        self._used = 0
        self.bounds = np.full(length, _ALL_KEYS) if bounds is None else bounds
        self.least = floor
        """The dot product of a candidate that any face still takes is at least this high."""
        self._set_least()

    def add(self, faces: NDArray[np.int64], neighbors: NDArray[np.int64], dots: NDArray[np.float32]) -> None:
        """Candidates: the place of a face in the bucket, the number of its neighbor, and their dot product, -1 to 1."""
        # 2^25 - 1 is no float32: whole numbers are limited instead.
        steps = np.maximum((np.float32(1.0) - dots) * _DISTANCE_STEPS, 0).astype(np.uint64)
        distance = np.minimum(steps, _DISTANCE_MASK)
        keys = faces.astype(np.uint64) << _FACE_SHIFT | distance << _NEIGHBOR_BITS | neighbors.astype(np.uint64)
        self.add_keys(keys[keys < self.bounds[faces]])

    def add_keys(self, keys: Keys) -> None:
        """Candidates as keys of this bucket."""
        with self._lock:
            while len(keys):
                part = keys[: len(self._memory) - self._used]
                self._memory[self._used : self._used + len(part)] = part
                self._used += len(part)
                keys = keys[len(part) :]
                if self._used == len(self._memory):
                    self._keep_nearest()

    def keys(self) -> Keys:
        """The keys of the nearest candidates, in ascending order. Valid until the next candidate."""
        with self._lock:
            self._keep_nearest()
            return self._memory[: self._used]

    def _keep_nearest(self) -> None:
        keys = self._memory[: self._used]
        keys.sort()
        starts = np.searchsorted(keys, np.arange(self._length, dtype=np.uint64) << _FACE_SHIFT)
        counts = np.diff(starts, append=len(keys))
        rank = np.arange(len(keys)) - np.repeat(starts, counts)
        is_full = counts >= self._per_face
        # A new array: another thread may read the old one.
        bounds = self.bounds.copy()
        bounds[is_full] = keys[starts[is_full] + self._per_face - 1] + np.uint64(1)
        self.bounds = bounds
        nearest = keys[rank < self._per_face]
        self._used = len(nearest)
        self._memory[: self._used] = nearest
        self._set_least()

    def _set_least(self) -> None:
        if self._length and self.bounds.max() != _ALL_KEYS:
            farthest = int((self.bounds >> _NEIGHBOR_BITS & _DISTANCE_MASK).max())
            self.least = max(self._floor, 1.0 - (farthest + 2) / float(_DISTANCE_STEPS))


def place_of(keys: Keys) -> NDArray[np.int64]:
    """Place in the bucket of each key's face."""
    return (keys >> _FACE_SHIFT).astype(np.int64)


def split_keys(keys: Keys) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """Place in the bucket, neighbor, and dot product of each key. The dot product is rounded down to 24 bits."""
    distance = (keys >> _NEIGHBOR_BITS & _DISTANCE_MASK).astype(np.float32)
    return place_of(keys), (keys & _NEIGHBOR_MASK).astype(np.int64), np.float32(1.0) - distance / _DISTANCE_STEPS


def reversed_keys(keys: Keys, first_face: int) -> tuple[NDArray[np.int64], Keys]:
    """The same pairs as seen from the neighbor: its number, and the key in its own bucket."""
    neighbors = keys & _NEIGHBOR_MASK
    faces = (keys >> _FACE_SHIFT) + np.uint64(first_face)
    distance = keys & (_DISTANCE_MASK << _NEIGHBOR_BITS)
    return neighbors.astype(np.int64), (neighbors & np.uint64(BUCKET - 1)) << _FACE_SHIFT | distance | faces

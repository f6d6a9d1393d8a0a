"""Copies among the photos that a scan would read. A copy is enrolled and charged once."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection
from dataclasses import dataclass

from catalog.domain.content_hash import sha256_of
from catalog.domain.errors import PhotoError, SourceError
from catalog.reports.confidence_interval import wilson_interval
from catalog.scanning.photo_task import PhotoTask

SAMPLED_COPIES = 50
"""Photos that are read to see whether they are copies."""
_REMEMBERED_SIZES = 100_000
"""Sizes of new photos that are remembered. Copies of later ones are not expected."""


@dataclass(frozen=True, slots=True)
class CountRange:
    """A number, and its range."""

    lowest: int
    expected: int
    highest: int


class CopyCounter:
    """Counts photos, and estimates how many distinct ones are new to the gallery.

    A photo is a possible copy if its size in bytes is that of an enrolled photo or of an earlier photo of the listing.
    A uniform sample of the possible copies is read.
    """

    def __init__(self, enrolled_sizes: Collection[int]) -> None:
        self._enrolled_sizes = enrolled_sizes
        self._first_by_size: dict[int, PhotoTask] = {}
        self._photos = 0
        self._possible_copies = 0
        self._sample: list[tuple[PhotoTask, PhotoTask | None]] = []
        self._chance = random.Random(0)  # noqa: S311  a plan is repeatable

    def add(self, task: PhotoTask) -> None:
        self._photos += 1
        size = task.ref.size
        first = self._first_by_size.get(size)
        if first is None and len(self._first_by_size) < _REMEMBERED_SIZES:
            self._first_by_size[size] = task
        if first is None and size not in self._enrolled_sizes:
            return
        self._possible_copies += 1
        if len(self._sample) < SAMPLED_COPIES:
            self._sample.append((task, first))
        elif (index := self._chance.randrange(self._possible_copies)) < SAMPLED_COPIES:
            self._sample[index] = (task, first)

    def distinct(self, is_enrolled: Callable[[str], bool]) -> CountRange:
        """The photos that are not enrolled and not copies of another one. Reads the sample.

        ``is_enrolled`` tells whether the gallery holds a content hash. The range is the 95 % confidence interval of the
        share of copies. A sample of all possible copies has no range.
        """
        read = [is_copy for pair in self._sample if (is_copy := _is_copy(*pair, is_enrolled)) is not None]
        if not read:
            return CountRange(self._photos - self._possible_copies, self._photos, self._photos)
        share = sum(read) / len(read)
        low, high = (share, share) if len(read) == self._possible_copies else wilson_interval(sum(read), len(read))
        lowest, expected, highest = (
            self._photos - round(share * self._possible_copies) for share in (high, share, low)
        )
        return CountRange(lowest, expected, highest)


def _is_copy(task: PhotoTask, first: PhotoTask | None, is_enrolled: Callable[[str], bool]) -> bool | None:
    """None if the photo cannot be read."""
    content = _hash(task)
    if content is None:
        return None
    return is_enrolled(content) or (first is not None and _hash(first) == content)


def _hash(task: PhotoTask) -> str | None:
    try:
        return sha256_of(task.source.open(task.ref).data)
    except (PhotoError, SourceError):
        return None

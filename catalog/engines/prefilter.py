"""Sends a photo to the paid engine only if the free engine finds a face on it.

A fixed share of the other photos, chosen by content hash, is sent all the same to measure how many faces the prefilter
misses.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from catalog.domain.engine import Engine
from catalog.domain.faces import Enrollment
from catalog.domain.opened_photo import OpenedPhoto
from catalog.domain.prepared_photo import PreparedPhoto
from catalog.engines.delegating import DelegatingEngine


@dataclass(slots=True)
class PrefilterCounts:
    """``skipped`` photos were not sent. Of ``sampled`` photos sent without a face, ``missed`` had one after all."""

    skipped: int = 0
    sampled: int = 0
    missed: int = 0


class PrefilteredEngine(DelegatingEngine):
    """The paid engine, except that :meth:`enroll` asks the free engine first."""

    def __init__(self, paid: Engine, free: Engine, *, sample: float) -> None:
        """``sample`` is the share of photos without a face that is sent all the same, 0 to 1."""
        super().__init__(paid)
        self.counts = PrefilterCounts()
        self._free = free
        self._sample = sample
        self._lock = threading.Lock()

    def enroll(self, photo: OpenedPhoto, sha256: str) -> Enrollment:
        shows_face = bool(self._free.analyze(photo).faces)
        return self._filtered(shows_face, sha256, lambda: self.inner.enroll(photo, sha256))

    def enroll_prepared(self, prepared: PreparedPhoto, sha256: str) -> Enrollment:
        """The worker that prepared the photo has asked the free engine."""
        if prepared.shows_face is None:
            raise ValueError("the photo was prepared without the prefilter")
        return self._filtered(prepared.shows_face, sha256, lambda: self.inner.enroll_prepared(prepared, sha256))

    def _filtered(self, shows_face: bool, sha256: str, enroll: Callable[[], Enrollment]) -> Enrollment:
        if shows_face:
            return enroll()
        if not is_sampled(sha256, self._sample):
            with self._lock:
                self.counts.skipped += 1
            return Enrollment((), skipped_by_prefilter=True)
        enrollment = enroll()
        with self._lock:
            self.counts.sampled += 1
            self.counts.missed += bool(enrollment.faces)
        return enrollment

    def close(self) -> None:
        """Close the free engine only."""
        self._free.close()


def is_sampled(sha256: str, sample: float) -> bool:
    """True for photos of the measured share (0 to 1). Every run chooses the same photos."""
    return int(sha256[:8], 16) < sample * 2**32

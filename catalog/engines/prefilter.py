"""Sends a photo to the paid engine only if the free engine finds a face on it.

A fixed share of the other photos, chosen by content hash, is sent all the same to measure how many faces the prefilter
misses.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from catalog.domain.engine import Engine
from catalog.domain.faces import Enrollment
from catalog.domain.opened_photo import OpenedPhoto
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
        if self._free.analyze(photo).faces:
            return self.inner.enroll(photo, sha256)
        if not is_sampled(sha256, self._sample):
            with self._lock:
                self.counts.skipped += 1
            return Enrollment((), skipped_by_prefilter=True)
        enrollment = self.inner.enroll(photo, sha256)
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

"""An engine that pays only for photos in which another one, which is free, sees a face.

How many calls that saves is known; how many faces it misses is measured, not assumed: a sample of the photos without a
face is sent all the same, chosen by their content so that every run chooses the same ones.
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
    """``spared`` photos were not sent; of ``sampled`` ones that would not have been, ``missed`` showed a face."""

    spared: int = 0
    sampled: int = 0
    missed: int = 0


class PrefilteredEngine(DelegatingEngine):
    """Implements ``Engine``; all but :meth:`enroll` is the paid engine's, the inner one."""

    def __init__(self, paid: Engine, free: Engine, *, sample: float) -> None:
        """``sample`` is the share of faceless photos that is sent all the same, 0 to 1."""
        super().__init__(paid)
        self.savings = PrefilterCounts()
        self._free = free
        self._sample = sample
        self._lock = threading.Lock()

    def enroll(self, photo: OpenedPhoto, sha256: str) -> Enrollment:
        if self._free.analyze(photo).faces:
            return self.inner.enroll(photo, sha256)
        if int(sha256[:8], 16) >= self._sample * 2**32:
            with self._lock:
                self.savings.spared += 1
            return Enrollment((), spared=True)
        enrollment = self.inner.enroll(photo, sha256)
        with self._lock:
            self.savings.sampled += 1
            self.savings.missed += bool(enrollment.faces)
        return enrollment

    def close(self) -> None:
        """Closes the free engine only; the paid one belongs to who made it."""
        self._free.close()

"""An engine that pays only for photos in which another one, which is free, sees a face.

How many calls that saves is known; how many faces it misses is measured, not assumed: a sample of the photos without a
face is sent all the same, chosen by their content so that every run chooses the same ones.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from catalog.engines.base import MAX_MATCHES, Engine, Metered
from catalog.images.opened import OpenedPhoto
from catalog.vocabulary import (
    Analysis,
    BoundingBox,
    Charge,
    Comparison,
    EnrolledFace,
    Enrollment,
    Neighbors,
    Operation,
    Search,
)


@dataclass(slots=True)
class Savings:
    """``spared`` photos were not sent; of ``sampled`` ones that would not have been, ``missed`` showed a face."""

    spared: int = 0
    sampled: int = 0
    missed: int = 0


class PrefilteredEngine:
    """Implements :class:`~catalog.engines.base.Engine`; all but :meth:`enroll` is the paid engine's."""

    def __init__(self, paid: Engine, free: Engine, *, sample: float) -> None:
        """``sample`` is the share of faceless photos that is sent all the same, 0 to 1."""
        self.name = paid.name
        self.savings = Savings()
        self._paid = paid
        self._free = free
        self._sample = sample
        self._lock = threading.Lock()

    @property
    def model(self) -> str:
        return self._paid.model

    @property
    def paid(self) -> Engine:
        """The engine behind the filter, for what goes beyond the contract of engines."""
        return self._paid

    def enroll(self, photo: OpenedPhoto, sha256: str) -> Enrollment:
        if self._free.analyze(photo).faces:
            return self._paid.enroll(photo, sha256)
        if int(sha256[:8], 16) >= self._sample * 2**32:
            with self._lock:
                self.savings.spared += 1
            return Enrollment((), spared=True)
        enrollment = self._paid.enroll(photo, sha256)
        with self._lock:
            self.savings.sampled += 1
            self.savings.missed += bool(enrollment.faces)
        return enrollment

    def analyze(self, photo: OpenedPhoto) -> Analysis:
        return self._paid.analyze(photo)

    def neighbors(self, face_id: str, threshold: float, limit: int = MAX_MATCHES) -> Neighbors:
        return self._paid.neighbors(face_id, threshold, limit)

    def search(
        self, photo: OpenedPhoto, threshold: float, limit: int = MAX_MATCHES, box: BoundingBox | None = None
    ) -> Search:
        return self._paid.search(photo, threshold, limit, box)

    def compare(self, source: OpenedPhoto, target: OpenedPhoto, threshold: float) -> Comparison:
        return self._paid.compare(source, target, threshold)

    def remove(self, face_ids: Iterable[str]) -> set[str]:
        return self._paid.remove(face_ids)

    def enrolled(self) -> Iterator[EnrolledFace]:
        return self._paid.enrolled()

    def price(self, operation: Operation, calls: int) -> Charge:
        return self._paid.price(operation, calls)

    def unclaimed(self) -> tuple[Charge, ...]:
        """Implements :class:`~catalog.engines.base.Metered`."""
        return self._paid.unclaimed() if isinstance(self._paid, Metered) else ()

    def close(self) -> None:
        """Closes the free engine only; the paid one belongs to who made it."""
        self._free.close()

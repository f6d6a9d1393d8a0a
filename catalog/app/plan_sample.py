"""A sample of the photos that a scan would read, as the free engine sees them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from catalog.domain.engine import Engine
from catalog.domain.errors import PhotoError
from catalog.domain.opened_photo import OpenedPhoto
from catalog.reports.confidence_interval import wilson_interval
from catalog.scanning.photo_task import PhotoTask


@dataclass(frozen=True, slots=True)
class PhotoSample:
    """``photos`` were looked at, ``with_faces`` of them show ``faces`` faces."""

    photos: int
    with_faces: int
    faces: int

    @property
    def faces_per_photo(self) -> float:
        return self.faces / self.photos if self.photos else 0.0

    def sent(self, photos: int, prefilter_sample: float) -> tuple[int, int, int]:
        """Photos of ``photos`` that the prefilter would send: lowest, expected and highest number.

        The range is the 95 % confidence interval of the share. A sample of all photos has no range.
        ``prefilter_sample`` is the share of photos without a face that is sent all the same.
        """
        if not self.photos:
            return 0, photos, photos
        share = self.with_faces / self.photos
        low, high = (share, share) if self.photos >= photos else wilson_interval(self.with_faces, self.photos)

        def sent_at(share: float) -> int:
            return round(photos * (share + (1.0 - share) * prefilter_sample))

        return sent_at(low), sent_at(share), sent_at(high)


def measure_sample(tasks: Sequence[PhotoTask], free: Engine, open_photo: Callable[[bytes], OpenedPhoto]) -> PhotoSample:
    """Read the photos of the tasks and count their faces. A photo that cannot be read counts as one without a face."""
    with_faces = faces = 0
    for task in tasks:
        try:
            number = len(free.analyze(open_photo(task.source.open(task.ref).data)).faces)
        except PhotoError:
            number = 0
        with_faces += number > 0
        faces += number
    return PhotoSample(len(tasks), with_faces, faces)

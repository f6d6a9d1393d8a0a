"""A sample of the photos that a scan would read, as the free engine sees them."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from catalog.domain.engine import Engine
from catalog.domain.errors import PhotoError, SourceError
from catalog.domain.opened_photo import OpenedPhoto
from catalog.reports.confidence_interval import wilson_interval
from catalog.scanning.photo_task import PhotoTask

SAMPLED_PHOTOS = 50
"""Photos that the free engine looks at."""


@dataclass(frozen=True, slots=True)
class PhotoSample:
    """``faces`` are the numbers of faces of the photos that were looked at."""

    faces: tuple[int, ...]

    @property
    def photos(self) -> int:
        return len(self.faces)

    @property
    def faces_per_photo(self) -> float:
        """At least one face in all: the paid engine may find faces where the free engine finds none."""
        return max(sum(self.faces), 1) / len(self.faces) if self.faces else 0.0

    @property
    def highest_faces_per_photo(self) -> float:
        """The upper end of the 95 % confidence interval of the mean."""
        if len(self.faces) < 2:
            return self.faces_per_photo
        mean = self.faces_per_photo
        variance = sum((faces - mean) ** 2 for faces in self.faces) / (len(self.faces) - 1)
        return mean + 1.96 * math.sqrt(variance / len(self.faces))

    def sent(self, photos: int, prefilter_sample: float) -> tuple[int, int, int]:
        """Photos of ``photos`` that the prefilter would send: lowest, expected and highest number.

        The range is the 95 % confidence interval of the share. A sample of all photos has no range.
        ``prefilter_sample`` is the share of photos without a face that is sent all the same.
        """
        if not self.photos:
            return 0, photos, photos
        with_faces = sum(faces > 0 for faces in self.faces)
        share = with_faces / self.photos
        low, high = (share, share) if self.photos >= photos else wilson_interval(with_faces, self.photos)

        def sent_at(share: float) -> int:
            return round(photos * (share + (1.0 - share) * prefilter_sample))

        return sent_at(low), sent_at(share), sent_at(high)


class TaskSample:
    """A uniform sample of tasks (reservoir sampling, fixed seed)."""

    def __init__(self) -> None:
        self.tasks: list[PhotoTask] = []
        self._seen = 0
        self._chance = random.Random(0)  # noqa: S311  a plan is repeatable

    def add(self, task: PhotoTask) -> None:
        self._seen += 1
        if len(self.tasks) < SAMPLED_PHOTOS:
            self.tasks.append(task)
        elif (index := self._chance.randrange(self._seen)) < SAMPLED_PHOTOS:
            self.tasks[index] = task


def measure_sample(tasks: Sequence[PhotoTask], free: Engine, open_photo: Callable[[bytes], OpenedPhoto]) -> PhotoSample:
    """Read the photos of the tasks and count their faces. A photo that cannot be read counts as one without a face."""
    faces = []
    for task in tasks:
        try:
            faces.append(len(free.analyze(open_photo(task.source.open(task.ref).oriented_data)).faces))
        except (PhotoError, SourceError):
            faces.append(0)
    return PhotoSample(tuple(faces))

"""Faces of photos that were compared before, so that a reference is analyzed once and not at every comparison."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalog.domain.content_hash import sha256_of
from catalog.domain.faces import Face
from catalog.domain.opened_photo import OpenedPhoto

_FACES = 4096
"""Most faces that are kept, with a photo without a face counted as one. A face takes about 5 kB."""


@dataclass(frozen=True, slots=True, eq=False)
class ComparedPhoto:
    """The faces of a photo, largest first, and their probes: float32, one row for each face."""

    faces: tuple[Face, ...]
    probes: NDArray[np.float32]


class ComparedPhotos:
    """The most recently used photos. Safe for several threads. A photo without its file's bytes is not kept."""

    def __init__(self, analyze: Callable[[OpenedPhoto], ComparedPhoto]) -> None:
        self._analyze = analyze
        self._photos: OrderedDict[tuple[str, tuple[int, ...]], ComparedPhoto] = OrderedDict()
        self._face_count = 0
        self._lock = threading.Lock()

    def get(self, photo: OpenedPhoto) -> ComparedPhoto:
        """The faces of the photo, analyzed now unless they are kept."""
        if not photo.data:
            return self._analyze(photo)
        # One file may be opened at several sizes, which show different faces.
        key = sha256_of(photo.data), photo.pixels.shape
        with self._lock:
            cached = self._photos.get(key)
            if cached is not None:
                self._photos.move_to_end(key)
                return cached
        analyzed = self._analyze(photo)
        with self._lock:
            if key not in self._photos:  # another thread may have analyzed it, too
                self._photos[key] = analyzed
                self._face_count += _count(analyzed)
            while self._face_count > _FACES:
                _, dropped = self._photos.popitem(last=False)
                self._face_count -= _count(dropped)
        return analyzed


def _count(photo: ComparedPhoto) -> int:
    return max(1, len(photo.faces))

"""Photos that were compared before are not analyzed again."""

from __future__ import annotations

import numpy as np

from catalog.domain.faces import BoundingBox, Face
from catalog.domain.opened_photo import OpenedPhoto
from catalog.engines.local import compared_photos
from catalog.engines.local.compared_photos import ComparedPhoto, ComparedPhotos


def photo(data: bytes, side: int = 10) -> OpenedPhoto:
    return OpenedPhoto(np.zeros((side, side, 3), np.uint8), side, side, "JPEG", data=data)


class Analyzer:
    """Counts the photos that it analyzes."""

    def __init__(self) -> None:
        self.analyzed: list[bytes] = []

    def __call__(self, opened: OpenedPhoto) -> ComparedPhoto:
        self.analyzed.append(opened.data)
        return ComparedPhoto((), np.zeros((0, 128), np.float32))


def test_one_file_is_analyzed_once_for_each_size():
    """The size decides which faces are found."""
    analyze = Analyzer()
    photos = ComparedPhotos(analyze)
    assert photos.get(photo(b"a")) is photos.get(photo(b"a"))
    photos.get(photo(b"a", side=20))
    photos.get(photo(b"b"))
    assert analyze.analyzed == [b"a", b"a", b"b"]


def test_pixels_without_a_file_are_always_analyzed():
    """Two such photos cannot be distinguished."""
    analyze = Analyzer()
    photos = ComparedPhotos(analyze)
    photos.get(photo(b""))
    photos.get(photo(b""))
    assert len(analyze.analyzed) == 2


def test_the_photo_that_was_not_used_for_longest_is_dropped(monkeypatch):
    """Memory does not grow with the number of employees. A photo without a face counts as one face."""
    monkeypatch.setattr(compared_photos, "_FACES", 2)
    analyze = Analyzer()
    photos = ComparedPhotos(analyze)
    for data in (b"a", b"b", b"a", b"c", b"a", b"b"):
        photos.get(photo(data))
    assert analyze.analyzed == [b"a", b"b", b"c", b"b"]


def test_a_photo_with_many_faces_counts_for_them(monkeypatch):
    """A group drops the photos before it, and is itself dropped if it has more faces than are kept."""
    monkeypatch.setattr(compared_photos, "_FACES", 4)
    face = Face(BoundingBox(0.2, 0.2, 0.2, 0.2), 99.0)
    sizes = {b"one": 1, b"three": 3, b"five": 5}
    analyzed = []

    def analyze(opened: OpenedPhoto) -> ComparedPhoto:
        analyzed.append(opened.data)
        count = sizes[opened.data]
        return ComparedPhoto((face,) * count, np.zeros((count, 128), np.float32))

    photos = ComparedPhotos(analyze)
    for data in (b"one", b"three", b"one", b"three", b"five", b"five", b"one"):
        assert len(photos.get(photo(data)).faces) == sizes[data]
    assert analyzed == [b"one", b"three", b"five", b"five", b"one"]

"""Dates and orientation in the objects beside a photo in S3: XMP sidecars, Takeout's JSON, videos of Live Photos.

The keys that a listing passes are remembered, so that no further call is needed for most photos. A photo whose
neighbors the listing has not reached yet, and one that is read without a listing, costs one call of ListObjectsV2.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import cache
from threading import Lock

from catalog.domain.companion_names import name_key, sidecar_names, takeout_names, video_names
from catalog.domain.exif_orientation import sidecar_orientation
from catalog.domain.quicktime_date import quicktime_date
from catalog.domain.taken_at import TakenAt
from catalog.domain.xmp_dates import MAX_PACKET
from catalog.sources.companion_dates import dates_beside

ReadRange = Callable[[str, int, int], bytes]
"""Reads so many bytes of an object from an offset; empty if it cannot be read."""
ListPrefix = Callable[[str], Sequence[str]]
"""Lists the first keys with a prefix; empty if they cannot be listed."""

_KEPT = 50_000
"""Keys of companions that are remembered: those of the last photos that were listed."""
_MOST_READS = 20
"""Parts of a video that are read for its date. A phone's video needs five."""
_ENDINGS = (".xmp", ".json", ".mov", ".mp4")
_AFTER_ALL = "\U0010ffff"


class S3Companions:
    """The companions of photos below one prefix. May be used from several threads."""

    def __init__(self, list_prefix: ListPrefix, read: ReadRange) -> None:
        self._list_prefix = list_prefix
        self._read = read
        self._lock = Lock()
        self._keys: OrderedDict[str, str] = OrderedDict()
        self._first, self._last = _AFTER_ALL, ""

    def add_page(self, after: str, keys: Sequence[str], *, has_more: bool) -> None:
        """Remember the companions of one page of a listing: the keys after ``after``, in ascending order."""
        with self._lock:
            if after != self._last or not self._last:
                self._keys.clear()
                self._first = after
            for key in keys:
                if key.lower().endswith(_ENDINGS):
                    self._keys[_comparable(key)] = key
            while len(self._keys) > _KEPT:
                self._first = self._keys.popitem(last=False)[1]
            self._last = keys[-1] if has_more and keys else _AFTER_ALL

    def read(self, key: str) -> tuple[tuple[TakenAt, ...], int]:
        """The dates beside a photo, those of a sidecar first, and the EXIF orientation that its sidecar gives it."""
        folder, _, name = key.rpartition("/")
        folder += "/" if folder or key.startswith("/") else ""
        find = self._finder(folder, name)

        @cache  # the sidecar is asked for its dates and for its orientation
        def content(companion: str, most: int) -> bytes | None:
            matching = find(companion)
            return None if matching is None else self._read(matching, 0, most + 1)

        def video(companion: str) -> TakenAt | None:
            matching = find(companion)
            if matching is None:
                return None
            reads = iter(range(_MOST_READS))  # a damaged video may lead to thousands of parts, each a call
            return quicktime_date(
                lambda offset, size: self._read(matching, offset, size) if next(reads, None) is not None else b""
            )

        sidecar = content(sidecar_names(name)[0], MAX_PACKET)
        return dates_beside(name, content, content, video), 1 if sidecar is None else sidecar_orientation(sidecar)

    def orientation(self, key: str) -> int:
        """The EXIF orientation that the sidecar ``photo.jpg.xmp`` gives a photo. One read, which mostly finds none."""
        sidecar = self._read(f"{key}.xmp", 0, MAX_PACKET)
        return sidecar_orientation(sidecar) if sidecar else 1

    def _finder(self, folder: str, name: str) -> Callable[[str], str | None]:
        """A function that returns the key of a companion by its name, without regard to case."""
        candidates = [name, *sidecar_names(name), *takeout_names(name), *video_names(name)]
        prefix = folder + _common_start(candidates)
        with self._lock:
            if self._first < prefix and prefix + _AFTER_ALL <= self._last:
                keys = {_comparable(folder + candidate) for candidate in candidates} & self._keys.keys()
                matching = {key: self._keys[key] for key in keys}
                return lambda companion: matching.get(_comparable(folder + companion))
        # Reverse order: of several names that differ in case only, the first in order of bytes is used.
        matching = {_comparable(key): key for key in sorted(self._list_prefix(prefix), reverse=True)}
        return lambda companion: matching.get(_comparable(folder + companion))


def _common_start(names: Sequence[str]) -> str:
    first, last = min(names), max(names)
    different = (number for number, (one, other) in enumerate(zip(first, last, strict=False)) if one != other)
    return first[: next(different, min(len(first), len(last)))]


def _comparable(key: str) -> str:
    folder, slash, name = key.rpartition("/")
    return f"{folder}{slash}{name_key(name)}"

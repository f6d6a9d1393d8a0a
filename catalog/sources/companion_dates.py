"""Dates in the files beside a photo: XMP sidecars, Google Takeout's JSON, and the video of a Live Photo.

A file that cannot be read or is damaged has no date. Takeout comes in parts, and the JSON file of a photo may be in the
same folder of another part: ``part 2/Takeout/Google Photos/Album``.
"""

# File names are bytes here, which pathlib does not take.
# ruff: noqa: PTH112, PTH118, PTH120, PTH208
from __future__ import annotations

import os
import stat
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from threading import Lock

from catalog.domain.companion_names import name_key, sidecar_names, takeout_names, video_names
from catalog.domain.quicktime_date import quicktime_date
from catalog.domain.taken_at import TakenAt
from catalog.domain.takeout_date import MAX_JSON, takeout_date
from catalog.domain.xmp_dates import MAX_PACKET, sidecar_dates

_KEPT_FOLDERS = 64
"""Folders whose file names are kept in memory. Photos are read folder by folder."""
_TAKEOUT = b"Takeout"
_STILLS = (".heic", ".heif", ".jpg", ".jpeg")
"""Endings of photos that may have a video."""


class CompanionDates:
    """Finds the dates beside the photos of one source. May be used from several threads.

    ``root`` is the source's folder with a closing slash; no file outside it is read, except beside a single file.
    """

    def __init__(self, root: bytes) -> None:
        self._root = root
        self._lock = Lock()
        self._folders: OrderedDict[bytes, dict[str, bytes]] = OrderedDict()

    def read(self, path: bytes) -> tuple[TakenAt, ...]:
        """The dates beside a photo, those of a sidecar first."""
        folder, name = os.path.split(path)

        def takeout(candidate: str, most: int) -> bytes | None:
            contents = (self._content(part, candidate, most) for part in self._parts(folder))
            return next((data for data in contents if data is not None), None)

        return dates_beside(
            os.fsdecode(name), partial(self._content, folder), takeout, partial(self._video_date, folder)
        )

    def _parts(self, folder: bytes) -> Iterator[bytes]:
        """The folder of a photo, then the same folder of the other parts of an export."""
        yield folder
        before, separator, below = folder.rpartition(b"/" + _TAKEOUT + b"/")
        if not separator:
            return
        parent = os.path.dirname(before)
        if not (parent + b"/").startswith(self._root):
            return
        for entry in sorted(self._names(parent).values()):
            parallel_folder = os.path.join(parent, entry, _TAKEOUT, below)
            if parallel_folder != folder and os.path.isdir(parallel_folder):
                yield parallel_folder

    def _content(self, folder: bytes, name: str, most: int) -> bytes | None:
        """At most the first ``most`` + 1 bytes; None without a regular file of this name."""
        path = self._existing(folder, name)
        if path is None:
            return None
        with suppress(OSError), open(path, "rb", opener=_open_without_waiting) as file:
            if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return file.read(most + 1)
        return None

    def _video_date(self, folder: bytes, name: str) -> TakenAt | None:
        path = self._existing(folder, name)
        if path is None:
            return None
        with suppress(OSError), open(path, "rb", opener=_open_without_waiting) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return None

            def read(offset: int, size: int) -> bytes:
                file.seek(offset)
                return file.read(size)

            return quicktime_date(read)
        return None

    def _existing(self, folder: bytes, name: str) -> bytes | None:
        entry = self._names(folder).get(name_key(name))
        return None if entry is None else os.path.join(folder, entry)

    def _names(self, folder: bytes) -> dict[str, bytes]:
        """Names of a folder by the form in which they are compared; empty if it cannot be read."""
        with self._lock:
            names = self._folders.get(folder)
            if names is not None:
                self._folders.move_to_end(folder)
                return names
        try:
            # Reverse order: of several names that differ in case only, the first in order of bytes is used.
            names = {name_key(os.fsdecode(name)): name for name in sorted(os.listdir(folder), reverse=True)}
        except OSError:
            names = {}
        with self._lock:
            self._folders[folder] = names
            if len(self._folders) > _KEPT_FOLDERS:
                self._folders.popitem(last=False)
        return names


def dates_beside(
    name: str,
    content: Callable[[str, int], bytes | None],
    takeout: Callable[[str, int], bytes | None],
    video: Callable[[str], TakenAt | None],
) -> tuple[TakenAt, ...]:
    """The dates in the files beside the photo ``name``, those of a sidecar first.

    ``content`` and ``takeout`` return at most so many bytes and one more of a file by its name, ``takeout`` also in
    other parts of an export; ``video`` returns the date of a video. None: there is no such file.
    """
    packets = (content(sidecar, MAX_PACKET) for sidecar in sidecar_names(name))
    dates = [date for packet in packets if packet is not None for date in sidecar_dates(packet)]
    answers = (takeout(candidate, MAX_JSON) for candidate in takeout_names(name))
    data = next((answer for answer in answers if answer is not None), None)
    taken = None if data is None else takeout_date(data)
    if taken is not None:
        dates.append(taken)
    if name.lower().endswith(_STILLS):
        videos = (video(companion) for companion in video_names(name))
        dates += [date for date in videos if date is not None]
    return tuple(dates)


def _open_without_waiting(path: str | bytes, flags: int) -> int:
    """Open a file. A pipe of the same name does not stop the scan."""
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)

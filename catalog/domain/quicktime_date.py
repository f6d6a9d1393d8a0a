"""The creation date of a QuickTime or MP4 file: the video of a Live Photo, or the boxes of a HEIC photo."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from catalog.domain.date_text import is_plausible, parse_time
from catalog.domain.local_day import DatePrecision
from catalog.domain.taken_at import DateSource, TakenAt

Read = Callable[[int, int], bytes]
"""Reads bytes from an offset; fewer at the end of the file."""

_MAX_MOVIE = 8 << 20
"""Bytes of the box ``moov`` that are read."""
_MAX_BOXES = 10_000
_EPOCH = datetime(1904, 1, 1, tzinfo=UTC)
_UNIX = 2_082_844_800
"""Seconds from 1904 to 1970. A smaller count was written by a program that counts from 1970."""
_KEY = b"com.apple.quicktime.creationdate"


def quicktime_date(read: Read, start: int = 0) -> TakenAt | None:
    """The date with its offset that a phone writes, else the creation time of the movie header in UTC.

    ``start`` is the offset of the first box. None for a file that is damaged or has no date.
    """
    try:
        movie = _movie(read, start)
        return None if movie is None else _written_date(movie) or _header_date(movie)
    except (struct.error, IndexError, ValueError):
        return None


def _movie(read: Read, start: int) -> bytes | None:
    """The payload of the box ``moov``."""
    position = start
    for _ in range(_MAX_BOXES):
        head = read(position, 16)
        if len(head) < 8:
            return None
        size, kind = struct.unpack(">I4s", head[:8])
        payload = 8
        if size == 1 and len(head) == 16:
            size, payload = struct.unpack(">Q", head[8:])[0], 16
        if kind == b"moov":
            return read(position + payload, min(size - payload, _MAX_MOVIE) if size else _MAX_MOVIE)
        if size < payload:
            return None
        position += size
    return None


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and payload of each box."""
    position = 0
    while position + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, position)
        if size < 8:
            return
        yield kind, data[position + 8 : position + size]
        position += size


def _written_date(movie: bytes) -> TakenAt | None:
    """The text under Apple's key ``creationdate``, as ``2019-07-04T14:30:25+0200``."""
    for kind, meta in _boxes(movie):
        if kind != b"meta":
            continue
        # QuickTime has the boxes at once, MP4 has four bytes of version and flags before them.
        boxes = dict(_boxes(meta)) if meta[4:8] in (b"hdlr", b"keys") else dict(_boxes(meta[4:]))
        keys = _keys(boxes.get(b"keys", b""))
        for number, item in _boxes(boxes.get(b"ilst", b"")):
            index = int.from_bytes(number) - 1
            if 0 <= index < len(keys) and keys[index] == _KEY:
                moment = parse_time(dict(_boxes(item)).get(b"data", b"")[8:].decode("utf-8", "replace"))
                return None if moment is None else TakenAt(*moment, DateSource.QUICKTIME)
    return None


def _keys(payload: bytes) -> list[bytes]:
    return [name for _, name in _boxes(payload[8:])]


def _header_date(movie: bytes) -> TakenAt | None:
    header = dict(_boxes(movie)).get(b"mvhd", b"")
    if not header:
        return None
    (seconds,) = struct.unpack_from(">Q" if header[0] == 1 else ">I", header, 4)
    if seconds == 0:
        return None
    try:
        moment = _EPOCH + timedelta(seconds=seconds if seconds >= _UNIX else seconds + _UNIX)
    except OverflowError:
        return None
    if not is_plausible(moment):
        return None
    return TakenAt(moment, 0, DatePrecision.SECOND, DateSource.QUICKTIME, is_instant=True)

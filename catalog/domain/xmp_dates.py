"""Dates in XMP packets, inside photos and in sidecars. The XML of a file is hostile: it is searched, not parsed."""

from __future__ import annotations

import re

from catalog.domain.date_text import parse_time
from catalog.domain.taken_at import DateSource, TakenAt

MAX_PACKET = 1 << 20
"""Bytes of a packet that are searched."""

_TIMES = re.compile(
    rb"(exif:DateTimeOriginal|photoshop:DateCreated|xmp:CreateDate)(?:\s*=\s*[\"']|\s*>\s*)([^<\"']{4,40})"
)


def xmp_dates(packet: bytes) -> list[TakenAt]:
    """The dates of a packet inside a photo: when it was taken, then when it was digitized."""
    times = _times(packet)
    dates = [
        _date(times, b"exif:DateTimeOriginal", DateSource.XMP),
        _date(times, b"photoshop:DateCreated", DateSource.XMP),
        _date(times, b"xmp:CreateDate", DateSource.XMP_DIGITIZED),
    ]
    return [date for date in dates if date is not None]


def sidecar_dates(packet: bytes) -> list[TakenAt]:
    """The dates of a sidecar. The time of digitization is used only if the sidecar has no other date."""
    dates = xmp_dates(packet)
    dates_taken = [date for date in dates if date.source is DateSource.XMP]
    return [TakenAt(date.moment, date.offset, date.precision, DateSource.SIDECAR) for date in (dates_taken or dates)]


def _times(packet: bytes) -> dict[bytes, str]:
    """The first text of each name."""
    matches = reversed(_TIMES.findall(packet[:MAX_PACKET]))
    return {name: value.decode("utf-8", "replace") for name, value in matches}


def _date(times: dict[bytes, str], name: bytes, source: DateSource) -> TakenAt | None:
    moment = parse_time(times.get(name, ""))
    return None if moment is None else TakenAt(*moment, source)

"""The dates that the metadata inside a file state. ``catalog.domain.choose_date`` chooses among them.

They are: EXIF ``DateTimeOriginal``; XMP ``exif:DateTimeOriginal`` and ``photoshop:DateCreated``; IPTC date created;
EXIF ``DateTimeDigitized``, XMP ``xmp:CreateDate`` and IPTC date of digitization; PNG ``Creation Time``; QuickTime; GPS;
EXIF ``DateTime``, which is that of the last change. A value that cannot be understood counts as absent.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from PIL import ExifTags, Image, ImageFile, IptcImagePlugin

from catalog.domain.date_text import Moment, parse_time
from catalog.domain.local_day import DatePrecision
from catalog.domain.quicktime_date import quicktime_date
from catalog.domain.taken_at import DateSource, TakenAt
from catalog.domain.xmp_dates import xmp_dates

_Base, _Gps = ExifTags.Base, ExifTags.GPS

_Key = tuple[int, int]
_TAKEN: tuple[_Key, _Key] = (2, 55), (2, 60)
_DIGITIZED: tuple[_Key, _Key] = (2, 62), (2, 63)
"""Record and number of date and time in IPTC-IIM."""

_SCANNERS = re.compile(
    r"epson|perfection|canoscan|scanjet|plustek|opticfilm|reflecta|coolscan|super ?coolscan|scansnap|fastfoto|microtek"
    r"|pacific image|noritsu|hasselblad flextight|photoscan|photomyne|vuescan|silverfast|\bscanner\b",
    re.IGNORECASE,
)
_VIDEO = re.compile(rb"ftyp(?:mp4[12]|isom|qt  |iso[2-6]|heic|mif1|msf1|hevc|heix|avif|avis)")
_STAMP = re.compile(r"(\d{4}):(\d{2}):(\d{2})")


def file_dates(
    tags: Mapping[int, Any],
    xmp: bytes | None,
    image: Image.Image | None,
    *,
    gps: Mapping[int, Any] | None = None,
    data: bytes = b"",
) -> tuple[TakenAt, ...]:
    """Every date of a file that can be understood, the most trusted first.

    ``tags`` are those of EXIF, main and detail directory; ``gps`` those of its GPS directory. ``data`` are the bytes of
    the file, which are searched for a video.
    """
    original = (_Base.DateTimeOriginal, _Base.SubsecTimeOriginal, _Base.OffsetTimeOriginal)
    digitized = (_Base.DateTimeDigitized, _Base.SubsecTimeDigitized, _Base.OffsetTimeDigitized)
    changed = (_Base.DateTime, _Base.SubsecTime, _Base.OffsetTime)
    dates = [
        _of(_exif_time(tags, *original), DateSource.EXIF),
        *xmp_dates(xmp or b""),
        _of(_iptc_time(image, _TAKEN), DateSource.IPTC),
        _of(_exif_time(tags, *digitized), DateSource.EXIF_DIGITIZED),
        _of(_iptc_time(image, _DIGITIZED), DateSource.EXIF_DIGITIZED),
        _of(_png_time(image), DateSource.PNG),
        _video_date(data),
        _gps_date(gps or {}),
        _of(_exif_time(tags, *changed), DateSource.EXIF_CHANGED),
    ]
    order = list(DateSource)
    return tuple(sorted((date for date in dates if date), key=lambda date: order.index(date.source)))


def is_scan(tags: Mapping[int, Any]) -> bool:
    """True if a scanner or a scanning program wrote the file. Its times are those of the scan.

    A camera states an exposure time; some makers of scanners make cameras, too.
    """
    if _Base.ExposureTime in tags:
        return False
    file_source = tags.get(_Base.FileSource)
    if file_source in (1, 2, b"\x01", b"\x02"):  # film scanner, print scanner
        return True
    text = " ".join(raw_text(tags.get(tag)) for tag in (_Base.Make, _Base.Model, _Base.Software))
    return _SCANNERS.search(text) is not None


def _of(moment: Moment | None, source: DateSource) -> TakenAt | None:
    return None if moment is None else TakenAt(*moment, source)


def _exif_time(tags: Mapping[int, Any], time: int, fraction: int, offset: int) -> Moment | None:
    digits = re.match(r"\d*", raw_text(tags.get(fraction)))
    text = raw_text(tags.get(time))
    return parse_time(text, digits[0] if digits else "", raw_text(tags.get(offset)), is_exif=True)


def _iptc_time(image: Image.Image | None, keys: tuple[_Key, _Key]) -> Moment | None:
    """``YYYYMMDD`` and, if present, ``HHMMSS+HHMM`` of IPTC-IIM; 00 for month or day means unknown."""
    if not isinstance(image, ImageFile.ImageFile):
        return None
    values: Mapping[Any, Any] = {}
    with contextlib.suppress(Exception):  # a damaged block raises anything
        values = IptcImagePlugin.getiptcinfo(image) or {}
    date, time = raw_text(values.get(keys[0])), raw_text(values.get(keys[1]))
    if not re.fullmatch(r"\d{8}", date):
        return None
    day = f"{date[:4]}-{date[4:6]}-{date[6:]}"
    if match := re.fullmatch(r"(\d\d)(\d\d)(\d\d)([+-]\d{4})?", time):
        return parse_time(f"{day} {match[1]}:{match[2]}:{match[3]}{match[4] or ''}")
    return parse_time(day)


def _png_time(image: Image.Image | None) -> Moment | None:
    """The text ``Creation Time`` of a PNG: as in a mail (RFC 1123), or as in ISO 8601."""
    text = "" if image is None else raw_text(image.info.get("Creation Time"))
    if not text:
        return None
    moment = parse_time(text)
    if moment is None:
        with contextlib.suppress(ValueError, TypeError, IndexError):
            moment = parse_time(parsedate_to_datetime(text).isoformat())
    return moment


def raw_text(value: Any) -> str:
    """A text value up to its first NUL, stripped; empty if it is not text."""
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    if not isinstance(value, str):
        return ""
    return value.split("\0", 1)[0].strip()


def _video_date(data: bytes) -> TakenAt | None:
    """The date of the video behind a motion photo, or in the boxes of a HEIC photo."""
    match = _VIDEO.search(data)
    if match is None or match.start() < 4:
        return None

    def read(offset: int, size: int) -> bytes:
        return data[offset : offset + size]

    return quicktime_date(read, match.start() - 4)


def _gps_date(tags: Mapping[int, Any]) -> TakenAt | None:
    """The time of the last GPS fix, in UTC."""
    match = _STAMP.fullmatch(raw_text(tags.get(_Gps.GPSDateStamp)).replace("-", ":"))
    if match is None:
        return None
    day = "-".join(match.groups())
    try:
        hour, minute, second = (int(float(part)) for part in tags.get(_Gps.GPSTimeStamp) or (0, 0, 0))
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    moment = parse_time(f"{day} {hour:02}:{minute:02}:{second:02}")
    if moment is None or moment[2] is not DatePrecision.SECOND:
        return None
    return TakenAt(moment[0], 0, DatePrecision.SECOND, DateSource.GPS, is_instant=True)

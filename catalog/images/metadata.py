"""Metadata of a photo: when, where and with which camera it was taken.

Cameras, phones, scanners and editors write values of every kind. A value that cannot be understood counts as absent;
nothing in this module raises because of the content of a photo.
"""

from __future__ import annotations

import contextlib
import math
import unicodedata
from collections.abc import Mapping
from typing import Any

from PIL import ExifTags, Image

from catalog.domain.choose_date import choose_date
from catalog.domain.photos import GpsPosition, PhotoMetadata
from catalog.images import dates
from catalog.images.dates import raw_text

MAX_TEXT = 100
"""Characters after which the name of a camera is cut."""

Tags = Mapping[int, Any]

_Base, _Gps = ExifTags.Base, ExifTags.GPS


def load_exif(raw: bytes | None) -> Image.Exif:
    """Parsed EXIF, empty where it is missing or damaged beyond reading."""
    exif = Image.Exif()
    if raw:
        # Pillow raises whatever a broken directory happens to lead to: SyntaxError, struct.error, OverflowError ...
        with contextlib.suppress(Exception):
            exif.load(raw)
    return exif


def read_metadata(
    exif: Image.Exif, xmp: bytes | str | None = None, image: Image.Image | None = None, data: bytes = b""
) -> PhotoMetadata:
    """Dates, camera and position. ``image`` is asked for its IPTC and PNG texts, ``data`` for a video."""
    base: Tags = _tags(exif)
    detail = {**base, **_tags(exif, ExifTags.IFD.Exif)}
    packet = xmp.encode("utf-8", "replace") if isinstance(xmp, str) else xmp
    gps = _tags(exif, ExifTags.IFD.GPSInfo)
    dates_of_file = dates.file_dates(detail, packet, image, gps=gps, data=data)
    is_scan = dates.is_scan(detail)
    date = choose_date(dates_of_file, is_scan=is_scan)
    return PhotoMetadata(
        taken_at=date.moment if date else None,
        taken_at_offset=date.offset if date else None,
        taken_at_source=date.source if date else None,
        taken_at_precision=date.precision if date else None,
        camera_make=_text(base.get(_Base.Make)),
        camera_model=_text(base.get(_Base.Model)),
        gps=_position(gps),
        dates=dates_of_file,
        is_scan=is_scan,
    )


def orientation_of(exif: Image.Exif) -> int:
    """The EXIF orientation, 1 to 8; 1 where it is missing or nonsense."""
    value = _tags(exif).get(_Base.Orientation)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _tags(exif: Image.Exif, directory: ExifTags.IFD | None = None) -> dict[int, Any]:
    """One directory of EXIF, value by value, so that a broken one costs only itself."""
    tags: dict[int, Any] = {}
    with contextlib.suppress(Exception):  # see load_exif: a broken directory raises anything
        raw = exif if directory is None else exif.get_ifd(directory)
        for tag in list(raw):
            with contextlib.suppress(Exception):  # a broken value too
                tags[tag] = raw[tag]
    return tags


# ------------------------------------------------------------------------------------------------------ where


def _position(tags: Tags) -> GpsPosition | None:
    latitude = _angle(tags.get(_Gps.GPSLatitude), tags.get(_Gps.GPSLatitudeRef), "N", "S", 90)
    longitude = _angle(tags.get(_Gps.GPSLongitude), tags.get(_Gps.GPSLongitudeRef), "E", "W", 180)
    if latitude is None or longitude is None or (latitude == 0 and longitude == 0):
        return None  # 0, 0 is what receivers write before they know
    return GpsPosition(latitude, longitude, _altitude(tags))


def _angle(value: Any, reference: Any, positive: str, negative: str, limit: int) -> float | None:
    """Degrees of (degrees, minutes, seconds); without its reference a number could mean either half of the Earth."""
    letter = raw_text(reference)[:1].upper()
    if letter not in (positive, negative):
        return None
    parts = [_finite(part) for part in (value if isinstance(value, tuple) else (value,))]
    if not 1 <= len(parts) <= 3 or any(part is None or part < 0 for part in parts):
        return None
    degrees = math.fsum((part or 0.0) / 60.0**power for power, part in enumerate(parts))
    if degrees > limit:
        return None
    return -degrees if letter == negative else degrees


def _altitude(tags: Tags) -> float | None:
    meters = _finite(tags.get(_Gps.GPSAltitude))
    if meters is None or not 0 <= meters <= 100_000:
        return None
    return -meters if tags.get(_Gps.GPSAltitudeRef) in (1, b"\x01") else meters


def _finite(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    return number if math.isfinite(number) else None


# ------------------------------------------------------------------------------------------------------ with what


def _text(value: Any) -> str | None:
    """One line without control and formatting characters, or None."""
    text = raw_text(value)
    with contextlib.suppress(UnicodeError):
        text = text.encode("latin-1").decode("utf-8")  # EXIF text is ASCII by the standard and UTF-8 by custom
    printable = "".join(" " if char.isspace() else char for char in text if char.isspace() or _is_graphic(char))
    return " ".join(printable.split())[:MAX_TEXT].strip() or None


def _is_graphic(char: str) -> bool:
    return not unicodedata.category(char).startswith("C")

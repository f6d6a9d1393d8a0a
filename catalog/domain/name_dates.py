"""Dates in the names of files and folders, as cameras, phones and messengers write them.

Digits directly beside a match make it void, because longer numbers are ids. So do days that do not exist. Dates that
name no day, such as ``1953`` or ``1976-08``, are not used.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta

from catalog.domain.local_day import DatePrecision
from catalog.domain.taken_at import DateSource, TakenAt
from catalog.domain.uri import entry_name

_FIRST_YEAR = 1826
_DAY = r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)"
_SPACED_DAY = r"(?P<year>\d{4})(?P<separator>[-_.])(?P<month>\d\d)(?P=separator)(?P<day>\d\d)"
_CLOCK = r"(?P<hour>\d\d)[-.:_]?(?P<minute>\d\d)[-.:_]?(?P<second>\d\d)"

_TIMES = (
    # IMG_20190704_143025, Screenshot_20190919-053857, PXL_20231026_210642603, 20190704_143025000_iOS
    re.compile(rf"(?<!\d){_DAY}[-_]{_CLOCK}(?:\d{{3}})?(?!\d)"),
    # 2019-07-04 14.30.25, signal-2020-10-26-163832, photo_2020-10-26_16-38-32, Bildschirmfoto 2019-07-04 um 14.30.25
    re.compile(rf"(?<!\d){_SPACED_DAY}(?: (?:at|um) |[-_ T]){_CLOCK}(?!\d)"),
    # WP_20140503_14_15_30_Pro
    re.compile(rf"(?<!\d){_DAY}_(?P<hour>\d\d)_(?P<minute>\d\d)_(?P<second>\d\d)(?!\d)"),
    # 00004XTR_00004_BURST20190216172030, 20180126114752100
    re.compile(rf"(?:BURST|^){_DAY}(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)(?:\d{{3,4}})?(?!\d)"),
)
_DAYS = (
    re.compile(rf"(?<!\d){_DAY}(?!\d)"),  # IMG-20190704-WA0003, IMG_20190704
    re.compile(rf"(?<![\d.]){_SPACED_DAY}(?![\d.])"),  # WhatsApp Image 2019-07-04, 1987-06-21 Taufe
)
_UNIX = re.compile(r"(?P<prefix>FB_IMG_|BURST|IMG_|image_)(?P<milliseconds>\d{13})(?!\d)")
_UTC = re.compile(r"^PXL_\d{8}_\d{9}|\d{8}_\d{9}_iOS$")
_ID = re.compile(r"^\d{6,}_\d{6,}_.*n$|^(?=.*[a-fA-F])[0-9a-fA-F]{16,}$|^[0-9a-f]{8}-[0-9a-f]{4}-")

_FOLDER_DAY = re.compile(rf"^(?:{_SPACED_DAY}|(?P<y>\d{{4}})(?P<m>\d\d)(?P<d>\d\d))(?![\d.])(?P<rest>.*)$", re.DOTALL)
_FOLDER_OF_COPIES = re.compile(r"import|backup|scan|upload|export|sicherung", re.IGNORECASE)
_NESTED_DAY = re.compile(r"/(?P<year>\d{4})/(?P<month>\d\d)/(?P<day>\d\d)$")


def date_of_uri(uri: str) -> TakenAt | None:
    """The date in the name of a file or, if there is none, of the folder that holds it."""
    name = unicodedata.normalize("NFKC", entry_name(uri).decode("utf-8", "replace"))
    name_date = date_of_name(name.rpartition(".")[0] or name)
    return name_date or date_of_folder(entry_name(uri.rpartition("/")[0]).decode("utf-8", "replace"), uri)


def date_of_name(stem: str) -> TakenAt | None:
    """The date in a file's name without its ending."""
    if _ID.match(stem):
        return None
    if match := _UNIX.search(stem):
        return _of_unix(match)
    for pattern in _TIMES:
        if match := pattern.search(stem):
            moment = _moment(match)
            if moment is not None:
                offset = 0 if _UTC.search(stem) else None
                return TakenAt(moment, offset, DatePrecision.SECOND, DateSource.FILE_NAME)
    for pattern in _DAYS:
        if match := pattern.search(stem):
            moment = _moment(match)
            if moment is not None:
                return TakenAt(moment, None, DatePrecision.DAY, DateSource.FILE_NAME)
    return None


def date_of_folder(name: str, uri: str) -> TakenAt | None:
    """The day at the start of a folder's name, or three nested folders ``2004/07/12``."""
    match = _NESTED_DAY.search(uri.rpartition("/")[0])
    if match is None:
        match = _FOLDER_DAY.match(name)
        if match is None or _FOLDER_OF_COPIES.search(match["rest"]):
            return None
    moment = _moment(match)
    return None if moment is None else TakenAt(moment, None, DatePrecision.DAY, DateSource.FOLDER_NAME)


def _of_unix(match: re.Match[str]) -> TakenAt | None:
    """Milliseconds since 1970. Those of Facebook are of the download, so that only the day is used."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(match["milliseconds"]))
    if not 2000 <= moment.year <= _last_year():
        return None
    if match["prefix"] == "FB_IMG_":
        day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        return TakenAt(day, None, DatePrecision.DAY, DateSource.FILE_NAME)
    return TakenAt(moment.replace(microsecond=0), 0, DatePrecision.SECOND, DateSource.FILE_NAME)


def _moment(match: re.Match[str]) -> datetime | None:
    parts = match.groupdict()
    year, month, day = (parts.get(name) or parts.get(name[0]) for name in ("year", "month", "day"))
    hour, minute, second = (int(parts.get(name) or 0) for name in ("hour", "minute", "second"))
    try:
        moment = datetime(int(year or 0), int(month or 0), int(day or 0), hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return moment if _FIRST_YEAR <= moment.year <= _last_year() else None


def _last_year() -> int:
    return datetime.now(UTC).year

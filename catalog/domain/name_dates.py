"""Dates in the names of files and folders, as cameras, phones and messengers write them.

Digits directly beside a match make it void, because longer numbers are ids. So do days that do not exist. A year counts
only as a word of its own, because a number after a prefix is a counter.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from catalog.domain.date_text import is_plausible
from catalog.domain.local_day import DatePrecision
from catalog.domain.taken_at import DateSource, TakenAt
from catalog.domain.uri import entry_name

_FIRST_PHONE = 2000
"""No earlier year in milliseconds stands in a name that a phone wrote."""
_DAY = r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)"
_SPACED_DAY = r"(?P<year>\d{4})(?P<separator>[-_.])(?P<month>\d\d)(?P=separator)(?P<day>\d\d)"
_CLOCK = r"(?P<hour>\d\d)[-.:_]?(?P<minute>\d\d)[-.:_]?(?P<second>\d\d)"

_TIMES = (
    # IMG_20190704_143025, Screenshot_20190919-053857, PXL_20231026_210642603, 20190704_143025000_iOS
    re.compile(rf"(?<!\d){_DAY}[-_]{_CLOCK}(?:\d{{3}})?(?!\d)"),
    # 2019-07-04 14.30.25, signal-2020-10-26-163832, photo_2020-10-26_16-38-32, Bildschirmfoto 2019-07-04 um 14.30.25
    re.compile(rf"(?<!\d){_SPACED_DAY}(?: (?:at|um) |[-_ T]){_CLOCK}(?!\d)"),
    # Screen Shot 2019-07-04 at 2.30.25 PM
    re.compile(
        rf"(?<!\d){_SPACED_DAY}(?: (?:at|um|à|a las|alle|om|kl\.?) |[-_ T])"
        r"(?P<hour>\d{1,2})[.:](?P<minute>\d\d)[.:](?P<second>\d\d) ?(?P<half>[AaPp])\.?[Mm]\b"
    ),
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

_DAY_FIRST = re.compile(
    r"(?<![\d.-])(?P<one>\d{1,2})(?P<separator>[-.])(?P<other>\d{1,2})(?P=separator)(?P<year>\d{4})(?!\d)"
)
_MONTH = re.compile(r"(?:^|[\s(])(?P<year>\d{4})[-_.](?P<month>\d\d)(?=$|[\s_,)])")
_YEAR = re.compile(r"(?:^|(?<=[\s(,]))\d{4}(?=$|[\s),])")
_WORD = re.compile(r"[^\W\d_]+")
# fmt: off
_COUNTED = frozenset({
    "img", "image", "dsc", "dscn", "dscf", "pict", "pic", "picture", "photo", "foto", "bild", "scan", "p",
    "mvi", "vid", "no", "nr", "page", "seite", "file", "slide", "dia",
})
# fmt: on
"""Words before a counter."""
# fmt: off
_MANY = frozenset({
    "photos", "fotos", "bilder", "pictures", "pics", "images", "files", "photo", "foto", "bild",
})
# fmt: on
"""Words after a number of photos."""
# fmt: off
_COPIES = frozenset({
    "import", "imports", "imported", "importiert", "backup", "backups", "sicherung", "scan", "scans", "scanned",
    "gescannt", "upload", "uploads", "export", "exports", "iphone", "ipad", "samsung", "galaxy", "pixel", "canon",
    "nikon", "sony", "handy", "phone", "camera", "kamera", "dcim",
})
# fmt: on
"""Words of folders that are dated by their copying, or named after a device."""

_FOLDER_DAY = re.compile(rf"^(?:{_SPACED_DAY}|(?P<y>\d{{4}})(?P<m>\d\d)(?P<d>\d\d))(?![\d.])")
_FOLDER_MONTH = re.compile(r"^(?P<year>\d{4})[-_.](?P<month>\d\d)(?![\d.-])")
_TWO_DIGITS = re.compile(r"^\d\d(?!\d)")
_FOUR_DIGITS = re.compile(r"^\d{4}$")


def dates_of_uri(uri: str, source_uri: str) -> list[TakenAt]:
    """The date in the name of a file and the one in the names of its folders, as far as the source reaches."""
    stem = _shown(uri)
    folders: list[str] = []
    folder = uri.rpartition("/")[0]
    while folder + "/" == source_uri or folder.startswith(source_uri) or not folders:
        if folder.endswith((":/", ":")) or not folder:
            break
        folders.append(_shown(folder))
        folder = folder.rpartition("/")[0]
    dates = (date_of_name(stem.rpartition(".")[0] or stem), date_of_folders(folders))
    return [date for date in dates if date is not None]


def _shown(uri: str) -> str:
    return unicodedata.normalize("NFKC", entry_name(uri).decode("utf-8", "replace"))


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
                is_utc = _UTC.search(stem) is not None
                offset = 0 if is_utc else None
                return TakenAt(moment, offset, DatePrecision.SECOND, DateSource.FILE_NAME, is_instant=is_utc)
    for pattern in _DAYS:
        if match := pattern.search(stem):
            moment = _moment(match)
            if moment is not None:
                return TakenAt(moment, None, DatePrecision.DAY, DateSource.FILE_NAME)
    if match := _DAY_FIRST.search(stem):
        return _of_day_first(match)
    if match := _MONTH.search(stem):
        moment = _moment(match)
        if moment is not None:
            return TakenAt(moment, None, DatePrecision.MONTH, DateSource.FILE_NAME)
    return None if stem.isdigit() else _of_year_word(stem, DateSource.FILE_NAME)


def date_of_folders(names: Sequence[str]) -> TakenAt | None:
    """The date of the nearest folder that has one. ``names`` begin with the folder of the photo.

    Folders may be nested by year, month and day: ``2004/07 Juli``, ``2004/07/12``.
    """
    for depth, name in enumerate(names):
        above = names[depth + 1 : depth + 3]
        date = _of_nested(name, above) or _of_folder(name)
        if date is not None:
            return date
    return None


def _of_nested(name: str, above: Sequence[str]) -> TakenAt | None:
    day = _TWO_DIGITS.match(name)
    if day is None or not above:
        return None
    if _FOUR_DIGITS.match(above[0]):
        return _folder_date(int(above[0]), int(day[0]), None)
    month = _TWO_DIGITS.match(above[0])
    if month is None or len(above) < 2 or not _FOUR_DIGITS.match(above[1]):
        return None
    return _folder_date(int(above[1]), int(month[0]), int(day[0]))


def _of_folder(name: str) -> TakenAt | None:
    if _COPIES & set(_WORD.findall(name.lower())):
        return None
    if match := _FOLDER_DAY.match(name):
        parts = match.groupdict()
        year, month, day = (int(parts[key] or parts[key[0]]) for key in ("year", "month", "day"))
        return _folder_date(year, month, day)
    if match := _FOLDER_MONTH.match(name):
        return _folder_date(int(match["year"]), int(match["month"]), None)
    return _of_year_word(name, DateSource.FOLDER_NAME)


def _folder_date(year: int, month: int, day: int | None) -> TakenAt | None:
    moment = _checked(year, month, day or 1)
    precision = DatePrecision.MONTH if day is None else DatePrecision.DAY
    return None if moment is None else TakenAt(moment, None, precision, DateSource.FOLDER_NAME)


def _of_day_first(match: re.Match[str]) -> TakenAt | None:
    """``21.6.1987``. Which number is the month is known only if the other one is above 12; else the year alone is."""
    year, one, other = (int(match[name]) for name in ("year", "one", "other"))
    if one == other or one > 12 or other > 12:
        moment = _checked(year, min(one, other) if max(one, other) > 12 else one, max(one, other))
        precision = DatePrecision.DAY
    else:
        moment, precision = _checked(year, 1, 1), DatePrecision.YEAR
    return None if moment is None else TakenAt(moment, None, precision, DateSource.FILE_NAME)


def _of_year_word(text: str, source: DateSource) -> TakenAt | None:
    """The only year in a text, as a word of its own: ``Oma 1953``, ``Photos from 2004``. Not a counter or a count."""
    years = list(_YEAR.finditer(text))
    if len(years) != 1:
        return None
    before = _WORD.findall(text[: years[0].start()].lower())
    after = text[years[0].end() :].lower()
    follows = _WORD.match(after.lstrip())
    if (before and before[-1] in _COUNTED) or (follows and follows[0] in _MANY):
        return None
    moment = _checked(int(years[0][0]), 1, 1)
    return None if moment is None else TakenAt(moment, None, DatePrecision.YEAR, source)


def _of_unix(match: re.Match[str]) -> TakenAt | None:
    """Milliseconds since 1970. Those of Facebook are of the download, so that only the day is used."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(match["milliseconds"]))
    if moment.year < _FIRST_PHONE or not is_plausible(moment):
        return None
    if match["prefix"] == "FB_IMG_":
        day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        return TakenAt(day, None, DatePrecision.DAY, DateSource.FILE_NAME)
    return TakenAt(moment.replace(microsecond=0), 0, DatePrecision.SECOND, DateSource.FILE_NAME, is_instant=True)


def _moment(match: re.Match[str]) -> datetime | None:
    parts = match.groupdict()
    hour, minute, second = (int(parts.get(name) or 0) for name in ("hour", "minute", "second"))
    half = (parts.get("half") or "").lower()
    if half and 1 <= hour <= 12:
        hour = hour % 12 + (12 if half == "p" else 0)
    return _checked(int(parts["year"] or 0), int(parts["month"] or 0), int(parts.get("day") or 1), hour, minute, second)


def _checked(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> datetime | None:
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return moment if is_plausible(moment) else None

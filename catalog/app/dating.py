"""Dates of photos: what the catalogue has, and decisions on them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from catalog.app.after_scan import assign_released_faces
from catalog.app.find_photos import find_photos
from catalog.app.resources import Resources
from catalog.domain.date_decisions import parse_shift, shifted, spread, user_date
from catalog.domain.errors import UsageError
from catalog.domain.local_day import DatePrecision
from catalog.domain.photo_date import PhotoDate
from catalog.domain.taken_at import DateSource, parse_date_text
from catalog.domain.uri import display_name
from catalog.identities.decisions.date_verbs import set_dates
from catalog.store.photo_dates import read_photo_dates
from catalog.store.photos_at import first_paths


@dataclass(frozen=True, slots=True)
class DatedPhoto:
    """A photo and its date.

    ``date`` is local and cut to its precision, with the offset from UTC if it is known: ``1948``, ``1948-06``,
    ``2004-06-12T10:30:00+02:00``. ``date``, ``precision`` and ``source`` are None for a photo without a date;
    ``source`` is ``USER`` if a user decided that the date is unknown.
    """

    sha256: str
    path: str
    date: str | None
    precision: DatePrecision | None
    source: DateSource | None


@dataclass(frozen=True, slots=True)
class DateDecision:
    """A decision on dates. ``photos`` got a date; ``left`` photos kept theirs, because it cannot be shifted."""

    number: int
    photos: int
    left: int = 0


def photo_dates(resources: Resources, target: str | Path) -> tuple[DatedPhoto, ...]:
    with resources.reading() as database, database.read() as connection:
        contents = find_photos(connection, target)
        dates = {date.sha256: date for date in read_photo_dates(connection, contents)}
        paths = first_paths(connection, contents)
    return tuple(_dated(dates[sha256], paths.get(sha256, "")) for sha256 in contents)


def set_date(resources: Resources, target: str | Path, text: str) -> DateDecision:
    date = user_date(text)
    with resources.database.begin() as connection:
        contents = find_photos(connection, target)
        dates = [PhotoDate(sha256, date, DateSource.USER) for sha256 in contents]
        number = set_dates(connection, dates, _label(target, date or "unknown"), resources.stamp())
    assign_released_faces(resources, number)
    return DateDecision(number, len(contents))


def shift_dates(resources: Resources, target: str | Path, text: str) -> DateDecision:
    shift = parse_shift(text)
    with resources.database.begin() as connection:
        result = shifted(read_photo_dates(connection, find_photos(connection, target)), shift)
        if not result.dates:
            raise UsageError(
                f'No date of "{display_name(str(target))}" can be shifted: no photo has a time of day.',
                remedy="Give the photos a date with `catalog dates set`.",
            )
        number = set_dates(connection, result.dates, _label(target, text.strip()), resources.stamp())
    assign_released_faces(resources, number)
    return DateDecision(number, len(result.dates), result.left)


def stack_dates(resources: Resources, target: str | Path, first: str, last: str) -> DateDecision:
    with resources.database.begin() as connection:
        dates = spread(find_photos(connection, target), first, last)
        number = set_dates(connection, dates, _label(target, f"{first} to {last}"), resources.stamp())
    assign_released_faces(resources, number)
    return DateDecision(number, len(dates))


def _dated(date: PhotoDate, path: str) -> DatedPhoto:
    precision = None if date.date is None else parse_date_text(date.date)[2]
    return DatedPhoto(date.sha256, path, date.date, precision, date.source)


def _label(target: str | Path, text: str) -> str:
    """The text of the decision in the history: the date or the shift, and the name of the photo or folder."""
    name = str(target).rstrip("/").rpartition("/")[2]
    return f"{text} for {display_name(name)}"[:200]

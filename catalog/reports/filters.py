"""Filters of a report: time, person, album."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection

from catalog.domain.errors import UsageError
from catalog.domain.timestamps import utc_text
from catalog.domain.uri import FILE_SCHEME, S3_SCHEME, absolute_path, file_uri
from catalog.store.people import find_person

_BEGINNING = "0001-01-01T00:00:00.000000Z"
_END = "9999-12-31T23:59:59.999999Z"
_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?")


@dataclass(frozen=True, slots=True)
class ReportFilters:
    """Filters as the user enters them; None means no filter.

    ``since`` and ``until`` are a year, a month, a day or a time in ISO 8601, in UTC unless they have an offset. Both
    are inclusive: until 2020 means until the end of 2020. ``person`` is an id or an exact name. ``album`` is a folder
    or an ``s3://`` prefix, with everything below it.
    """

    since: str | None = None
    until: str | None = None
    person: str | None = None
    album: str | None = None

    @property
    def names(self) -> list[str]:
        return [name for name in ("since", "until", "person", "album") if getattr(self, name)]


def parameters(filters: ReportFilters, connection: Connection) -> dict[str, str]:
    """Return the SQL parameters of the filters. None is null, so that comparisons need no special case.

    Undated photos pass only without ``since`` and ``until``. Raises ``UsageError`` and ``PersonError``.
    """
    dated = filters.since or filters.until
    album = album_uri(filters.album) if filters.album else ""
    return {
        "since": _bounds("--since", filters.since)[0] if filters.since else _BEGINNING if dated else "",
        "until": _bounds("--until", filters.until)[1] if filters.until else _END,
        "person": find_person(connection, filters.person).person_id if filters.person else "",
        "album": album,
        "album_end": album[:-1] + "0" if album else "",  # "0" is the character after "/"
    }


def album_uri(album: str) -> str:
    """Return the uri of a folder or prefix with a closing slash."""
    if not album.startswith((FILE_SCHEME, S3_SCHEME)):
        album = file_uri(absolute_path(Path(album).expanduser()))
    return album.rstrip("/") + "/"


def _bounds(option: str, text: str) -> tuple[str, str]:
    """Return the start of a year, month, day or time, and the start of the next one, as stored times."""
    try:
        if match := _DATE.fullmatch(text):
            year, month, day = (int(part) if part else 0 for part in match.groups())
            first = datetime(year, month or 1, day or 1, tzinfo=UTC)
            if day:
                after = first + timedelta(days=1)
            elif month:
                after = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
            else:
                after = datetime(year + 1, 1, 1, tzinfo=UTC)
        else:
            first = datetime.fromisoformat(text)
            first = first if first.tzinfo else first.replace(tzinfo=UTC)
            after = first + timedelta(microseconds=1)
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f'{option} is "{text}", which is not a date.',
            remedy="Use a year, a month, a day or a time: 2020, 2020-05, 2020-05-17, 2020-05-17T12:00:00Z.",
        ) from error
    return str(utc_text(first)), str(utc_text(after))

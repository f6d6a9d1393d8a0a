"""Filters of a report: time, person, album."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, exists, select

from catalog.domain.errors import UsageError
from catalog.domain.local_day import Period
from catalog.domain.uri import FILE_SCHEME, S3_SCHEME, absolute_path, display, file_uri, quote_name
from catalog.store.people import find_person
from catalog.store.photos import below


@dataclass(frozen=True, slots=True)
class ReportFilters:
    """Filters as the user enters them; None means no filter.

    ``since`` and ``until`` are a year, a month, a day or a time, local where the photo was taken; a time with a zone
    is a moment. Both are inclusive: until 2020 means until the end of 2020. A photo of an inexact date passes if it may
    be of the period. ``person`` is an id or an exact name. ``album`` is a folder
    or an ``s3://`` prefix, with everything below it.
    """

    since: str | None = None
    until: str | None = None
    person: str | None = None
    album: str | None = None

    @property
    def names(self) -> list[str]:
        return [name for name in ("since", "until", "person", "album") if getattr(self, name) is not None]


def parameters(filters: ReportFilters, connection: Connection) -> dict[str, str]:
    """Return the SQL parameters of the filters. None is null, so that comparisons need no special case.

    Undated photos pass only without ``since`` and ``until``. Raises ``UsageError``, also for an empty filter and for an
    album without a photo of the catalogue, and ``PersonError``.
    """
    for name in ("person", "album"):
        if getattr(filters, name) == "":
            raise UsageError(f"The filter --{name} is empty.", remedy="Give it a value, or leave it out.")
    period = Period.parse(filters.since, filters.until, names=("--since", "--until"))
    album = _catalogued_album(filters.album, connection) if filters.album else ""
    return {
        **period.parameters(),
        "person": find_person(connection, filters.person).person_id if filters.person else "",
        "album": album,
        "album_end": album[:-1] + "0" if album else "",  # "0" is the character after "/"
    }


def album_uris(album: str) -> list[str]:
    """The uris, with a closing slash, that a folder or prefix may have. A prefix may be percent-encoded or not."""
    if album.startswith(S3_SCHEME):
        encoded = S3_SCHEME + quote_name(album.removeprefix(S3_SCHEME).encode("utf-8", "surrogateescape"))
        uris = list(dict.fromkeys((album, encoded)))
    elif album.startswith(FILE_SCHEME):
        uris = [album]
    else:
        uris = [file_uri(absolute_path(Path(album).expanduser()))]
    return [uri.rstrip("/") + "/" for uri in uris]


def _catalogued_album(album: str, connection: Connection) -> str:
    """The uri of an album that has a photo of the catalogue. Raises UsageError if there is none."""
    uris = album_uris(album)
    for uri in uris:
        if connection.scalar(select(exists().where(below(uri)))):
            return uri
    raise UsageError(
        f'The catalogue has no photo in "{display(uris[0])}".', remedy="List what is catalogued: catalog sources"
    )

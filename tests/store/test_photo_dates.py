"""Dates of photos in the table, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection, insert

from catalog.domain.local_day import DatePrecision
from catalog.domain.photo_date import PhotoDate
from catalog.domain.taken_at import DateSource, TakenAt
from catalog.store.database import Database
from catalog.store.photo_dates import date_columns, improve_date, read_photo_dates, set_photo_dates
from catalog.store.photos_at import contents_at, contents_by_prefix
from catalog.store.tables import locations, photos

NOW = "2026-01-01T00:00:00.000000Z"


def add(connection: Connection, number: int, *names: str, missing: bool = False) -> str:
    """Add a photo with its locations. Returns its content hash."""
    content = f"{number:064x}"
    row = {
        "sha256": content,
        "size": 1,
        "format": "JPEG",
        "width": 1,
        "height": 1,
        "orientation": 1,
        "recorded_at": NOW,
    }
    photo = connection.execute(insert(photos).returning(photos.c.id), row).scalar_one()
    for name in names:
        place = {
            "photo_id": photo,
            "uri": f"file:///{name}",
            "size": 1,
            "modified_ns": 1,
            "etag": "",
            "first_seen": NOW,
        }
        connection.execute(insert(locations), {**place, "missing_since": NOW if missing else None})
    return content


def test_dates_are_read_as_they_were_set(database: Database) -> None:
    """Unknown contents are left out, and no date is a date that a user may decide."""
    with database.begin() as connection:
        contents = [add(connection, number) for number in range(3)]
        dates = [
            PhotoDate(contents[0], "2004-06-12T10:30:00.250000+02:00", DateSource.EXIF),
            PhotoDate(contents[1], "1948-06", DateSource.USER),
            PhotoDate(contents[2], None, DateSource.USER),
        ]
        set_photo_dates(connection, [*dates, PhotoDate("f" * 64, "1948", DateSource.USER)])
        assert read_photo_dates(connection, [*contents, "f" * 64]) == dates
        set_photo_dates(connection, [PhotoDate(contents[0], None, None)])
        assert read_photo_dates(connection, contents[:1]) == [PhotoDate(contents[0], None, None)]


def test_a_more_trusted_date_replaces_another(database: Database) -> None:
    """A decision of a user, and a date of an unknown source, stay."""
    moment = datetime(1987, 1, 1, tzinfo=UTC)
    folder = TakenAt(moment, None, DatePrecision.YEAR, DateSource.FOLDER_NAME)
    sidecar = TakenAt(moment, None, DatePrecision.SECOND, DateSource.SIDECAR)
    with database.begin() as connection:
        content = add(connection, 1)
        number = connection.execute(photos.select()).one().id
        for date, expected in ((folder, "1987"), (sidecar, "1987-01-01T00:00:00"), (folder, "1987-01-01T00:00:00")):
            improve_date(connection, number, date)
            assert read_photo_dates(connection, [content])[0].date == expected
        for stays in (PhotoDate(content, None, DateSource.USER), PhotoDate(content, "1990", DateSource.ESTIMATE)):
            set_photo_dates(connection, [stays])
            improve_date(connection, number, sidecar)
            assert read_photo_dates(connection, [content]) == [stays]
        old = date_columns(datetime(2001, 1, 1, tzinfo=UTC), None, None, None)
        connection.execute(photos.update().values(**old))
        improve_date(connection, number, sidecar)
        assert read_photo_dates(connection, [content])[0].date == "2001-01-01T00:00:00"


def test_photos_of_a_folder_are_in_the_order_of_their_names(database: Database) -> None:
    """Numbers as numbers; copies once; missing locations only if nothing else is there."""
    with database.begin() as connection:
        first = add(connection, 1, "a/scan%202.jpg", "a/scan%203.jpg")
        second = add(connection, 2, "a/scan%2010.jpg")
        below = add(connection, 3, "a/b/scan%201.jpg")
        add(connection, 4, "a/gone.jpg", missing=True)
        missing_photo = add(connection, 5, "c/gone.jpg", missing=True)
        add(connection, 6, "a.jpg", "ab/x.jpg")
        assert contents_at(connection, "file:///a/") == [first, second, below]
        assert contents_at(connection, "file:///a/scan%2010.jpg") == [second]
        assert contents_at(connection, "file:///c") == [missing_photo]
        assert contents_at(connection, "file:///nowhere") == []
        assert contents_by_prefix(connection, f"{5:064x}"[:60]) != [missing_photo]
        assert contents_by_prefix(connection, f"{5:064x}") == [missing_photo]

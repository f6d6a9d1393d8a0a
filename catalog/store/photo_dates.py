"""Dates of photos as columns of the table ``photos``: the only code that writes them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from catalog.domain.local_day import DatePrecision, LocalSpan
from catalog.domain.photo_date import PhotoDate
from catalog.domain.taken_at import DateSource, TakenAt, date_text, parse_date_text
from catalog.domain.timestamps import utc_text
from catalog.store.damaged_rows import stored_time
from catalog.store.tables import photos
from catalog.store.upsert import batches


def date_columns(
    moment: datetime | None, offset: int | None, precision: DatePrecision | None, source: DateSource | None
) -> dict[str, object]:
    """Return the columns of a date; for ``moment`` None those of a photo without a date.

    Without a precision the date is exact to the second.
    """
    span = None
    if moment is not None:
        span = LocalSpan.of(moment + timedelta(minutes=offset or 0), precision or DatePrecision.SECOND)
    return {
        "taken_at": utc_text(moment),
        "taken_at_offset": None if moment is None else offset,
        "taken_at_source": source,
        "taken_at_precision": None if moment is None else precision,
        "taken_local": None if span is None else span.first,
        "taken_local_end": None if span is None else span.last,
    }


def stored_span(first: str | None, last: str | None, precision: str | None) -> LocalSpan | None:
    """Return the span of a row; None for a photo without a date. An unknown precision counts as a second."""
    if first is None or last is None:
        return None
    if precision is None or precision not in tuple(DatePrecision):
        return LocalSpan(first, last)
    return LocalSpan(first, last, DatePrecision(precision))


def read_photo_dates(connection: Connection, contents: Iterable[str]) -> list[PhotoDate]:
    """Return the dates of photos in the order of their content hashes. Unknown contents are left out."""
    dates: list[PhotoDate] = []
    for batch in batches(sorted(set(contents))):
        query = select(photos).where(photos.c.sha256.in_(batch)).order_by(photos.c.sha256)
        dates += [_photo_date(row) for row in connection.execute(query)]
    return dates


def set_photo_dates(connection: Connection, dates: Sequence[PhotoDate]) -> None:
    """Give photos these dates. Unknown contents are left out."""
    if not dates:
        return
    rows = []
    for date in dates:
        moment, offset, precision = parse_date_text(date.date) if date.date is not None else (None, None, None)
        rows.append({**date_columns(moment, offset, precision, date.source), "content": date.sha256})
    names = [name for name in rows[0] if name != "content"]
    changed = update(photos).where(photos.c.sha256 == bindparam("content"))
    connection.execute(changed.values({name: bindparam(name) for name in names}), rows)


def improve_date(connection: Connection, photo_id: int, date: TakenAt) -> None:
    """Record the date of another location of a photo if it is more trusted than the recorded one.

    A decision of a user is the most trusted. A date whose source an earlier version did not record stays.
    """
    query = select(photos.c.taken_at, photos.c.taken_at_source).where(photos.c.id == photo_id)
    row = connection.execute(query).one_or_none()
    if row is None or (row.taken_at is not None and row.taken_at_source is None):
        return
    order = list(DateSource)
    if row.taken_at_source in order and order.index(row.taken_at_source) <= order.index(date.source):
        return
    columns = date_columns(date.moment, date.offset, date.precision, date.source)
    connection.execute(update(photos).where(photos.c.id == photo_id).values(**columns))


def _photo_date(row: Any) -> PhotoDate:
    source = DateSource(row.taken_at_source) if row.taken_at_source in tuple(DateSource) else None
    moment = stored_time(row.taken_at, f"Photo {row.sha256[:12]}", "taken_at")
    if moment is None:
        return PhotoDate(row.sha256, None, source)
    span = stored_span(row.taken_local, row.taken_local_end, row.taken_at_precision)
    precision = DatePrecision.SECOND if span is None else span.precision
    return PhotoDate(row.sha256, date_text(moment, row.taken_at_offset, precision), source)

"""Dates of photos as columns of the table ``photos``: the only code that writes them."""

from __future__ import annotations

from datetime import datetime, timedelta

from catalog.domain.local_day import DatePrecision, LocalSpan
from catalog.domain.taken_at import DateSource
from catalog.domain.timestamps import utc_text


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

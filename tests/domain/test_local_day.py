"""Dates of photos as spans of local time, and periods of searches."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from catalog.domain.errors import UsageError
from catalog.domain.local_day import DatePrecision, LocalSpan, Period
from catalog.domain.taken_at import DateSource, TakenAt, date_text


@pytest.mark.parametrize(
    ("precision", "first", "last", "text"),
    [
        (DatePrecision.YEAR, "2004-01-01T00:00:00", "2004-12-31T23:59:59", "2004"),
        (DatePrecision.MONTH, "2004-02-01T00:00:00", "2004-02-29T23:59:59", "2004-02"),
        (DatePrecision.DAY, "2004-02-12T00:00:00", "2004-02-12T23:59:59", "2004-02-12"),
        (DatePrecision.MINUTE, "2004-02-12T10:30:00", "2004-02-12T10:30:59", "2004-02-12T10:30"),
        (DatePrecision.SECOND, "2004-02-12T10:30:40", "2004-02-12T10:30:40", "2004-02-12T10:30:40"),
    ],
)
def test_a_span_ends_where_its_precision_says(precision: DatePrecision, first: str, last: str, text: str) -> None:
    span = LocalSpan.of(datetime(2004, 2, 12, 10, 30, 40, 500, tzinfo=UTC), precision)
    assert (span.first, span.last, span.text) == (first, last, text)


def test_years_before_1000_have_four_digits() -> None:
    """So that texts compare as the times do."""
    assert LocalSpan.of(datetime(826, 12, 1, tzinfo=UTC), DatePrecision.MONTH).last == "0826-12-31T23:59:59"


def test_the_day_is_that_of_the_place() -> None:
    """00:30 on New Year's Day in Tokyo is the year before in UTC."""
    taken = TakenAt(datetime(2019, 12, 31, 15, 30, tzinfo=UTC), 540, DatePrecision.SECOND, DateSource.EXIF)
    assert taken.span.day == "2020-01-01"
    assert Period.parse("2020-01-01", "2020-01-01").contains(taken.span, taken.moment)
    assert not Period.parse(None, "2019").contains(taken.span, taken.moment)


@pytest.mark.parametrize(
    ("since", "until", "is_inside"),
    [
        ("1948", "1948", True),
        ("1948-06-15", None, True),
        (None, "1948-06-15", True),
        ("1948-07", None, False),
        (None, "1948-05", False),
        (date(1948, 6, 30), None, True),
        (None, date(1948, 5, 31), False),
        (None, None, True),
    ],
)
def test_a_month_is_in_every_period_that_it_overlaps(
    since: str | date | None, until: str | date | None, is_inside: bool
) -> None:
    """June 1948 is no 1st of June."""
    june = LocalSpan.of(datetime(1948, 6, 1, tzinfo=UTC), DatePrecision.MONTH)
    assert Period.parse(since, until).contains(june, datetime(1948, 6, 1, tzinfo=UTC)) is is_inside


def test_a_photo_without_a_date_is_in_no_limited_period() -> None:
    assert Period.parse(None, None).contains(None, None)
    assert not Period.parse("0001", None).contains(None, None)


def test_a_time_with_a_zone_is_compared_in_utc() -> None:
    zone = timezone(timedelta(hours=9))
    taken = TakenAt(datetime(2019, 12, 31, 15, 30, tzinfo=UTC), 540, DatePrecision.SECOND, DateSource.EXIF)
    for period, is_inside in (
        (Period.parse(datetime(2020, 1, 1, 0, 30, tzinfo=zone), None), True),
        (Period.parse("2020-01-01T00:30:01+09:00", None), False),
        (Period.parse(None, "2019-12-31T15:29:59Z"), False),
        (Period.parse("2020-01-01T00:30:00", "2020-01-01T00:30:00"), True),
    ):
        assert period.contains(taken.span, taken.moment) is is_inside


@pytest.mark.parametrize("text", ["yesterday", "2020-13", "2020-02-30", "20200101T", "0000", "2020-1"])
def test_a_text_that_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--since is"):
        Period.parse(text, None, names=("--since", "--until"))


def test_an_empty_period_is_refused() -> None:
    with pytest.raises(UsageError, match="empty"):
        Period.parse("2020-06", "2020-05")


@pytest.mark.parametrize(
    ("offset", "precision", "text"),
    [
        (None, DatePrecision.YEAR, "2004"),
        (120, DatePrecision.DAY, "2004-06-12"),
        (None, DatePrecision.SECOND, "2004-06-12T08:30:00"),
        (120, DatePrecision.SECOND, "2004-06-12T10:30:00+02:00"),
        (-210, DatePrecision.MINUTE, "2004-06-12T05:00-03:30"),
    ],
)
def test_a_date_is_written_as_exactly_as_it_is_known(offset: int | None, precision: DatePrecision, text: str) -> None:
    assert date_text(datetime(2004, 6, 12, 8, 30, tzinfo=UTC), offset, precision) == text

"""Dates that a user decides."""

from __future__ import annotations

from datetime import timedelta

import pytest

from catalog.domain.date_decisions import parse_shift, shifted, spread, user_date
from catalog.domain.errors import UsageError
from catalog.domain.photo_date import PhotoDate
from catalog.domain.taken_at import DateSource, date_text, parse_date_text


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("1948", "1948"),
        ("1948-06", "1948-06"),
        ("1948-06-12", "1948-06-12"),
        ("1948-06-12 15:30", "1948-06-12T15:30"),
        ("2004-06-12T15:30:20+02:00", "2004-06-12T15:30:20+02:00"),
        ("Unknown", None),
    ],
)
def test_a_date_is_as_exact_as_the_user_writes_it(text: str, date: str | None) -> None:
    assert user_date(text) == date


@pytest.mark.parametrize("text", ["", "yesterday", "1948-13", "2999", "1700", "1948-02-30"])
def test_a_text_that_is_no_date_of_a_photo_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="not a date"):
        user_date(text)


@pytest.mark.parametrize(
    ("text", "shift"),
    [
        ("+1d2h", timedelta(days=1, hours=2)),
        ("-30m", timedelta(minutes=-30)),
        ("1w", timedelta(weeks=1)),
        ("+12s", timedelta(seconds=12)),
        ("-1d2h", -timedelta(days=1, hours=2)),
    ],
)
def test_a_shift_adds_its_units(text: str, shift: timedelta) -> None:
    assert parse_shift(text) == shift


@pytest.mark.parametrize("text", ["", "+", "0h", "2h1d", "1x", "1.5h", "+" + "9" * 40 + "d"])
def test_a_text_that_is_no_shift_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="not a shift"):
        parse_shift(text)


def dated(*texts: str | None) -> list[PhotoDate]:
    return [PhotoDate(f"{number:064x}", text, DateSource.EXIF) for number, text in enumerate(texts)]


def test_only_exact_dates_are_shifted() -> None:
    """A day is shifted by whole days; the offset stays."""
    dates = dated("2004-06-12T23:30:00+02:00", "2004-06-12T23:30", "2004-06-12", "2004-06", None)
    hours = shifted(dates, timedelta(hours=2))
    assert [date.date for date in hours.dates] == ["2004-06-13T01:30:00+02:00", "2004-06-13T01:30"]
    assert hours.left == 3
    days = shifted(dates, timedelta(days=-1))
    assert [date.date for date in days.dates] == ["2004-06-11T23:30:00+02:00", "2004-06-11T23:30", "2004-06-11"]
    with pytest.raises(UsageError, match="calendar"):
        shifted(dates, timedelta(days=3_000_000))


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        ("1948", "1952", ["1948", "1949", "1950", "1951", "1952"]),
        ("1948-06", "1948-10", ["1948-06", "1948-07", "1948-08", "1948-09", "1948-10"]),
        ("1948-06-01", "1949", ["1948", "1948", "1949", "1949", "1949"]),
        ("1948-06-01", "1948-06-05T12:00", ["1948-06-01", "1948-06-02", "1948-06-03", "1948-06-04", "1948-06-05"]),
        ("1948", "1948", ["1948"] * 5),
    ],
)
def test_a_stack_is_dated_evenly(first: str, last: str, expected: list[str]) -> None:
    dates = spread([f"{number:064x}" for number in range(5)], first, last)
    assert [date.date for date in dates] == expected
    assert {date.source for date in dates} == {DateSource.ESTIMATE}


def test_a_stack_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(UsageError, match="before it begins"):
        spread(["a"], "1952", "1948")
    with pytest.raises(UsageError, match="two dates"):
        spread(["a"], "1952", "unknown")


@pytest.mark.parametrize(
    "text",
    ["1948", "1948-06", "1948-06-12", "2004-06-12T15:30", "2004-06-12T15:30-03:30", "2004-06-12T15:30:20.000500+14:00"],
)
def test_a_date_of_a_payload_is_read_as_it_is_written(text: str) -> None:
    assert date_text(*parse_date_text(text)) == text


@pytest.mark.parametrize(
    "text", ["", "48", "1948-6", "1948-06-12+02:00", "2004-06-12T15", "2004-02-30", "2004-06-12T25:00"]
)
def test_another_text_is_no_date_of_a_payload(text: str) -> None:
    with pytest.raises(ValueError, match=r"not the date|day is out|hour must"):
        parse_date_text(text)

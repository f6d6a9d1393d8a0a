"""Prices of calls, and the spending limit."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from catalog.app.settings import load_settings
from catalog.domain.charges import Charge, Operation
from catalog.domain.errors import LimitReached
from catalog.engines.rekognition.budget import Budget
from catalog.engines.rekognition.pricing import Prices, is_guess, read_prices

INDEX, DETECT = Operation.INDEX_FACES, Operation.DETECT_FACES


@pytest.fixture
def table():
    """The one that ships."""
    return read_prices(load_settings().engine_options["rekognition"].prices, "us-east-1")


@pytest.mark.parametrize(
    ("operation", "calls", "before", "dollars"),
    [
        (INDEX, 0, 0, "0"),
        (INDEX, 100_000, 0, "100"),
        (INDEX, 1_000_000, 0, "1000"),
        (INDEX, 2_000_000, 0, "1800"),
        (INDEX, 100, 999_950, "0.09"),
        (INDEX, 36_000_000, 0, "22600"),
        (INDEX, 1, 35_000_000, "0.0004"),
        (DETECT, 1, 35_000_000, "0.00025"),
    ],
)
def test_prices_fall_with_the_calls_of_the_month(table, operation, calls, before, dollars):
    """Tier by tier."""
    assert table.dollars(operation, calls, before) == Decimal(dollars)


def test_the_tiers_begin_anew_when_a_month_begins(table):
    """A scan over midnight (UTC) of the last day: the calls of the old month make no call of the new one cheaper."""
    now = [datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC)]
    prices = Prices(table, {INDEX: 2_000_000}, clock=lambda: now[0])
    assert prices.charge(INDEX).dollars == Decimal("0.0008")
    now[0] = datetime(2026, 12, 1, 0, 0, 1, tzinfo=UTC)
    assert prices.quote(INDEX, 1_000_001).dollars == Decimal("1000.0008")
    assert prices.charge(INDEX).dollars == Decimal("0.001")


def test_lost_calls_are_in_the_next_charge_of_their_operation_or_told_by_themselves(table):
    """Each once, and each a call of the month."""
    prices = Prices(table, {INDEX: 999_999})
    prices.lose(INDEX)
    prices.lose(DETECT)
    assert prices.charge(INDEX).calls == 2
    assert prices.charge(INDEX) == Charge(INDEX, 1, Decimal("0.0008"))
    assert prices.take_unreported_charges() == (Charge(DETECT, 1, Decimal("0.001")),)
    assert prices.take_unreported_charges() == ()


def test_an_unknown_region_costs_more():
    """Estimates err on the high side, and are known to be none of Amazon's."""
    prices = load_settings().engine_options["rekognition"].prices
    assert read_prices(prices, "mars-north-1").dollars(INDEX, 1000) == Decimal("1.25")
    assert is_guess(prices, "mars-north-1")
    assert not is_guess(prices, "eu-west-1")


@pytest.mark.parametrize(
    "tiers",
    [
        [],
        [{"up_to": 10, "dollars": 1}],
        [{"up_to": 0, "dollars": 1}, {"up_to": 0, "dollars": 1}],
        [{"up_to": 10, "dollars": 1}, {"up_to": 5, "dollars": 1}, {"up_to": 0, "dollars": 1}],
    ],
)
def test_a_table_that_does_not_rise_is_refused(tiers):
    """It could not be computed with."""
    with pytest.raises(ValueError, match="tiers"):
        read_prices(
            {"group_1": tiers, "group_2": tiers, "region_factors": {}, "other_regions_factor": 1.0}, "us-east-1"
        )


def test_charges_are_counted_and_quotes_are_not(table):
    """The call that crosses a tier costs what is left of it."""
    prices = Prices(table, {INDEX: 999_998, Operation.SEARCH_FACES: 1})
    assert prices.quote(INDEX, 2).dollars == Decimal("0.0018")
    assert [prices.charge(INDEX).dollars for _ in range(2)] == [Decimal("0.001"), Decimal("0.0008")]
    assert prices.charge(DETECT).dollars == Decimal("0.001")


def test_a_budget_of_calls_ends_before_the_call(table):
    """The third of two is refused, with exit code 7."""
    budget = Budget(Prices(table).quote, max_calls=2)
    budget.spend(INDEX)
    budget.spend(DETECT)
    with pytest.raises(LimitReached, match="limit of 2 paid calls") as error:
        budget.spend(INDEX)
    assert error.value.exit_code == 7
    assert (budget.calls, budget.dollars) == (2, Decimal("0.002"))


def test_a_budget_of_dollars_is_never_exceeded(table):
    """Not by a fraction of a cent."""
    budget = Budget(Prices(table).quote, max_dollars=Decimal("0.0025"))
    budget.spend(INDEX)
    budget.spend(INDEX)
    with pytest.raises(LimitReached, match=r"\$0.0025"):
        budget.spend(INDEX)


def test_threads_cannot_spend_the_same_call(table):
    """A hundred threads, ten calls."""
    budget, refusals = Budget(Prices(table).quote, max_calls=10), []

    def work():
        try:
            budget.spend(INDEX)
        except LimitReached as error:
            refusals.append(error)

    threads = [threading.Thread(target=work) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (budget.calls, len(refusals)) == (10, 90)

"""Rates of the worst group between and beyond the measured points."""

from __future__ import annotations

import pytest

from catalog.domain.stranger_rates import WorstGroupRates

RATES = WorstGroupRates("a group", ((80.0, 0.01), (95.0, 0.001), (99.0, 0.0005)), "made for this test")


def test_measured_points_are_returned():
    """At a measured similarity the share is the measured one."""
    assert [RATES.share(similarity) for similarity, _ in RATES.points] == pytest.approx([0.01, 0.001, 0.0005])


def test_between_two_points_the_share_falls():
    """It stays between the shares of its neighbors."""
    shares = [RATES.share(similarity) for similarity in (80, 85, 90, 95, 97, 99)]
    assert shares == sorted(shares, reverse=True)
    assert 0.001 < RATES.share(90) < 0.01


def test_nothing_lower_than_measured_is_stated():
    """Above the last point the last share holds. Below the first one every stranger may match."""
    assert RATES.share(100) == 0.0005
    assert RATES.share(79.9) == 1.0

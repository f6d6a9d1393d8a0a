"""Log-odds and their inverse."""

from __future__ import annotations

import pytest

from catalog.domain.log_odds import log_odds, share_of_odds, similarity_odds


@pytest.mark.parametrize("share", [0.0001, 0.2, 0.5, 0.99, 0.9999])
def test_a_share_survives_the_way_to_log_odds_and_back(share: float) -> None:
    """Shares between the clipped ends."""
    assert share_of_odds(log_odds(share)) == pytest.approx(share)


@pytest.mark.parametrize(("odds", "share"), [(-1000.0, 0.0), (0.0, 0.5), (1000.0, 1.0)])
def test_extreme_log_odds_are_shares(odds: float, share: float) -> None:
    """No overflow."""
    assert share_of_odds(odds) == share


@pytest.mark.parametrize(("similarity", "odds"), [(50, 0.0), (80, 1.386), (99, 4.595), (100, 11.513)])
def test_a_similarity_of_100_is_not_infinite(similarity: float, odds: float) -> None:
    """The values of the module's docstring, and the clipped end."""
    assert similarity_odds(similarity) == pytest.approx(odds, abs=0.001)

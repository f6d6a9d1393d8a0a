"""Wrappers forward the charges that only the inner engine knows."""

from __future__ import annotations

from decimal import Decimal

import pytest

from catalog.domain.charges import Charge, Operation
from tests.contracts.wrappers import WRAPPERS
from tests.fakes import FakeEngine


@pytest.mark.parametrize("wrap", WRAPPERS, ids=lambda wrap: wrap.__name__)
def test_unreported_charges_of_the_inner_engine_are_returned_once(wrap):
    """A billed call whose response was lost reaches the charge log through every wrapper."""
    lost = Charge(Operation.INDEX_FACES, 1, Decimal("0.001"))
    inner = FakeEngine()
    inner.unreported = [lost]
    engine = wrap(inner, FakeEngine())
    assert list(engine.enrolled()) == []  # opens the one that is opened later
    assert engine.take_unreported_charges() == (lost,)
    assert engine.take_unreported_charges() == ()

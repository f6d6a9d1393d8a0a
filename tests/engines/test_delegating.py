"""An engine around another one keeps the contract as the inner one does, and claims what that has not told."""

from __future__ import annotations

from decimal import Decimal

import pytest

from catalog.domain.charges import Charge, Operation
from catalog.engines.delegating import DelegatingEngine
from tests.engines.test_fake import TestFakeEngine as _OnFakes
from tests.fakes import FakeEngine, FakeGallery


class TestEngineAround(_OnFakes):
    @pytest.fixture
    def open_engine(self):
        gallery = FakeGallery()
        return lambda: DelegatingEngine(FakeEngine(gallery))


def test_an_inner_engine_that_meters_nothing_leaves_nothing_unclaimed():
    """Calls without an answer are only known to engines that are paid."""
    assert DelegatingEngine(FakeEngine(FakeGallery())).take_unreported_charges() == ()


def test_what_the_inner_engine_has_not_told_is_told():
    """Charges of calls whose answers were lost come through."""
    lost = Charge(Operation.INDEX_FACES, 1, Decimal("0.001"))

    class Metering(FakeEngine):
        def take_unreported_charges(self) -> tuple[Charge, ...]:
            return (lost,)

    assert DelegatingEngine(Metering(FakeGallery())).take_unreported_charges() == (lost,)

"""The prefilter sends only photos on which a free engine finds a face."""

from __future__ import annotations

import pytest

from catalog.domain.charges import Operation
from catalog.domain.faces import Analysis
from catalog.engines.prefilter import PrefilterCounts, PrefilteredEngine
from catalog.store.gallery_info import count_prefiltered, gallery_model, requeue_prefiltered
from tests.fakes import Drawn, FakeEngine, save_drawing


class Blind(FakeEngine):
    """Finds no face, as the local engine on photos that the prefilter misses."""

    def analyze(self, photo):
        return Analysis(())


@pytest.fixture
def prefilter(scanner):
    """Wraps the scanner's engine with a prefilter; returns the paid engine."""

    def put(free, sample=0.0):
        paid = scanner.engine
        scanner.engine = PrefilteredEngine(paid, free, sample=sample)
        return paid

    return put


def test_photos_without_a_face_are_not_sent(scanner, folder, prefilter):
    """One of two photos is charged, and the next scan sends none."""
    save_drawing(folder / "a.png", [Drawn("ann")])
    save_drawing(folder / "b.png")
    paid = prefilter(FakeEngine())
    scanner()
    assert paid.calls[Operation.INDEX_FACES] == 1
    assert scanner.engine.counts == PrefilterCounts(skipped=1)
    scanner()
    assert scanner.kinds() == {"a.png": "unchanged", "b.png": "unchanged"}


def test_a_sample_measures_what_is_missed(scanner, folder, prefilter):
    """A share of the skipped photos is sent, and those with a face are counted."""
    save_drawing(folder / "a.png", [Drawn("ann")])
    save_drawing(folder / "b.png")
    prefilter(Blind(), sample=1.0)
    scanner()
    assert scanner.engine.counts == PrefilterCounts(skipped=0, sampled=2, missed=1)


def test_photos_that_were_never_sent_are_sent_once_the_prefilter_is_off(scanner, folder, prefilter, rows):
    """A skipped photo is not enrolled. A scan without the prefilter finds the missed face."""
    save_drawing(folder / "a.png", [Drawn("ann")])
    paid = prefilter(Blind())
    scanner()
    assert paid.calls[Operation.INDEX_FACES] == 0
    with scanner.database.begin() as connection:
        assert count_prefiltered(connection, "fake", "catalog") == 1
        assert gallery_model(connection, "fake", "catalog") is None
        assert requeue_prefiltered(connection, "fake", "catalog") == 1
    scanner.engine = paid
    scanner()
    assert rows("SELECT count(*) FROM faces") == [(1,)]

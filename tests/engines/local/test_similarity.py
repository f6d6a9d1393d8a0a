"""The curve from cosine to similarity."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.engines.local.similarity import MIRRORED, PLAIN, Calibration

CURVES = pytest.mark.parametrize("curve", [PLAIN, MIRRORED])


@CURVES
def test_the_curve_goes_through_its_two_points_and_the_ends(curve: Calibration):
    """The curve gives 80 and 99 at the measured cosines, nearly 0 at cosine -1 and exactly 100 at 0.8."""
    low, eighty, high, end = curve.similarity(np.array([-1.0, curve.cosine_80, curve.cosine_99, 0.8]))
    assert eighty == pytest.approx(80, abs=0.01)
    assert high == pytest.approx(99, abs=0.01)
    assert 0 <= low < 1e-6
    assert end == 100


@CURVES
def test_strangers_are_near_zero(curve: Calibration):
    """The mean cosine of different people in LFW, about 0.037, has a similarity below 1."""
    assert curve.similarity(0.037) < 1


@CURVES
@given(a=st.floats(-1, 1), b=st.floats(-1, 1))
def test_similarity_is_monotonic(curve: Calibration, a: float, b: float):
    """The curve never falls and stays between 0 and 100."""
    low, high = sorted((a, b))
    assert 0 <= curve.similarity(low) <= curve.similarity(high) <= 100


@CURVES
@given(similarity=st.floats(0.01, 99.99))
def test_cosine_is_the_inverse_of_similarity(curve: Calibration, similarity: float):
    """The similarity of the cosine of a similarity is that similarity."""
    assert curve.similarity(curve.cosine(similarity)) == pytest.approx(similarity, abs=1e-6)


@CURVES
def test_thresholds_at_the_ends(curve: Calibration):
    """Threshold 0 accepts every cosine; threshold 100 needs cosine 0.8."""
    assert curve.cosine(0) == -1
    assert curve.cosine(100) == 0.8

"""Confidence interval of a share: E. B. Wilson's score interval (JASA 22, 1927), which stays within 0 and 1."""

from __future__ import annotations

from math import sqrt

SMALL_SAMPLE = 30
"""A share of fewer faces is marked as a small sample."""

_Z_95 = 1.959964


def wilson_interval(count: float, total: float) -> tuple[float, float]:
    """Return the 95 % confidence interval of ``count / total`` as fractions. ``total`` must be above 0."""
    share = count / total
    spread = _Z_95**2 / total
    middle = (share + spread / 2) / (1 + spread)
    half = _Z_95 / (1 + spread) * sqrt(share * (1 - share) / total + spread / (4 * total))
    # Rounding must not exclude the share itself.
    return max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half))

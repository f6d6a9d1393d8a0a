"""Log-odds, the scale on which similarities and confidences may be averaged.

A similarity of 50 is 0, 80 is 1.4, 99 is 4.6, 99.9 is 6.9.
"""

from __future__ import annotations

import math

CLIP = 1e-5
"""Shares are clipped to this distance from 0 and 1, so that a similarity of 100 is not infinitely certain."""


def log_odds(share: float, clip: float = CLIP) -> float:
    """Log-odds of a share, 0 to 1, clipped to ``clip`` from both ends."""
    clipped = min(max(share, clip), 1.0 - clip)
    return math.log(clipped / (1.0 - clipped))


def share_of_odds(odds: float) -> float:
    """The inverse of :func:`log_odds`: a share, 0 to 1."""
    return 0.5 + 0.5 * math.tanh(odds / 2.0)  # the same as 1 / (1 + exp(-odds)), without an overflow


def similarity_odds(similarity: float) -> float:
    """Log-odds of a similarity or confidence, 0 to 100."""
    return log_odds(similarity / 100.0)

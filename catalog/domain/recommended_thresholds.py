"""Default similarities (0 to 100) of decisions about people. Amazon recommends at least 99 for them."""

from __future__ import annotations

WATCH_THRESHOLD = 99.0
"""Lowest similarity of a hit on the watch list."""
ACCEPT = 99.0
"""Lowest similarity at which the verification of an employee accepts a photo."""
REFUSE = 80.0
"""Similarity below which the verification of an employee refuses a photo."""

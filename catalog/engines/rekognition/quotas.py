"""Quotas of Amazon: calls per second for each operation, by region.

The numbers are in ``config/default.toml`` (``rekognition.quotas``): a table for the regions with large quotas and one
for all others. ``rekognition.calls_per_second`` overrides them for an account with other quotas.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

DEFAULT_RATE = 5.0
"""Calls per second of an operation that is not in the tables: the lowest quota of Amazon."""


@dataclass(frozen=True, slots=True)
class Quotas:
    """Calls a second for each operation in one region.

    ``headroom`` is the share of a quota that is used: what is missing to 1 keeps the jitter of the network from
    counting as too fast.
    """

    rates: Mapping[str, float] = field(default_factory=dict)
    override: float = 0.0
    headroom: float = 0.98

    def rate(self, operation: str) -> float:
        """The pace to keep, in calls a second."""
        return (self.override or self.rates.get(operation, DEFAULT_RATE)) * self.headroom


def quotas_of(
    region: str,
    *,
    large_regions: Sequence[str],
    large: Mapping[str, float],
    other_quotas: Mapping[str, float],
    override: float = 0.0,
    headroom: float = 0.98,
) -> Quotas:
    """The quotas that hold in a region."""
    return Quotas(dict(large if region in large_regions else other_quotas), override, headroom)

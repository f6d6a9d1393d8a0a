"""How many calls a second Amazon allows for each operation, by region.

The numbers are data in ``config/default.toml`` (``rekognition.quotas``): a table for the regions with large quotas and
one for all others. An account may have been given more; ``rekognition.calls_per_second`` overrides them all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

DEFAULT_RATE = 5.0
"""For an operation that the tables do not name: the least that Amazon gives anybody."""


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
    others: Mapping[str, float],
    override: float = 0.0,
    headroom: float = 0.98,
) -> Quotas:
    """The quotas that hold in a region."""
    return Quotas(dict(large if region in large_regions else others), override, headroom)

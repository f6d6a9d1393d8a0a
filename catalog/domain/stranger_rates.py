"""Share of pairs of different people that reach a similarity, in the group of people in which it happens most often."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from catalog.domain.log_odds import similarity_odds


@dataclass(frozen=True, slots=True)
class WorstGroupRates:
    """Measured shares, 0 to 1, of the pairs of different people of one group that reach a similarity.

    ``points`` are (similarity, share), at least one, in ascending order of similarity. ``data`` names the measured
    faces. Between two points the logarithm of the share falls evenly with the log-odds of the similarity. Beyond the
    last point the last share holds: nothing lower was measured.
    """

    group: str
    points: tuple[tuple[float, float], ...]
    data: str

    def share(self, similarity: float) -> float:
        """Return the share that reaches a similarity, 0 to 100. Below the first point it is the first share or more."""
        first, last = self.points[0], self.points[-1]
        if similarity <= first[0]:
            return first[1] if similarity == first[0] else 1.0
        for (low, more), (high, fewer) in pairwise(self.points):
            if similarity <= high:
                start, end = similarity_odds(low), similarity_odds(high)
                part = (similarity_odds(similarity) - start) / (end - start)
                return math.exp(math.log(more) + part * (math.log(fewer) - math.log(more)))
        return last[1]

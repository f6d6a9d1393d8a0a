"""Similarity of two faces, 0 to 100 as Amazon Rekognition means it, from the dot product of their vectors.

The dot product is called cosine here. It is nearly one: the vectors of :mod:`.common_component_removal` are a little
shorter than 1. The curve is logistic and passes through two measured points: the cosine that one pair of different
people in 1,000 reaches maps to 80, the cosine that one pair in 100,000 reaches maps to 99. MODELS.md names the photos
and gives the rates on other people.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.domain.log_odds import log_odds

_SAME = 0.8
"""Cosine from which the similarity is 100. An adult's face has at least this with itself: 0.82 is the lowest of LFW. A
small child's face has 0.53 to 0.92 with itself, so its similarity to itself may be 99.95."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """A curve through (``cosine_80``, 80) and (``cosine_99``, 99), stretched to reach exactly 100 at cosine 0.8."""

    cosine_80: float
    cosine_99: float

    @property
    def _slope(self) -> float:
        return (log_odds(0.99) - log_odds(0.80)) / (self.cosine_99 - self.cosine_80)

    @property
    def _middle(self) -> float:
        return self.cosine_80 - log_odds(0.80) / self._slope

    def similarity(self, cosine: NDArray[Any] | float) -> NDArray[np.float64]:
        """Return the similarities, 0 to 100, of cosines. Monotonic."""
        clipped = np.clip(np.asarray(cosine, np.float64), -1.0, _SAME)
        return np.minimum(self._curve(clipped) * (100.0 / self._curve(np.float64(_SAME))), 100.0)

    def cosine(self, similarity: float) -> float:
        """Return the lowest cosine with this similarity: -1 for 0 and below, 0.8 for 100 and above."""
        share = similarity / 100.0 * float(self._curve(np.float64(_SAME)))
        if share <= float(self._curve(np.float64(-1.0))):
            return -1.0
        return _SAME if similarity >= 100.0 else min(_SAME, self._middle + log_odds(share, clip=0.0) / self._slope)

    def _curve(self, cosine: NDArray[np.float64] | np.float64) -> NDArray[np.float64]:
        return np.asarray(1.0 / (1.0 + np.exp(-self._slope * (cosine - self._middle))))


PLAIN = Calibration(cosine_80=0.3131, cosine_99=0.4224)
"""For vectors of the face alone."""

MIRRORED = Calibration(cosine_80=0.3146, cosine_99=0.4233)
"""For mean vectors of the face and its mirror image."""
